"""Waiting for a change below a folder, without polling it.

Only the waiting; which files are there, and whether they are settled, is `incoming`.
"""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import watchfiles

from cvms_pipeline import disk

_GATHER_MILLISECONDS = 20
_MAX_GATHER_MILLISECONDS = 100
_WAKE = "/.claims/.wake"
_OWN_FOLDERS = frozenset({".claims", ".quarantine", ".notes"})


def watch_changes(root: Path, *, pause_seconds: float) -> Iterator[bool]:
    """Yield at each change below `root`, and after each pause without one.

    The first value comes at once.  A change while the caller is busy is reported by
    the next value, so that no change after the first value is missed.

    Args:
        root: An existing folder.
        pause_seconds: The longest wait for a value, in seconds.

    Yields:
        Whether something changed.
    """
    yield True
    while True:
        try:
            yield from _watch(root, pause_seconds)
        except RuntimeError:
            # watchfiles fails on a name that is not UTF-8.  The caller inspects the
            # folder itself, so it is enough to report that something has changed.
            time.sleep(_MAX_GATHER_MILLISECONDS / 1000)
            yield True
        else:
            return


def wake(root: Path) -> None:
    """Let whoever watches `root` see a change: an upload is there without a file."""
    path = Path(f"{root}{_WAKE}")
    with contextlib.suppress(OSError), disk.open_private(path, "wb") as file:
        file.write(b"\n")  # it is found without this, too, but later


def _watch(root: Path, pause_seconds: float) -> Iterator[bool]:
    watched = watchfiles.watch(
        root,
        watch_filter=_is_by_provider,
        step=_GATHER_MILLISECONDS,
        debounce=_MAX_GATHER_MILLISECONDS,
        rust_timeout=round(pause_seconds * 1000),
        yield_on_timeout=True,
        raise_interrupt=False,
        ignore_permission_denied=True,
    )
    for found in watched:
        yield bool(found)


def _is_by_provider(_change: watchfiles.Change, path: str) -> bool:
    """Return whether a provider made the change; our own would cause endless scans."""
    return path.endswith(_WAKE) or _OWN_FOLDERS.isdisjoint(path.split("/"))
