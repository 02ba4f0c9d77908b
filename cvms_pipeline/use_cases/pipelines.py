"""The pipeline value: everything that the use cases work with.

`bootstrap` opens it from the settings; every other module of `use_cases` receives it
as its first argument.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

from cvms_pipeline.database import engine
from cvms_pipeline.domain.vocabulary import programme
from cvms_pipeline.files import archive, incoming
from cvms_pipeline.files.portal_files import reviewed
from cvms_pipeline.mail import links, mailer


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """The store, the folders and the mailer of one installation.

    Attributes:
        folders: The incoming folder.
        work: The rows between the steps of a run.
        reviews: Files that wait in the portal for their review to be decided.
        case_files: The files of cases.
        sender: The `From` of every message.
        data_ops: The address that alerts are sent to.
        help_desk: The address of the help desk, or None.
        ui_url: The Dagster UI as data-ops reach it, without a closing slash.
        spot_url: Where people find a place to be vaccinated.
        programme: What recipients see of the vaccination programme.
        delayed_after: After this time a provider is told that an upload is delayed,
            and after `delay_mailed_after` by mail.
        invitation_delay: How long the invitations of an upload that was sent in the
            portal wait, so that it can be withdrawn.
        answered_within: After this time a case that waits for staff is overdue.
        max_bytes: The size of the largest file that is read.
        rejected_warning_percent: Above this share of rejected rows a check warns.
        now: Returns the time, aware, in UTC.
        zone: The time zone of `today` and of the times in messages.
    """

    store: engine.Store
    folders: incoming.Folders
    work: archive.Work
    reviews: reviewed.Reviews
    reports: archive.Reports
    case_files: archive.Archive
    archive: archive.Archive
    mailer: mailer.Mailer
    links: links.Links
    sender: str
    data_ops: str
    help_desk: str | None
    ui_url: str
    spot_url: str
    programme: programme.Programme
    delayed_after: dt.timedelta
    delay_mailed_after: dt.timedelta
    invitation_delay: dt.timedelta
    answered_within: dt.timedelta
    max_bytes: int
    rejected_warning_percent: float
    now: Callable[[], dt.datetime]
    zone: dt.tzinfo

    def today(self, at: dt.datetime) -> dt.date:
        """Return the calendar day at the moment `at`, in the pipeline's zone."""
        return at.astimezone(self.zone).date()

    def acting_as(self, actor: str) -> Self:
        """Return the same pipeline for one user; the audit records `actor`."""
        return replace(self, store=self.store.acting_as(actor))

    def close(self) -> None:
        """Close the connections to the mail server and the store."""
        self.mailer.close()
        self.store.close()

    def __enter__(self) -> Self:
        """Return the pipeline itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close the connections, also after an error."""
        self.close()
