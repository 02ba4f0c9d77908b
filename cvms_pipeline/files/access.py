"""Access to folders: what prevents it, and who must not have it.

Here an `OSError` becomes an error of the pipeline; the name of a provider's file, which
may hold personal data, is not part of it.  Folders with personal data and files with a
secret are closed to other users of the machine; the caller names them, and nothing
here changes their permissions.  Errors that one module alone raises are in that module.
"""

import contextlib
import errno
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from cvms_pipeline import errors
from cvms_pipeline.domain.vocabulary import faults


class FolderAway(errors.TransientError):
    """A folder cannot be reached."""


class DiskFull(errors.TransientError):
    """A disk is full."""


class FolderForbidden(errors.TransientError):
    """A folder may not be read or written."""


class FolderElsewhere(errors.PermanentError):
    """A folder is on another file system than the folder around it."""


class OpenToOthers(errors.PermanentError):
    """Other users of this machine get at personal data or a secret."""


@contextlib.contextmanager
def translate_errors(folder: Path) -> Iterator[None]:
    """Turn an `OSError` inside the block into an error that names only `folder`.

    Raises:
        FolderAway: The disk or the network share does not answer.
        DiskFull: There is no room left.
        FolderForbidden: Our user lacks a permission, or the folder is read-only.
        FolderElsewhere: A rename would have had to cross file systems.
    """
    try:
        yield
    except OSError as error:
        error.filename = error.filename2 = None  # tracebacks show the cause, too
        raise _translate(error.errno or 0, folder) from None


def check_closed(forbidden: Mapping[Path, int]) -> None:
    """Check that no folder or file has a permission bit that is forbidden for it.

    Args:
        forbidden: Bits such as `stat.S_IRWXO` for each path; a missing path is closed.

    Raises:
        OpenToOthers: Names everything that is open, with the command that closes it.
    """
    remedies = [
        _describe_remedy(path, bits)
        for path, bits in forbidden.items()
        if path.exists() and path.stat().st_mode & bits
    ]
    if remedies:
        what = "Other users of this machine get at personal data or a secret. Run:"
        raise OpenToOthers("\n".join([what, *remedies]))


def _describe_remedy(path: Path, bits: int) -> str:
    signs = zip("rwx", (stat.S_IROTH, stat.S_IWOTH, stat.S_IXOTH), strict=True)
    permissions = "".join(sign for sign, bit in signs if bits & bit)
    users = "go" if bits & stat.S_IRWXG else "o"
    return f"chmod {users}-{permissions} '{path}'"


def _translate(number: int, folder: Path) -> errors.CvmsError:
    fault = faults.find_by_errno(number)
    name = errno.errorcode.get(number, "unknown error")
    return _CLASSES.get(fault, FolderAway)(fault.describe(name, place=folder))


_CLASSES: Mapping[faults.Fault, type[errors.CvmsError]] = {
    faults.DISK_FULL: DiskFull,
    faults.DISK_READ_ONLY: FolderForbidden,
    faults.FOLDER_FORBIDDEN: FolderForbidden,
    faults.FOLDER_SPLIT: FolderElsewhere,
}
