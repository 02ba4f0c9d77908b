"""Looking at an installation from outside: its processes, tables, folders, disks.

Nothing is started or changed for it, nobody is waited for long, and what cannot be
asked is said in a sentence.  What of it is bad is judged in `ingest.health`.
"""

import datetime as dt
import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from cvms_pipeline import errors
from cvms_pipeline import settings as settings_
from cvms_pipeline.files import incoming, space, unclaimed
from cvms_pipeline.ingest import health
from cvms_pipeline.local import processes, supervisor
from cvms_pipeline.store import engine, neighbours
from cvms_pipeline.store import health as stored

_PATIENCE_SECONDS = 4.0
_FOLDERS = ("data", "incoming", "archive")
_Answer = TypeVar("_Answer")


class Watcher:
    """Looks again and again; keeps one connection to the database for it."""

    def __init__(self, settings: settings_.Settings, *, own: bool = True) -> None:
        """Take the settings, and whether it is `cvms up` that runs the processes."""
        self._settings = settings
        self._is_own = own
        self._store: engine.Store | None = None

    def look(self) -> health.Seen:
        """Return how things are now."""
        faults: list[str] = []
        backlog, queue = _asked(faults, "The database", self._waiting) or (None, None)
        waiting = _asked(faults, "The incoming folder", self._unclaimed)
        spaces = [_asked(faults, f"The folder {n}", self._space, n) for n in _FOLDERS]
        return health.Seen(
            at=settings_.now(),
            processes=self._processes() if self._is_own else None,
            backlog=backlog,
            queue=queue,
            unclaimed=waiting,
            spaces=[each for each in spaces if each is not None],
            faults=faults,
        )

    def close(self) -> None:
        """Close the connection."""
        if self._store is not None:
            self._store.close()

    def _processes(self) -> list[health.Process]:
        found = {f["name"]: f for f in supervisor.process_facts(self._settings.data)}
        wanted = processes.names(self._settings)
        return [_process(name, found.get(name)) for name in wanted]

    def _waiting(self) -> tuple[stored.Backlog, neighbours.Queue]:
        if self._store is None:
            self._store = engine.Store(self._settings.store_url, pool_size=1)
        with self._store.begin() as conn:
            return stored.backlog(conn), neighbours.queue(conn)

    def _unclaimed(self) -> unclaimed.Unclaimed:
        return unclaimed.count(
            incoming.Folders(
                root=self._settings.folder("incoming"),
                settle_seconds=self._settings.settle_seconds,
            )
        )

    def _space(self, name: str) -> space.Space:
        chosen = self._settings
        return space.of(name, chosen.data if name == "data" else chosen.folder(name))


def limits(settings: settings_.Settings) -> health.Limits:
    """Return from when on something is told of."""
    return health.Limits(
        warning_after=dt.timedelta(minutes=settings.warning_minutes),
        critical_after=dt.timedelta(minutes=settings.critical_minutes),
        warning_free_percent=settings.warning_free_percent,
        critical_free_percent=settings.critical_free_percent,
    )


def _process(name: str, facts: Mapping[str, Any] | None) -> health.Process:
    if facts is None:
        return health.Process(
            name=name, state=health.NOT_RUNNING, pid=None, uptime_seconds=None
        )
    return health.Process(
        name=name,
        state=facts["statename"].lower(),
        pid=facts["pid"] or None,
        uptime_seconds=facts["now"] - facts["start"] if facts["pid"] else None,
    )


def _asked(
    faults: list[str], what: str, ask: Callable[..., _Answer], *words: str
) -> _Answer | None:
    """Return the answer, or None and a sentence more in `faults`.

    A thread asks, for neither a dead server nor a dead network share lets go of
    whoever waits for it.
    """
    answers: list[_Answer] = []

    def answer() -> None:
        try:
            answers.append(ask(*words))
        except errors.CvmsError as error:
            faults.append(str(error))

    asking = threading.Thread(target=answer, daemon=True)
    told = len(faults)
    asking.start()
    asking.join(_PATIENCE_SECONDS)
    if not answers and len(faults) == told:
        faults.append(f"{what} does not answer within {_PATIENCE_SECONDS:.0f} seconds.")
    return answers[0] if answers else None
