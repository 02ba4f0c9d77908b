"""Pauses of claims: a file that may not be read yet is tried again later.

    <incoming>/.claims/<upload id>/paused     its mtime: when the file is tried again

A pause is as long as the claim has existed, so that pauses grow, until the file is
given up.  Everything else about claims is in `claims`.
"""

import datetime as dt
import os
from pathlib import Path

from cvms_pipeline import errors
from cvms_pipeline.domain.vocabulary import upload

_NAME = "paused"
_SHORTEST_SECONDS = 1.0
_GIVE_UP_SECONDS = 120.0


class NotReadableYet(errors.TransientError):
    """A claimed file may not be read; it is retried after a pause."""


def is_readable(path: Path, claimed_at: dt.datetime, *, now: dt.datetime) -> bool:
    """Return whether we may read a claimed file; False when it is given up.

    Raises:
        NotReadableYet: We may not, and the claim in its folder is paused.
    """
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK))
    except PermissionError:
        age = (now - claimed_at).total_seconds()
        if age >= _GIVE_UP_SECONDS:
            return False
        pause(path.parent, until=now.timestamp() + max(age, _SHORTEST_SECONDS))
        raise NotReadableYet from None
    return True


def list_due(claims: Path, *, now: dt.datetime) -> list[Path]:
    """Return the folders of claims that are not paused at the moment `now`.

    Those that never were paused are first, then the oldest.
    """
    folders = [each for each in claims.iterdir() if upload.is_id(each.name)]
    left = {each: _get_seconds_left(each, now) for each in folders}
    due = [each for each, seconds in left.items() if not seconds]
    return sorted(due, key=lambda each: (left[each] is not None, each.name))


def pause(claim: Path, *, until: float) -> None:
    """Let the claim in this folder be tried again at `until`, in Unix seconds."""
    (claim / _NAME).touch()
    os.utime(claim / _NAME, (until, until))


def _get_seconds_left(claim: Path, now: dt.datetime) -> float | None:
    """Return for how long a claim is still paused; None if it never was."""
    try:
        until = (claim / _NAME).stat().st_mtime
    except FileNotFoundError:
        return None
    seconds = until - now.timestamp()
    # No pause is longer: then the clock has been set back since.
    return max(0.0, seconds) if seconds <= _GIVE_UP_SECONDS else 0.0
