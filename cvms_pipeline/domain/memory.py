"""Memory: where Arrow takes it from, and giving back what nobody uses any more.

Arrow's own allocator keeps what was freed for each thread by itself: a worker needed
up to 30 MB more for it, and now and then 10 MB more than that.  The system's is as
fast, and gives back on demand.
"""

import pyarrow as pa

_MUCH = 2_000_000
"""Twice what 5,000 usual rows take: those are faster with what is at hand."""

pa.set_memory_pool(pa.system_memory_pool())


def make_room(size: int) -> None:
    """Give what is not used back to the system, if `size` bytes more are much."""
    if size >= _MUCH:
        pa.default_memory_pool().release_unused()
