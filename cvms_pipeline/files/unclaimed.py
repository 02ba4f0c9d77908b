"""What lies in the incoming folder and is no upload: how much, since when.

A look from outside: nothing is opened or asked whether it has settled.  What is
taken in, and when, is `incoming` and `claims`.
"""

import contextlib
import datetime as dt
import itertools
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cvms_pipeline.domain import upload
from cvms_pipeline.files import disk, faults, incoming, names

MOST_MISPLACED = 1_000
"""How many misplaced files are counted: somebody may have copied a whole disk."""

_DEPTH = 4
"""How many folders below one another are looked into: a provider's is the first."""

_PROVIDERS_OWN = frozenset({*upload.Lane, incoming.RESULTS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Unclaimed:
    """Files that wait to become uploads, and those that never will.

    Attributes:
        files: How many, those in unfinished claims included.
        oldest_at: Since when the one lies there that was changed first, or None.
        misplaced: How many lie in no lane, where nobody takes them in; at most
            MOST_MISPLACED.
        oldest_misplaced_at: The same as `oldest_at` of those.
    """

    files: int
    oldest_at: dt.datetime | None
    misplaced: int = 0
    oldest_misplaced_at: dt.datetime | None = None


def count(folders: incoming.Folders) -> Unclaimed:
    """Return how many files wait in the lanes and in unfinished claims, or lie astray.

    Since when is by the change of the inode, which a rename into the folder stamps
    and a sender's time stamp does not reach.

    Raises:
        FolderAway, FolderForbidden: The incoming folder cannot be looked into.
    """
    with (
        faults.translated(folders.root),
        disk.opened_folder(folders.root, follow=True) as root,
    ):
        stamps = [*_in_lanes(root), *_in_claims(root, folders.claims)]
        astray = list(itertools.islice(_misplaced(root), MOST_MISPLACED))
    return Unclaimed(
        files=len(stamps),
        oldest_at=_oldest(stamps),
        misplaced=len(astray),
        oldest_misplaced_at=_oldest(astray),
    )


def _oldest(stamps: Sequence[float]) -> dt.datetime | None:
    return dt.datetime.fromtimestamp(min(stamps), dt.UTC) if stamps else None


def _in_lanes(root: int) -> Iterator[float]:
    for provider in _folders(root):
        for lane in upload.Lane:
            yield from _stamps(Path(provider) / lane, root)


def _folders(root: int) -> list[str]:
    with os.scandir(root) as entries:
        found = [e.name for e in entries if e.is_dir(follow_symlinks=False)]
    return [name for name in found if not names.is_temporary(name)]


def _stamps(folder: Path, root: int) -> Iterator[float]:
    try:
        with (
            disk.opened_folder(folder, dir_fd=root) as lane,
            os.scandir(lane) as entries,
        ):
            for entry in entries:
                if not names.is_temporary(entry.name):
                    yield entry.stat(follow_symlinks=False).st_ctime
    except OSError:
        return  # gone since, or no lane


def _in_claims(root: int, claims: Path) -> Iterator[float]:
    try:
        with (
            disk.opened_folder(claims.name, dir_fd=root) as folder,
            os.scandir(folder) as entries,
        ):
            for entry in entries:
                if upload.is_id(entry.name):
                    yield entry.stat(follow_symlinks=False).st_ctime
    except FileNotFoundError:
        return  # nothing was ever claimed


def _misplaced(folder: int, depth: int = 0) -> Iterator[float]:
    """Yield the changes of what is no folder and lies in no lane, from the root on."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if names.is_temporary(entry.name):
                continue
            if not entry.is_dir(follow_symlinks=False):
                with contextlib.suppress(FileNotFoundError):  # gone since
                    yield entry.stat(follow_symlinks=False).st_ctime
            elif depth < _DEPTH and not (depth == 1 and entry.name in _PROVIDERS_OWN):
                yield from _misplaced_below(folder, entry.name, depth + 1)


def _misplaced_below(parent: int, name: str, depth: int) -> Iterator[float]:
    try:
        with disk.opened_folder(name, dir_fd=parent) as folder:
            yield from _misplaced(folder, depth)
    except OSError:
        return  # gone since, or not ours to look into
