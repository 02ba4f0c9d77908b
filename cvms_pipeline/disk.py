"""Private folders and files, written so that a crash never leaves half a file.

A file appears complete or not at all, and is on the disk when the function returns.
The callers know what is in it.  An `OSError` passes through; `files.access` explains
it where the folder's purpose is known.
"""

import contextlib
import errno
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Literal, cast

PRIVATE_FOLDER_MODE = 0o700
PRIVATE_FILE_MODE = 0o600

Data = bytes | Iterable[bytes | memoryview]
"""The content of a file: bytes, or pieces of them."""

_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK})
_FOLDER = os.O_RDONLY | os.O_DIRECTORY
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW


def make_folder(folder: Path) -> None:
    """Create `folder` and its missing parents, accessible to this user only."""
    if not folder.is_dir():
        make_folder(folder.parent)
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=PRIVATE_FOLDER_MODE)
            sync_folder(folder.parent)


@contextlib.contextmanager
def open_folder(
    folder: str | Path, *, dir_fd: int | None = None, follow: bool = False
) -> Iterator[int]:
    """Open `folder`, relative to `dir_fd`; yield its descriptor.

    A symbolic link is refused with an `OSError` unless `follow` is set.
    """
    flags = _FOLDER if follow else _FOLDER | os.O_NOFOLLOW
    descriptor = os.open(folder, flags, dir_fd=dir_fd)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def open_inside(root: Path, *names: str) -> Iterator[int]:
    """Open the folder at `names` below `root`, of which none may be a link."""
    with contextlib.ExitStack() as opened:
        folder = opened.enter_context(open_folder(root, follow=True))
        for name in names:
            folder = opened.enter_context(open_folder(name, dir_fd=folder))
        yield folder


def list_names(folder: int) -> list[str]:
    """Return the names of what is in an open folder, sorted."""
    return sorted(os.listdir(folder))


def sync_folder(folder: Path | int) -> None:
    """Flush the names in `folder` to the disk, if its file system can do that."""
    if isinstance(folder, int):
        _sync(folder)
        return
    with open_folder(folder, follow=True) as descriptor:
        _sync(descriptor)


def _sync(descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):
            raise


def open_private(path: Path, mode: Literal["ab", "wb", "xb"]) -> BinaryIO:
    """Open a file for writing; a new one is private, and a symbolic link is refused."""
    return cast(BinaryIO, open(path, mode, opener=_open_private))


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, PRIVATE_FILE_MODE)


def write_new(
    name: str | Path,
    data: Data,
    *,
    dir_fd: int | None = None,
    mode: int = PRIVATE_FILE_MODE,
    owner: tuple[int, int] | None = None,
) -> None:
    """Write a file that does not exist yet, and flush it to the disk.

    Args:
        name: Its path, relative to `dir_fd`.
        data: Its content.
        dir_fd: An open folder; default: the working folder.
        mode: Its permissions once it is complete.
        owner: The ids of its user and group; default: those of this process.

    Raises:
        FileExistsError: If the name is taken, even by a symbolic link.
    """
    descriptor = os.open(name, _NEW, mode=PRIVATE_FILE_MODE, dir_fd=dir_fd)
    with os.fdopen(descriptor, "wb") as file:
        file.writelines([data] if isinstance(data, bytes) else data)
        file.flush()
        os.fchmod(descriptor, mode)
        if owner and owner[0] != os.geteuid():
            os.fchown(descriptor, *owner)
        os.fsync(descriptor)


def write(
    path: Path,
    data: Data,
    *,
    mode: int = PRIVATE_FILE_MODE,
    owner: tuple[int, int] | None = None,
) -> None:
    """Replace `path` by a file with `data`, atomically; create its folder if needed."""
    make_folder(path.parent)
    with write_beside(path, data, mode=mode, owner=owner) as temporary:
        temporary.replace(path)
    sync_folder(path.parent)


@contextlib.contextmanager
def write_beside(
    path: Path,
    data: Data,
    *,
    mode: int = PRIVATE_FILE_MODE,
    owner: tuple[int, int] | None = None,
) -> Iterator[Path]:
    """Write `data` to a temporary file beside `path`; remove it at the end, if left."""
    temporary = path.with_name(make_temporary_name(path.name))
    try:
        write_new(temporary, data, mode=mode, owner=owner)
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def add_name(source: Path, target: Path) -> bool:
    """Give `source` the name `target`, too; return False if that name is taken."""
    try:
        target.hardlink_to(source)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        return _take_name_without_links(source, target)
    return True


def _take_name_without_links(source: Path, target: Path) -> bool:
    """Reserve the name with an empty file, then rename `source` over it."""
    try:
        target.touch(mode=PRIVATE_FILE_MODE, exist_ok=False)
    except FileExistsError:
        return False
    source.replace(target)
    return True


def make_temporary_name(name: str) -> str:
    """Return a unique name for a file that gets `name` when it is complete."""
    return f".{name}.{secrets.token_hex(6)}.tmp"


def remove(path: Path) -> None:
    """Remove the file `path` and temporary files that a crash has left, if any."""
    if path.parent.is_dir():
        for leftover in path.parent.glob(f".{path.name}.*.tmp"):
            leftover.unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        sync_folder(path.parent)


def remove_if_empty(folder: Path) -> None:
    """Remove `folder` if it is empty."""
    with contextlib.suppress(OSError):
        folder.rmdir()
