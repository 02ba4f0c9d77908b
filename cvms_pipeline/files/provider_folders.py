"""The folders of one provider: made when it is registered, filled by `cvms drop`.

The registry of providers is `store.providers`; dropped files are found by `incoming`.
"""

import functools
import grp
import io
import itertools
import os
import stat
from pathlib import Path

from cvms_pipeline import disk, errors
from cvms_pipeline.domain.vocabulary import upload
from cvms_pipeline.files import access, incoming, names

_PIECE_BYTES = 1 << 20
_GROUP_WRITES = 0o2770
_GROUP_READS = 0o2750
_GROUP_FILE = 0o660


class GroupUnknown(errors.PermanentError):
    """There is no such system group."""


class ProviderFolderMissing(errors.PermanentError):
    """The provider has no folder for this."""


def make_folders(folders: incoming.Folders, slug: str) -> Path:
    """Make the provider's folder with its lanes and results, or correct their modes.

    They are for the service's user alone, or for a group, too: its members can write
    into the lanes and clear the results, but cannot replace a lane.

    Raises:
        GroupUnknown: If the system has no such group.
        UnsafeName: If `slug` is not a slug.
        FolderForbidden: If a link is in the place of a folder, for example.
    """
    if not upload.is_slug(slug):
        raise names.UnsafeName("this is no provider's slug")
    group = None if folders.group is None else _find_group(folders.group)
    provider = folders.root / slug
    with access.translate_errors(folders.root):
        disk.make_folder(folders.root)
        _set_mode(folders.root, group, 0o750, follow=True)
        _make_folder(provider, group, _GROUP_READS)
        for name in (*upload.Lane, incoming.RESULTS):
            _make_folder(provider / name, group, _GROUP_WRITES)
    return provider


def put_file(
    folders: incoming.Folders,
    source: bytes | Path,
    *,
    slug: str,
    lane: upload.Lane,
    file_name: str,
) -> Path:
    """Drop `source` (its bytes, or a file to copy) into a lane, whole or not at all.

    The name is made safe; if it is taken, the file is called `staff (2).csv`.

    Returns:
        The path of the new file; it may be claimed before the caller reads it.

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
        name = names.choose_name(file_name)
        mode = _GROUP_FILE if folders.group else disk.PRIVATE_FILE_MODE
        with access.translate_errors(folder):
            return _put(folder, name, data, mode)


def _put(folder: Path, name: str, data: io.IOBase, mode: int) -> Path:
    pieces = iter(functools.partial(data.read, _PIECE_BYTES), b"")
    with disk.write_beside(folder / "drop", pieces, mode=mode) as temporary:
        for number in itertools.count(1):
            target = folder / names.add_number(name, number)
            if disk.add_name(temporary, target):
                break
    disk.sync_folder(folder)
    return target


def _find_group(name: str) -> int:
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        pass
    raise GroupUnknown(
        f"CVMS_PROVIDER_GROUP: the system has no group {name}."
        f" Make it with `groupadd {name}`, or name another."
    )


def _make_folder(folder: Path, group: int | None, mode: int) -> None:
    disk.make_folder(folder)
    _set_mode(folder, group, mode, follow=False)


def _set_mode(folder: Path, group: int | None, mode: int, *, follow: bool) -> None:
    with disk.open_folder(folder, follow=follow) as descriptor:
        status = os.fstat(descriptor)
        wanted = disk.PRIVATE_FOLDER_MODE if group is None else mode
        if group is not None and status.st_gid != group:
            os.fchown(descriptor, -1, group)
        elif stat.S_IMODE(status.st_mode) == wanted:
            return
        os.fchmod(descriptor, wanted)
