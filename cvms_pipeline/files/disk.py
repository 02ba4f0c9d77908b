"""Folders and whole files on disk: made private, written so that a crash is seen.

Every file of ours appears complete or not at all, and is on the disk when the
function returns.  What the files mean is the other modules' business, and so is
what an `OSError` is called (`faults`).
"""

import contextlib
import errno
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path

from cvms_pipeline import errors
from cvms_pipeline.domain import upload

PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600

Data = bytes | Iterable[bytes | memoryview]
"""What is written: bytes, or pieces of them."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW


class UnsafeName(errors.PermanentError):
    """A name may not become part of a path."""


def checked_id(upload_id: str) -> str:
    """Return `upload_id`, which may now become part of a path.

    Raises:
        UnsafeName: If it is no upload id.
    """
    if not upload.is_id(upload_id):
        raise UnsafeName("that is no upload id")
    return upload_id


def shelf(root: Path, upload_id: str) -> Path:
    """Return where something of an upload lies: `root`/its month/its id."""
    return root / checked_id(upload_id)[:6] / upload_id


def make_folder(folder: Path) -> None:
    """Make `folder` and its missing parents, for us alone."""
    if not folder.is_dir():
        make_folder(folder.parent)
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=PRIVATE_FOLDER)
            sync_folder(folder.parent)


@contextlib.contextmanager
def opened_folder(
    folder: str | Path, *, dir_fd: int | None = None, follow: bool = False
) -> Iterator[int]:
    """Open `folder`, seen from `dir_fd`; a link in its last place only if `follow`."""
    flags = _FOLDER if follow else _FOLDER | os.O_NOFOLLOW
    descriptor = os.open(folder, flags, dir_fd=dir_fd)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def sync_folder(folder: Path | int) -> None:
    """Bring the names in `folder` to the disk; not every file system can."""
    if isinstance(folder, int):
        _sync(folder)
        return
    with opened_folder(folder, follow=True) as descriptor:
        _sync(descriptor)


def _sync(descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):
            raise


def write_new(
    name: str, data: Data, *, dir_fd: int | None = None, mode: int = PRIVATE_FILE
) -> None:
    """Write a file that is not there yet, and bring it to the disk.

    Raises:
        FileExistsError: If anything of that name is there, a link for example.
    """
    descriptor = os.open(name, _NEW, mode=PRIVATE_FILE, dir_fd=dir_fd)
    with os.fdopen(descriptor, "wb") as file:
        file.writelines([data] if isinstance(data, bytes) else data)
        file.flush()
        os.fchmod(descriptor, mode)
        os.fsync(descriptor)


def write(path: Path, data: Data, *, mode: int = PRIVATE_FILE) -> None:
    """Write `data` to `path`, its folder included: all of it, or nothing is seen."""
    make_folder(path.parent)
    temporary = path.with_name(temporary_name(path.name))
    try:
        write_new(str(temporary), data, mode=mode)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def temporary_name(name: str) -> str:
    """Return a fresh name for what will be called `name` when it is whole."""
    return f".{name}.{secrets.token_hex(6)}.tmp"


def remove(path: Path) -> None:
    """Remove the file `path` and what a crash left of its writing, if there."""
    if path.parent.is_dir():
        for left in path.parent.glob(f".{path.name}.*.tmp"):
            left.unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        sync_folder(path.parent)


def remove_if_empty(folder: Path) -> None:
    """Remove `folder` unless something is in it."""
    with contextlib.suppress(OSError):
        folder.rmdir()
