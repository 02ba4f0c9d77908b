"""A provider's results: receipts, and error reports beside them.

Only bytes and their paths; the texts are `domain.reporting.error_report`,
`mail.notices` and `mail.advice`.  A results folder belongs to the provider, who may
have put anything there, so no link in it is followed.
"""

import contextlib
import errno
import fcntl
import os
import shutil
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

from cvms_pipeline import disk, errors
from cvms_pipeline.domain.vocabulary import upload
from cvms_pipeline.files import access, incoming, names, provider_folders

_RECEIPT = "receipt.txt"

_OBSTACLES = frozenset(
    {errno.EACCES, errno.EPERM, errno.EISDIR, errno.ENOTDIR, errno.ENOTEMPTY}
)
"""Errors of a folder in the results to which its provider has done something."""

_NOT_THERE = _OBSTACLES | {errno.ENOENT, errno.ELOOP}
_MAX_RECEIPT_BYTES = 2**22

_LOCK_ATTEMPTS = 20
_LOCK_PAUSE_SECONDS = 0.05
_GROUP_FOLDER = 0o2770
GROUP_FILE = 0o660  # its members may correct the report where it is


class ResultsForbidden(errors.PermanentError):
    """A provider's results folder is a link, or no folder."""


def name_results_folder(file_name: str, upload_id: str) -> str:
    """Return the name of the folder that `publish` makes in `results`."""
    return f"{names.make_safe_stem(file_name)}-{names.check_id(upload_id)}"


def publish(
    folders: incoming.Folders,
    *,
    slug: str,
    upload_id: str,
    file_name: str,
    report: bytes | None,
    receipt: str,
    announced: Collection[str] = (),
) -> Path:
    """Put the receipt, and the error report if any, into the provider's results.

    A folder that is new appears with all its files at once; in one that is there, the
    receipt comes last.  What the provider changed, or put in its place, is kept beside
    it as `...-earlier`; one of the receipts that were `announced` is replaced.

    Raises:
        ProviderFolderMissing: If the provider has no folder.
        ResultsForbidden: If `results` is a link, or no folder.
    """
    name = name_results_folder(file_name, upload_id)
    content = {_RECEIPT: receipt.encode("utf-8")}
    if report is not None:
        content[upload.REPORT_NAME] = report
    mode = GROUP_FILE if folders.group else disk.PRIVATE_FILE_MODE
    with (
        access.translate_errors(folders.root / slug),
        opened_results(folders, slug) as results,
    ):
        if not _publish_whole(results, name, content, mode):
            ours = [each.encode("utf-8") for each in announced]
            try:
                _update(results, name, content, mode, ours)
            except OSError as error:
                if error.errno not in _OBSTACLES:
                    raise
                _move_aside(results, name)
                _publish_whole(results, name, content, mode)
        disk.sync_folder(results)
    return folders.root / slug / incoming.RESULTS / name


def announce(
    folders: incoming.Folders,
    *,
    slug: str,
    upload_id: str,
    file_name: str,
    receipt: str,
    instead_of: str | None = None,
) -> bool:
    """Put a receipt without an outcome into the provider's results; return if it was.

    A receipt that is there already stays, unless it is exactly `instead_of`.  Nothing
    that a provider has done there is an error; folders that are missing are not made.
    """
    name, data = name_results_folder(file_name, upload_id), receipt.encode("utf-8")
    mode = GROUP_FILE if folders.group else disk.PRIVATE_FILE_MODE
    if not upload.is_slug(slug):
        return False
    with (
        contextlib.suppress(OSError),
        disk.open_inside(folders.root, slug, incoming.RESULTS) as results,
    ):
        if _put_whole(results, name, {_RECEIPT: data}, mode):
            disk.sync_folder(results)
            return True
        if instead_of is not None:
            before = instead_of.encode("utf-8")
            return _replace_receipt(results, name, data, mode, before)
    return False


def rewrite_receipt(
    folders: incoming.Folders,
    *,
    slug: str,
    upload_id: str,
    file_name: str,
    rewrite: Callable[[bytes], str | None],
) -> bool:
    """Write the receipt again that is in the provider's results; return if it was.

    Args:
        folders: Where the results are.
        slug: The provider.
        upload_id: The upload that the receipt is about.
        file_name: The name of its file.
        rewrite: Returns the new receipt for the one that is there, or None to leave it.
            Called while no other process of ours writes in that folder.

    What the provider has removed, renamed or put in its place stays as it is.
    """
    name = name_results_folder(file_name, upload_id)
    mode = GROUP_FILE if folders.group else disk.PRIVATE_FILE_MODE
    with access.translate_errors(folders.root / slug):
        try:
            with (
                disk.open_inside(folders.root, slug, incoming.RESULTS, name) as folder,
                _locked(folder),
            ):
                return _rewrite(folder, mode, rewrite)
        except OSError as error:
            if error.errno not in _NOT_THERE:
                raise
            return False


def _rewrite(folder: int, mode: int, rewrite: Callable[[bytes], str | None]) -> bool:
    remove_leftovers(folder, _RECEIPT)
    found = _read_start(folder, _RECEIPT, _MAX_RECEIPT_BYTES)
    receipt = rewrite(found) if found else None
    if receipt is None:
        return False
    _write_again(folder, _RECEIPT, receipt.encode("utf-8"), mode)
    disk.sync_folder(folder)
    return True


def _replace_receipt(
    results: int, name: str, data: bytes, mode: int, before: bytes
) -> bool:
    with disk.open_folder(name, dir_fd=results) as folder, _locked(folder):
        if _read_start(folder, _RECEIPT, len(before)) != before:
            return False
        _write_again(folder, _RECEIPT, data, mode)
        disk.sync_folder(folder)
    return True


