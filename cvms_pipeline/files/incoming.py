"""The incoming folder: what lies in it, and which of it is settled.

    <incoming>/<provider folder>/<lane>/<file>     dropped here
    <incoming>/<provider folder>/results/          answered here (`reports`)
    <incoming>/.claims/<upload id>/                taken, on its way (`claims`)
    <incoming>/.quarantine/<upload id>/            never let in, kept (`claims`)

Looking changes nothing, follows no link and opens nothing but regular files.
Taking what was found is `claims`; dropping something here is `providers`.
"""

import datetime as dt
import enum
import os
import stat as modes
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cvms_pipeline.domain import upload
from cvms_pipeline.files import disk, faults, names, settling

RESULTS = "results"

_LANES = frozenset(upload.Lane)


class Kind(enum.StrEnum):
    """What a directory entry is."""

    FILE = "file"
    LINK = "link"
    FOLDER = "folder"
    PIPE = "pipe"
    SOCKET = "socket"
    DEVICE = "device"


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    """Where the incoming tree lies and how it is treated.

    Attributes:
        root: The incoming folder.
        settle_seconds: How long unchanged, where a writer cannot be told.
        max_bytes: The largest file that is read.
        group: The system group that may write into the lanes, or None.
    """

    root: Path
    settle_seconds: float
    max_bytes: int = upload.MAX_BYTES
    group: str | None = None

    @property
    def claims(self) -> Path:
        """Return the folder of the files that are being taken in."""
        return self.root / ".claims"

    @property
    def quarantine(self) -> Path:
        """Return the folder of what was taken away and never read as an upload."""
        return self.root / ".quarantine"

    def settling(self, now: dt.datetime) -> settling.Settling:
        """Return how to tell what is settled at the moment `now`."""
        disk.make_folder(self.claims)
        return settling.begin(
            self.root,
            self.claims / ".clock",
            now_ns=int(now.timestamp() * 1_000_000_000),
            settle_seconds=self.settle_seconds,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    r"""Something that lies in the incoming folder.

    Attributes:
        path: Where; the only attribute with the names as they are on disk.
        folder: The provider folder's name, fit to be shown (`\xff` for odd bytes);
            equal to a slug only if the name on disk is. "" right in the root.
        lane: The lane, or None for what is misplaced: it lies where no upload is
            expected, and is left there.
        file_name: The name, fit to be shown.
        kind: What it is.
        identity: Device, inode, size, mtime: changes when somebody writes.
        seconds_left: How long until it may be settled; 0 when it is.
    """

    path: Path
    folder: str
    lane: upload.Lane | None
    file_name: str
    kind: Kind
    identity: tuple[int, ...]
    seconds_left: float

    @property
    def is_misplaced(self) -> bool:
        """Return whether it lies where no upload is expected."""
        return self.lane is None

    @property
    def is_settled(self) -> bool:
        """Return whether it can be claimed now."""
        return self.lane is not None and self.seconds_left == 0


def look(folders: Folders, *, now: dt.datetime) -> list[Found]:
    """Return what lies in the incoming folder, the longest unchanged first.

    Temporary names are passed over, `results` and our own folders too.

    Raises:
        FolderAway, FolderForbidden: The incoming folder cannot be looked into.
    """
    with faults.translated(folders.root):
        moment = folders.settling(now)
        with disk.opened_folder(folders.root, follow=True) as root:
            found = list(_in_root(folders.root, root, moment))
    return sorted(found, key=lambda each: (each.identity[-1], each.path))


def seconds_until_next(found: Iterable[Found]) -> float | None:
    """Return when looking again may find something settled; None: when all changes."""
    waits = [each.seconds_left for each in found if each.seconds_left > 0]
    return min(waits, default=None)


def kind_of(stat: os.stat_result) -> Kind:
    """Return what kind of thing `stat`, which followed no link, tells of."""
    for is_kind, kind in (
        (modes.S_ISREG, Kind.FILE),
        (modes.S_ISLNK, Kind.LINK),
        (modes.S_ISDIR, Kind.FOLDER),
        (modes.S_ISFIFO, Kind.PIPE),
        (modes.S_ISSOCK, Kind.SOCKET),
    ):
        if is_kind(stat.st_mode):
            return kind
    return Kind.DEVICE


def _in_root(path: Path, root: int, moment: settling.Settling) -> Iterator[Found]:
    for name, stat in _entries(root):
        if kind_of(stat) is not Kind.FOLDER:
            yield _misplaced(path / name, "", stat)
            continue
        try:
            with disk.opened_folder(name, dir_fd=root) as provider:
                yield from _in_provider(path / name, provider, moment)
        except FileNotFoundError:
            continue  # gone since
        except (PermissionError, NotADirectoryError):
            yield _misplaced(path / name, "", stat)  # one odd folder stops no other


def _in_provider(
    path: Path, provider: int, moment: settling.Settling
) -> Iterator[Found]:
    folder = names.shown(path.name)
    for name, stat in _entries(provider):
        if name in _LANES and kind_of(stat) is Kind.FOLDER:
            with disk.opened_folder(name, dir_fd=provider) as lane:
                yield from _in_lane(path / name, folder, lane, moment)
        elif name != RESULTS or kind_of(stat) is not Kind.FOLDER:
            yield _misplaced(path / name, folder, stat)


def _in_lane(
    path: Path, folder: str, lane: int, moment: settling.Settling
) -> Iterator[Found]:
    for name, stat in _entries(lane):
        try:
            seconds_left = moment.seconds_left(name, dir_fd=lane)
        except FileNotFoundError:
            continue  # gone since
        except OSError:
            seconds_left = settling.OPEN_SECONDS  # replaced just now: look again
        yield Found(
            path=path / name,
            folder=folder,
            lane=upload.Lane(path.name),
            file_name=names.shown(name),
            kind=kind_of(stat),
            identity=settling.identity(stat),
            seconds_left=seconds_left,
        )


def _misplaced(path: Path, folder: str, stat: os.stat_result) -> Found:
    return Found(
        path=path,
        folder=folder,
        lane=None,
        file_name=names.shown(path.name),
        kind=kind_of(stat),
        identity=settling.identity(stat),
        seconds_left=0.0,
    )


def _entries(folder: int) -> Iterator[tuple[str, os.stat_result]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if names.is_temporary(entry.name):
                continue
            try:
                yield entry.name, entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue  # gone since
