"""The incoming folder: which files are in it, and which of them are settled.

    <incoming>/<provider folder>/<lane>/<file>     dropped by a provider
    <incoming>/<provider folder>/results/          outcomes for it (`reports`)
    <incoming>/.claims/<upload id>/                claimed (`claims`)
    <incoming>/.quarantine/<upload id>/            never accepted, kept (`claims`)
    <incoming>/.notes/                             which notes were written (`notes`)

The name of a lane may be written with other separators and in capitals: `Low Volume`.
A scan changes nothing, follows no link and opens only regular files.  Files that were
found are claimed by `claims`; files are dropped by `provider_folders`.
"""

import datetime as dt
import enum
import os
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cvms_pipeline import disk
from cvms_pipeline.domain.text import display
from cvms_pipeline.domain.vocabulary import upload
from cvms_pipeline.files import access, names, settling

RESULTS = "results"

_SEPARATORS = re.compile(r"[\W_]+")
_LANES = {_SEPARATORS.sub("", lane): lane for lane in upload.Lane}


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
    """The incoming folder and how its files are treated.

    Attributes:
        root: The incoming folder.
        settle_seconds: How long a file must not have changed where writers cannot be
            seen.
        unfinished_seconds: How long a file must not have changed that seems unfinished.
        growing: What earlier scans have seen of files that seem unfinished.
        max_bytes: The largest file that is read.
        group: The system group that may write into the lanes, or None.
    """

    root: Path
    settle_seconds: float
    unfinished_seconds: float = 0.0
    max_bytes: int = upload.MAX_BYTES
    group: str | None = None
    growing: settling.GrowingFiles = field(
        default_factory=settling.GrowingFiles, compare=False, repr=False
    )

    @property
    def claims(self) -> Path:
        """Return the folder of the files that are being received."""
        return self.root / ".claims"

    @property
    def quarantine(self) -> Path:
        """Return the folder of what was claimed and is never read as an upload."""
        return self.root / ".quarantine"

    @property
    def notes(self) -> Path:
        """Return the folder that records what providers were advised."""
        return self.root / ".notes"

    def make_settle_check(self, now: dt.datetime) -> settling.SettleCheck:
        """Return the check for what is settled at the moment `now`."""
        disk.make_folder(self.claims)
        return settling.make_check(
            self.root,
            self.claims / ".clock",
            now_ns=int(now.timestamp() * 1_000_000_000),
            settle_seconds=self.settle_seconds,
            unfinished_seconds=self.unfinished_seconds,
            growing=self.growing,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    r"""Something in the incoming folder.

    Attributes:
        path: Its path; the only attribute with the names as they are on disk.
        folder: The name of the provider's folder, fit to be shown (`\xff` for a byte
            that is not UTF-8); equal to a slug only if the name on disk is.  "" for
            what is directly in the root.
        lane: The lane, or None for what is misplaced: it is where no upload is
            expected, and stays there.
        file_name: The name, fit to be shown.
        kind: Whether it is a file, a folder, a link ...
        identity: Device, inode, size, mtime: changes when somebody writes.
        seconds_left: How many seconds until it may be settled; 0 when it is.
        is_fixed: Whether it cannot be moved: a folder that we may not write to.
    """

    path: Path
    folder: str
    lane: upload.Lane | None
    file_name: str
    kind: Kind
    identity: tuple[int, ...]
    seconds_left: float
    is_fixed: bool = False

    @property
    def is_misplaced(self) -> bool:
        """Return whether it is where no upload is expected."""
        return self.lane is None

    @property
    def is_settled(self) -> bool:
        """Return whether it can be claimed now."""
        return self.lane is not None and self.seconds_left == 0


def scan(folders: Folders, *, now: dt.datetime) -> list[Entry]:
    """Return everything in the incoming folder, the longest unchanged first.

    Names that are not taken in are ignored, and so are `results` and our own folders.

    Raises:
        FolderAway, FolderForbidden: The incoming folder cannot be listed.
    """
    with access.translate_errors(folders.root):
        check = folders.make_settle_check(now)
        with disk.open_folder(folders.root, follow=True) as root:
            found = list(_scan_root(folders.root, root, check))
    folders.growing.keep_only(each.identity for each in found)
    return sorted(found, key=lambda each: (each.identity[-1], each.path))


def find_lane(name: str) -> upload.Lane | None:
    """Return the lane that a folder called `name` is, or None.

    Upper and lower case are the same; spaces and punctuation do not matter.
    """
    return _LANES.get(_SEPARATORS.sub("", name.casefold()))


def is_known(name: str) -> bool:
    """Return whether a folder in a provider's folder is a lane or its results."""
    return name == RESULTS or find_lane(name) is not None


def find_results(folders: Folders, path: Path) -> str:
    """Return the folder in a provider's results that contains `path`, or ""."""
    match path.relative_to(folders.root).parts:
        case (_, name, folder, _) if name == RESULTS:
            return folder
    return ""


def get_kind(status: os.stat_result) -> Kind:
    """Return the kind of what has this `status`, for which no link was followed."""
    for is_kind, kind in (
        (stat.S_ISREG, Kind.FILE),
        (stat.S_ISLNK, Kind.LINK),
        (stat.S_ISDIR, Kind.FOLDER),
        (stat.S_ISFIFO, Kind.PIPE),
        (stat.S_ISSOCK, Kind.SOCKET),
    ):
        if is_kind(status.st_mode):
            return kind
    return Kind.DEVICE


def _scan_root(path: Path, root: int, check: settling.SettleCheck) -> Iterator[Entry]:
    for name, status in _list_entries(root, names.may_be_upload):
        if get_kind(status) is not Kind.FOLDER:
            yield make_entry(path / name, "", status)
            continue
        try:
            with disk.open_folder(name, dir_fd=root) as provider:
                yield from _scan_provider(path / name, provider, check)
        except FileNotFoundError:
            continue  # removed since
        except (PermissionError, NotADirectoryError):
            yield make_entry(path / name, "", status)  # others are still read


def _scan_provider(
    path: Path, provider: int, check: settling.SettleCheck
) -> Iterator[Entry]:
    folder = display.escape_hidden(path.name)
    for name, status in _list_entries(provider, names.may_be_upload):
        lane = find_lane(name)
        if lane is not None and get_kind(status) is Kind.FOLDER:
            with disk.open_folder(name, dir_fd=provider) as opened:
                yield from _scan_lane(path / name, folder, lane, opened, check)
        elif name != RESULTS or get_kind(status) is not Kind.FOLDER:
            yield make_entry(path / name, folder, status)


def _scan_lane(
    path: Path,
    folder: str,
    lane: upload.Lane,
    opened: int,
    check: settling.SettleCheck,
) -> Iterator[Entry]:
    for name, status in _list_entries(opened, names.is_upload):
        try:
            seconds_left = check.seconds_left(name, dir_fd=opened)
        except FileNotFoundError:
            continue  # removed since
        except OSError:
            seconds_left = settling.OPEN_SECONDS  # replaced since: check it again
        is_fixed = _is_fixed(name, status, opened)
        yield make_entry(
            path / name, folder, status, lane, seconds_left, is_fixed=is_fixed
        )


def _is_fixed(name: str, status: os.stat_result, lane: int) -> bool:
    """Return whether it is a folder that only its owner can move to another folder."""
    if get_kind(status) is not Kind.FOLDER:
        return False
    return not os.access(name, os.W_OK, dir_fd=lane, effective_ids=True)


def make_entry(
    path: Path,
    folder: str,
    status: os.stat_result,
    lane: upload.Lane | None = None,
    seconds_left: float = 0.0,
    *,
    is_fixed: bool = False,
) -> Entry:
    """Return the entry at `path`; `folder` is fit to be shown, see `Entry`."""
    return Entry(
        path=path,
        folder=folder,
        lane=lane,
        file_name=display.escape_hidden(path.name),
        kind=get_kind(status),
        identity=settling.get_identity(status),
        seconds_left=seconds_left,
        is_fixed=is_fixed,
    )


def _list_entries(
    folder: int, is_wanted: Callable[[str], bool]
) -> Iterator[tuple[str, os.stat_result]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if not is_wanted(entry.name):
                continue
            try:
                yield entry.name, entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue  # removed since