@contextlib.contextmanager
def opened_results(folders: incoming.Folders, slug: str) -> Iterator[int]:
    """Open the results of a provider, and make the folder if it is missing.

    Raises:
        ProviderFolderMissing: If the provider has no folder.
        ResultsForbidden: If `results` is a link, or no folder.
    """
    provider = folders.root / slug
    if not upload.is_slug(slug) or not provider.is_dir():
        raise provider_folders.ProviderFolderMissing(
            f"There is no folder {provider}. Make it with `cvms providers add`."
        )
    if not os.path.lexists(provider / incoming.RESULTS):
        provider_folders.make_folders(folders, slug)
    with contextlib.ExitStack() as opened:
        try:
            folder = opened.enter_context(disk.open_folder(folders.root, follow=True))
            for name in (slug, incoming.RESULTS):
                folder = opened.enter_context(disk.open_folder(name, dir_fd=folder))
        except OSError as error:
            if error.errno not in (errno.ELOOP, errno.ENOTDIR):
                raise
            raise ResultsForbidden(
                f"{provider / incoming.RESULTS} is a link or no folder. Remove it;"
                " a folder is made in its place."
            ) from None
        yield folder


def _publish_whole(
    results: int, name: str, content: Mapping[str, bytes], mode: int
) -> bool:
    """Make the folder `name` with its content at once; False if there is one."""
    if _make_room(results, name):
        return False
    return _put_whole(results, name, content, mode)


def _put_whole(
    results: int, name: str, content: Mapping[str, bytes], mode: int
) -> bool:
    temporary = disk.make_temporary_name(name)
    os.mkdir(temporary, disk.PRIVATE_FOLDER_MODE, dir_fd=results)
    with disk.open_folder(temporary, dir_fd=results) as folder:
        for file_name, data in content.items():
            disk.write_new(file_name, data, dir_fd=folder, mode=mode)
        if mode != disk.PRIVATE_FILE_MODE:
            os.fchmod(folder, _GROUP_FOLDER)
        disk.sync_folder(folder)
    try:
        _rename(results, temporary, name)
    except OSError as error:
        shutil.rmtree(temporary, dir_fd=results)
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        return False
    return True


def _make_room(results: int, name: str) -> bool:
    """Remove what a crash left, and rename what is called `name` but is no folder.

    Return whether there is a folder `name`.
    """
    for file in os.listdir(results):
        if file.startswith(f".{name}.") and file.endswith(".tmp"):
            shutil.rmtree(file, ignore_errors=True, dir_fd=results)
    with contextlib.suppress(FileNotFoundError):
        status = os.stat(name, dir_fd=results, follow_symlinks=False)
        if incoming.get_kind(status) is incoming.Kind.FOLDER:
            return True
        _move_aside(results, name)
    return False


def _update(
    results: int,
    name: str,
    content: Mapping[str, bytes],
    mode: int,
    replaceable: Collection[bytes],
) -> None:
    with disk.open_folder(name, dir_fd=results) as folder, _locked(folder):
        for file_name in (upload.REPORT_NAME, _RECEIPT):
            remove_leftovers(folder, file_name)
            data = content.get(file_name)
            longest = max(map(len, (data or b"", *replaceable)))
            found = _read_start(folder, file_name, longest)
            if found == data:
                continue
            if found is not None and found not in replaceable:
                _move_aside(folder, file_name)
            if data is not None:
                _write_again(folder, file_name, data, mode)
        disk.sync_folder(folder)


def _write_again(folder: int, name: str, data: bytes, mode: int) -> None:
    temporary = disk.make_temporary_name(name)
    disk.write_new(temporary, data, dir_fd=folder, mode=mode)
    _rename(folder, temporary, name)


@contextlib.contextmanager
def _locked(folder: int) -> Iterator[None]:
    """Keep other processes of ours from changing a folder in the results meanwhile.

    A provider can lock it, too: then we go on after a second.
    """
    for _ in range(_LOCK_ATTEMPTS):
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_LOCK_PAUSE_SECONDS)
        except OSError:
            break  # the file system has no locks
        else:
            break
    yield  # closing the folder ends the lock


def remove_leftovers(folder: int, name: str) -> None:
    """Remove what a crash has left of a file that was to be called `name`."""
    for file in os.listdir(folder):
        if file.startswith(f".{name}.") and file.endswith(".tmp"):
            with contextlib.suppress(OSError):
                os.unlink(file, dir_fd=folder)


def _read_start(folder: int, name: str, length: int) -> bytes | None:
    """Return so much of a file, and a byte more to see that; None if it is missing.

    What is no regular file is not opened: it differs from every content, and so does
    what may not be read.
    """
    try:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if incoming.get_kind(status) is not incoming.Kind.FILE:
        return b""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        with os.fdopen(os.open(name, flags, dir_fd=folder), "rb") as file:
            return file.read(length + 1)
    except PermissionError:
        return b""


def _move_aside(folder: int, name: str) -> None:
    """Rename what the provider has put under our `name`; it replaces nothing."""
    is_file = name in (_RECEIPT, upload.REPORT_NAME)
    ending = Path(name).suffix if is_file else ""
    stem = name.removesuffix(ending)
    taken = os.listdir(folder)
    numbers = ("", *(f"-{number}" for number in range(2, len(taken) + 2)))
    candidates = (f"{stem}-earlier{number}{ending}" for number in numbers)
    _rename(folder, name, next(each for each in candidates if each not in taken))


def _rename(folder: int, name: str, new_name: str) -> None:
    os.rename(name, new_name, src_dir_fd=folder, dst_dir_fd=folder)
