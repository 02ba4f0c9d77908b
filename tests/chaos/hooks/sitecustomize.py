"""A full disk for processes that are started with this module on their path.

While the file that `CHAOS_DISK_FULL` names exists, no file can be created.
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
