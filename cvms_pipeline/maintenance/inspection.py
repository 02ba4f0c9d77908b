"""Inspecting an installation from outside: tables, waiting files, free space.

Nothing is started or changed, no file is opened, and no place is waited for long: what
does not answer is described in a sentence.  What is wrong is decided in `health`; what
is taken in, and when, in `files.incoming` and `files.claims`.
"""

import contextlib
import datetime as dt
import functools
import itertools
import os
import stat
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent import futures
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import psutil

from cvms_pipeline import disk, errors
from cvms_pipeline.database import dagster_tables, engine
from cvms_pipeline.domain.vocabulary import upload
from cvms_pipeline.files import access, incoming, names
from cvms_pipeline.maintenance import health
from cvms_pipeline.store import funnel, listing
from cvms_pipeline.store.help_desk import queue as case_queue

_ANSWER_SECONDS = 4.0

_MAX_MISPLACED = 1_000
"""How many misplaced files are counted: somebody may have copied a whole disk."""

_MAX_DEPTH = 4
"""How many levels of folders are searched; a provider's folder is the first."""

_Answer = TypeVar("_Answer")
_Waiting = tuple[
    listing.Backlog, dagster_tables.QueueCounts, case_queue.Counts, Mapping[str, int]
]


@dataclass(kw_only=True)
class HealthProbe:
    """Takes snapshots, again and again, over one connection to the database.

    Attributes:
        get_url: Returns the URL of the database, or raises a `CvmsError`.
        folders: The folders to measure, by name; `incoming` is one of them.
        list_processes: Returns the processes of `cvms up`; None where something else
            runs them.
        has_mail_server: Whether messages go to a mail server, or into a Maildir.
        answered_within: After this time a case that waits for staff is overdue.
        now: Returns the time.
    """

    get_url: Callable[[], str]
    folders: Mapping[str, Path]
    list_processes: Callable[[], Sequence[health.Process]] | None
    has_mail_server: bool = True
    answered_within: dt.timedelta = dt.timedelta(days=1)
    now: Callable[[], dt.datetime]
    _store: engine.Store | None = field(default=None, init=False)

    def take_snapshot(self) -> health.HealthSnapshot:
        """Return how things are now."""
        failures: list[str] = []
        of_database: list[str] = []
        tables = _ask(of_database, "The database", self._count_waiting)
        root = self.folders["incoming"]
        folders = incoming.Folders(root=root, settle_seconds=0)
        count = functools.partial(count_incoming, folders)
        counts = _ask(failures, "The incoming folder", count)
        disks = []
        for name, folder in self.folders.items():
            measure = functools.partial(measure_space, name, folder)
            disks.append(_ask(failures, f"The folder {name}", measure))
        return health.HealthSnapshot(
            taken_at=self.now(),
            processes=self.list_processes() if self.list_processes else None,
            backlog=tables[0] if tables else None,
            queue=tables[1] if tables else None,
            cases=tables[2] if tables else None,
            recipients=tables[3] if tables else None,
            incoming=counts,
            disks=[disk for disk in disks if disk is not None],
            failures=failures,
            database_failure=of_database[0] if of_database else None,
            has_mail_server=self.has_mail_server,
        )

    def close(self) -> None:
        """Close the connection."""
        if self._store is not None:
            self._store.close()

    def _count_waiting(self) -> _Waiting:
        overdue_before = self.now() - self.answered_within
        if self._store is None:
            self._store = engine.Store(self.get_url(), pool_size=1)
        with self._store.begin() as conn:
            return (
                listing.count_backlog(conn),
                dagster_tables.count_queue(conn),
                case_queue.count(conn, overdue_before=overdue_before),
                funnel.count_totals(conn),
            )


def call_within(seconds: float, function: Callable[[], _Answer]) -> _Answer:
    """Return what a function returns, or raise what it raises, if it is quick enough.

    A dead server or network share may never answer.  A thread calls the function, for
    nothing else ends the wait; it does not keep the process from ending.

    Raises:
        TimeoutError: If it takes longer.
    """
    answer: futures.Future[_Answer] = futures.Future()

    def call() -> None:
        try:
            answer.set_result(function())
        except BaseException as error:  # `result` raises it again
            answer.set_exception(error)

    threading.Thread(target=call, daemon=True).start()
    return answer.result(timeout=seconds)


