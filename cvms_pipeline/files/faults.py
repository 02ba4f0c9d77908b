"""What can be wrong with a folder, said once for every folder of ours.

Here an `OSError` becomes one of our errors; the name of a provider's file, which
may hold personal data, does not survive that.  Errors that one module alone
raises live in that module.
"""

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

from cvms_pipeline import errors

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


class FolderAway(errors.TransientError):
    """A folder cannot be reached."""


class DiskFull(errors.TransientError):
    """A disk is full."""


class FolderForbidden(errors.TransientError):
    """A folder may not be read or written."""


class FolderElsewhere(errors.PermanentError):
    """A folder lies on another file system than it has to."""


@contextlib.contextmanager
def translated(folder: Path) -> Iterator[None]:
    """Turn an `OSError` inside into one of ours that names `folder` only.

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
        raise _fault(error.errno or 0, folder) from None


def _fault(number: int, folder: Path) -> errors.CvmsError:
    what = errno.errorcode.get(number, "unknown error")
    if number in _FULL:
        return DiskFull(f"No room left for {folder} ({what}). Free some disk space.")
    if number in _FORBIDDEN:
        return FolderForbidden(
            f"{folder} may not be read or written ({what}). Give the service's user"
            " all permissions on it and what lies in it, or mount it read-write."
        )
    if number == errno.EXDEV:
        return FolderElsewhere(
            f"{folder} holds a mount point. Put the whole folder, with every"
            " provider's folder, on one file system."
        )
    return FolderAway(
        f"{folder} cannot be reached ({what}). Check that it exists and that its"
        " disk or network share is there."
    )
