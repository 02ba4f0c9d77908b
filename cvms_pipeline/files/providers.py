"""A provider's own folders: made when it is registered, filled by `cvms drop`.

Who is a provider is `store`; what happens to a dropped file is `incoming`.
"""

import errno
import grp
import io
import itertools
import os
import shutil
import stat as modes
from pathlib import Path

from cvms_pipeline import errors
from cvms_pipeline.domain import upload
from cvms_pipeline.files import disk, faults, incoming, names

_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK})
_FOR_GROUP = 0o2770
_FOR_GROUP_TO_READ = 0o2750
_FILE_FOR_GROUP = 0o660


class GroupUnknown(errors.PermanentError):
    """There is no such system group."""


class ProviderFolderMissing(errors.PermanentError):
    """The provider has no folder for this."""


def make_provider(folders: incoming.Folders, slug: str) -> Path:
    """Make the provider's folder with its lanes and results, or mend their modes.

    For us alone, or with a group: that may enter, write into the lanes and clear
    the results, but not put something else in a lane's place.

    Raises:
        GroupUnknown: If the system has no such group.
        UnsafeName: If `slug` is none.
        FolderForbidden: If a link stands where a folder should be, among others.
    """
    if not upload.is_slug(slug):
        raise disk.UnsafeName("that is no provider's slug")
    group = None if folders.group is None else _group_id(folders.group)
    provider = folders.root / slug
    with faults.translated(folders.root):
        disk.make_folder(folders.root)
        _set_mode(folders.root, group, 0o750, follow=True)
        _make(provider, group, _FOR_GROUP_TO_READ)
        for name in (*upload.Lane, incoming.RESULTS):
            _make(provider / name, group, _FOR_GROUP)
    return provider


def put(
    folders: incoming.Folders,
    source: bytes | Path,
    *,
    slug: str,
    lane: upload.Lane,
    file_name: str,
) -> Path:
    """Drop `source` (its bytes, or a file to copy) into a lane, whole or not at all.

    The name is made safe; where it is taken the file is called `staff (2).csv`.

    Returns:
        Where it was put; it may be claimed by the time the caller looks.

    Raises:
        ProviderFolderMissing: If the provider, or its lane, has no folder.
        OSError: If `source` cannot be read.
    """
    folder = folders.root / slug / lane
    if not upload.is_slug(slug) or not folder.is_dir():
        raise ProviderFolderMissing(
            f"There is no folder {folder}. Make it with `cvms providers add`, or see"
            " the providers there are with `cvms providers list`."
        )
    with io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") as data:
        name = names.dropped(file_name)
        mode = _FILE_FOR_GROUP if folders.group else disk.PRIVATE_FILE
        with faults.translated(folder):
            return _put(folder, name, data, mode)


def _put(folder: Path, name: str, data: io.IOBase, mode: int) -> Path:
    temporary = folder / disk.temporary_name("drop")
    try:
        with temporary.open("xb") as file:
            os.fchmod(file.fileno(), mode)
            shutil.copyfileobj(data, file)
            file.flush()
            os.fsync(file.fileno())
        for number in itertools.count(1):
            target = folder / names.numbered(name, number)
            if _renamed(temporary, target):
                break
    finally:
        temporary.unlink(missing_ok=True)
    disk.sync_folder(folder)
    return target


def _renamed(source: Path, target: Path) -> bool:
    """Give `source` the name `target` too; False, and no change, if it is taken."""
    try:
        target.hardlink_to(source)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        return _renamed_without_links(source, target)
    return True


def _renamed_without_links(source: Path, target: Path) -> bool:
    """Reserve the name with an empty file, then rename over it."""
    try:
        target.touch(exist_ok=False)
    except FileExistsError:
        return False
    source.replace(target)
    return True


def _group_id(name: str) -> int:
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        pass
    raise GroupUnknown(
        f"CVMS_PROVIDER_GROUP: the system has no group {name}."
        f" Make it with `groupadd {name}`, or name another."
    )


def _make(folder: Path, group: int | None, mode: int) -> None:
    disk.make_folder(folder)
    _set_mode(folder, group, mode, follow=False)


def _set_mode(folder: Path, group: int | None, mode: int, *, follow: bool) -> None:
    with disk.opened_folder(folder, follow=follow) as descriptor:
        stat = os.fstat(descriptor)
        wanted = disk.PRIVATE_FOLDER if group is None else mode
        if group is not None and stat.st_gid != group:
            os.fchown(descriptor, -1, group)
        elif modes.S_IMODE(stat.st_mode) == wanted:
            return
        os.fchmod(descriptor, wanted)
