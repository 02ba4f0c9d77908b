"""What lies in the incoming folder and is no upload yet: how much, since when.

A look from outside: nothing is opened or asked whether it has settled.  What is
taken in, and when, is `incoming` and `claims`.
"""

import datetime as dt
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cvms_pipeline.domain import upload
from cvms_pipeline.files import disk, faults, incoming, names


@dataclass(frozen=True, slots=True, kw_only=True)
class Unclaimed:
    """Files that wait to become uploads.

    Attributes:
        files: How many, those in unfinished claims included.
        oldest_at: Since when the one lies there that was changed first, or None.
    """

    files: int
    oldest_at: dt.datetime | None


def count(folders: incoming.Folders) -> Unclaimed:
    """Return how many files wait in the lanes and in unfinished claims.

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
    oldest = min(stamps, default=None)
    moment = None if oldest is None else dt.datetime.fromtimestamp(oldest, dt.UTC)
    return Unclaimed(files=len(stamps), oldest_at=moment)


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
