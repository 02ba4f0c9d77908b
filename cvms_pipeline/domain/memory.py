"""Memory that nobody uses any more: given back before much is needed elsewhere.

Arrow and the C library each keep what was freed for themselves; after a file of absurd
size that is as much again as the file takes.
"""

import ctypes

import pyarrow as pa

_MUCH = 2_000_000
"""Twice what 5,000 usual rows take: those are faster with what is at hand."""

_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it, others do not


def make_room(size: int) -> None:
    """Give what is not used back to the system, if `size` bytes more are much."""
    if size < _MUCH:
        return
    pa.default_memory_pool().release_unused()
    if _trim is not None:
        _trim(0)