def measure_space(name: str, folder: Path) -> health.DiskSpace:
    """Return the room on the disk that `folder` is, or will be, on.

    Raises:
        FolderAway, FolderForbidden: It cannot be reached or read.
    """
    nearest = next(p for p in (folder, *folder.parents) if os.path.lexists(p))
    with access.translate_errors(folder):
        usage = psutil.disk_usage(str(nearest))
    # Not `total`: a part of that is reserved for root.
    size = usage.used + usage.free
    return health.DiskSpace(folder=name, free_bytes=usage.free, size_bytes=size)


def count_incoming(folders: incoming.Folders) -> health.IncomingCounts:
    """Count what waits in lanes and in unfinished claims, and what is misplaced.

    Ages are taken from the change time of the inode: a rename into the folder sets
    it, and a sender cannot choose it as it can the time of the last modification.

    Raises:
        FolderAway, FolderForbidden: The incoming folder cannot be read.
    """
    with (
        access.translate_errors(folders.root),
        disk.open_folder(folders.root, follow=True) as root,
    ):
        times = list(_list_waiting(root, folders.claims.name))
        misplaced = list(itertools.islice(_list_misplaced(root), _MAX_MISPLACED))
    return health.IncomingCounts(
        files=len(times),
        oldest_at=_get_oldest(times),
        misplaced=len(misplaced),
        oldest_misplaced_at=_get_oldest(misplaced),
    )


def _ask(failures: list[str], place: str, ask: Callable[[], _Answer]) -> _Answer | None:
    """Return the answer, or None and another sentence in `failures`."""
    try:
        return call_within(_ANSWER_SECONDS, ask)
    except errors.CvmsError as error:
        failures.append(str(error))
    except TimeoutError:
        failures.append(
            f"{place} does not answer within {_ANSWER_SECONDS:.0f} seconds."
        )
    return None


def _get_oldest(times: Sequence[float]) -> dt.datetime | None:
    return dt.datetime.fromtimestamp(min(times), dt.UTC) if times else None


def _list_waiting(root: int, claims: str) -> Iterator[float]:
    """Yield the change time of each entry of a lane, and of each claim."""
    yield from _list_change_times(claims, root, upload.is_id)
    for provider in filter(names.may_be_upload, os.listdir(root)):
        with contextlib.suppress(OSError), disk.open_folder(provider, dir_fd=root) as f:
            for lane in _list_lanes(f):
                yield from _list_change_times(lane, f, names.is_upload)


def _list_lanes(provider: int) -> list[str]:
    return [name for name in os.listdir(provider) if incoming.find_lane(name)]


def _list_change_times(
    folder: str, root: int, is_wanted: Callable[[str], bool]
) -> Iterator[float]:
    with (
        contextlib.suppress(OSError),  # removed meanwhile, or no folder
        disk.open_folder(folder, dir_fd=root) as descriptor,
        os.scandir(descriptor) as entries,
    ):
        for entry in entries:
            if is_wanted(entry.name):
                yield entry.stat(follow_symlinks=False).st_ctime


def _list_misplaced(root: int) -> Iterator[float]:
    """Yield the change time of each thing that is no folder and in no lane."""
    for path, folders, files, folder in os.fwalk(".", dir_fd=root):
        depth = path.count("/")
        found = [*filter(names.may_be_upload, folders)]
        # `fwalk` goes on to what is left in this list.
        folders[:] = [
            each
            for each in found
            if depth < _MAX_DEPTH and not (depth == 1 and incoming.is_known(each))
        ]
        for name in [*found, *filter(names.may_be_upload, files)]:
            with contextlib.suppress(FileNotFoundError):  # removed meanwhile
                entry = os.stat(name, dir_fd=folder, follow_symlinks=False)
                if not stat.S_ISDIR(entry.st_mode):
                    yield entry.st_ctime
