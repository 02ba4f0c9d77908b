"""A full disk for processes that are started with this on their path.

As long as the file that `CHAOS_DISK_FULL` names is there, no file can be made.
"""

import errno
import os

_FLAG = os.environ.get("CHAOS_DISK_FULL")
_open = os.open


def _opened(path, flags, *arguments, **options):
    if flags & os.O_CREAT and os.path.exists(_FLAG):  # noqa: PTH110 # imports nothing
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return _open(path, flags, *arguments, **options)


if _FLAG:
    os.open = _opened
