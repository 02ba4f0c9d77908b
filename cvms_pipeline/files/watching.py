"""Waiting for a change below a folder, without asking all the time.

Only the waiting; what is there, and whether it is settled, says `incoming`.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import watchfiles
from watchfiles import _rust_notify

_GATHER_MILLISECONDS = 20
_GATHER_AT_MOST_MILLISECONDS = 100
_OURS = frozenset({".claims", ".quarantine"})


def changes(root: Path, *, pause_seconds: float) -> Iterator[bool]:
    """Yield at each change below `root`, and after each pause without one.

    What changes while the caller is busy is told at the next turn, so nothing is
    missed from the first turn on.  The first turn comes at once.

    Args:
        root: An existing folder.
        pause_seconds: The longest wait for a turn, in seconds.

    Yields:
        Whether something changed.
    """
    yield True
    while True:
        try:
            yield from _watched(root, pause_seconds)
        except _rust_notify.WatchfilesRustInternalError:
            # It cannot tell of a name that is no UTF-8; what has changed is seen.
            time.sleep(_GATHER_AT_MOST_MILLISECONDS / 1000)
            yield True
        else:
            return


def _watched(root: Path, pause_seconds: float) -> Iterator[bool]:
    watched = watchfiles.watch(
        root,
        watch_filter=_is_theirs,
        step=_GATHER_MILLISECONDS,
        debounce=_GATHER_AT_MOST_MILLISECONDS,
        rust_timeout=round(pause_seconds * 1000),
        yield_on_timeout=True,
        raise_interrupt=False,
        ignore_permission_denied=True,
    )
    for found in watched:
        yield bool(found)


def _is_theirs(_change: watchfiles.Change, path: str) -> bool:
    """Return whether a provider's doing; ours would wake us for nothing, for ever."""
    return _OURS.isdisjoint(path.split("/"))
