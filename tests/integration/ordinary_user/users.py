"""Being other users for a while, one after another, in one process."""

import contextlib
import ctypes
import encodings.ascii
import encodings.idna
import encodings.latin_1
import encodings.utf_8_sig  # noqa: F401 # now: the libraries may be closed to others
import os
from collections.abc import Iterator

SERVICE, PROVIDER = 60_001, 60_002
_PR_SET_DUMPABLE = 4


@contextlib.contextmanager
def working_as(user: int) -> Iterator[None]:
    """Do everything in the block as an ordinary user without capabilities."""
    before, groups = (os.geteuid(), os.getegid()), os.getgroups()
    os.seteuid(0)
    os.setgroups([])
    os.setegid(user)
    os.seteuid(user)
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)  # /proc/self is ours again
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(before[1])
        os.setgroups(groups)
        os.seteuid(before[0])
