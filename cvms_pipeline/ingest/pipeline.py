"""Everything the use cases work with, opened once and handed to each of them.

Only the value; `settings` builds it, and the other modules of `ingest` use it.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from cvms_pipeline.files import archive, incoming, reports, work
from cvms_pipeline.notify import links, mailer
from cvms_pipeline.store import engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """The store, the folders and the post of one installation.

    Attributes:
        store: The Postgres store.
        folders: The incoming folder.
        archive: Where the received bytes are kept.
        reports: Where error reports are kept.
        work: Where rows lie between the steps of a run.
        mailer: Sends messages.
        links: Makes set-password links.
        sender: The `From` of every message.
        data_ops: Whom alerts go to.
        ui_url: The Dagster UI as data-ops reach it, without a closing slash.
        max_bytes: The largest file that is read.
        rejected_warning_percent: Above this share of rejected rows a check warns.
        now: Returns the time, aware, in UTC.
        zone: Whose calendar says what `today` is, and whose clock messages name.
    """

    store: engine.Store
    folders: incoming.Folders
    archive: archive.Archive
    reports: reports.Reports
    work: work.Work
    mailer: mailer.Mailer
    links: links.Links
    sender: str
    data_ops: str
    ui_url: str
    max_bytes: int
    rejected_warning_percent: float
    now: Callable[[], dt.datetime]
    zone: dt.tzinfo

    def today(self, at: dt.datetime) -> dt.date:
        """Return the calendar day at the moment `at`, by which dates are judged."""
        return at.astimezone(self.zone).date()

    def close(self) -> None:
        """Close the connections that were opened."""
        self.mailer.close()
        self.store.close()

    def __enter__(self) -> Self:
        """Return the pipeline itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections, whatever happened."""
        self.close()
