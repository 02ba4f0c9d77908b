"""Files that the user of a command names: read and written on their own account.

What a provider drops is read by `files`; nothing here reaches into its folders.
"""

import contextlib
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from cvms_pipeline import errors

STANDARD_OUTPUT = Path("-")


class FileUnusable(errors.PermanentError):
    """A file cannot be read or written."""


class FileExists(errors.PermanentError):
    """There is already a file of this name."""


def read(path: Path, *, max_bytes: int) -> bytes | None:
    """Return the bytes of a regular file, at most one more than `max_bytes`.

    What is no file (a link, a folder, a pipe, a device) is not opened, just as it
    would not be if it was dropped.

    Returns:
        The bytes, or None for what is no file.

    Raises:
        FileUnusable: If there is nothing, or it may not be read.
    """
    with _explained("read", path):
        if not stat.S_ISREG(path.lstat().st_mode):
            return None
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(path, flags)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return None
            return file.read(max_bytes + 1)


def write(path: Path, data: bytes, *, force: bool) -> Path | None:
    """Write a new file, readable by its owner alone; `-` is standard output.

    Args:
        path: Where.
        data: What.
        force: Whether a file that is there may be replaced.

    Returns:
        Where it was written, or None for standard output.

    Raises:
        FileExists: If there is one already and `force` is not set.
        FileUnusable: If it cannot be written.
    """
    if path == STANDARD_OUTPUT:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return None
    mode = os.O_TRUNC if force else os.O_EXCL
    with _explained("write", path):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | mode, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
    return path


@contextlib.contextmanager
def _explained(verb: str, path: Path) -> Iterator[None]:
    try:
        yield
    except FileExistsError:
        raise FileExists(
            f"{path} exists. Name another file, or replace it with --force."
        ) from None
    except OSError as error:
        raise FileUnusable(
            f"Cannot {verb} {path}: {error.strerror}. Check the path and that you"
            f" may {verb} it."
        ) from None


def check_readable(path: Path) -> None:
    """Check that `path` is a file, or a link to one, that may be read.

    Raises:
        FileUnusable: If it is not.
    """
    with _explained("read", path):
        if not stat.S_ISREG(path.stat().st_mode):
            raise FileUnusable(f"{path} is not a file. Name the CSV file itself.")
        path.open("rb").close()
