"""Reading cases: one's own, the queue of staff, and the files of both.

What a requester reads holds no internal note.  The audit records what staff read.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from cvms_pipeline.database import engine
from cvms_pipeline.domain.vocabulary import audit_events
from cvms_pipeline.domain.vocabulary import cases as vocabulary
from cvms_pipeline.store import audit
from cvms_pipeline.store.help_desk import activity, case_files, cases, queue
from cvms_pipeline.use_cases import pipelines
from cvms_pipeline.use_cases.help_desk import attaching, people

Activity = activity.Activity
Case = cases.Case
CaseClosed = cases.CaseClosed
CaseFile = case_files.CaseFile
CaseLine = queue.CaseLine
CasePage = queue.CasePage
CaseUnknown = cases.CaseUnknown
FileUnknown = case_files.FileUnknown
StaleCase = cases.StaleCase
Wanted = queue.Wanted
NOBODY = queue.NOBODY
MAX_COUNTED = queue.MAX_COUNTED
PAGE = queue.PAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView(cases.Case):
    """A case with what has happened to it, the earliest first, and its files."""

    is_overdue: bool
    activity: Sequence[Activity]
    files: Sequence[CaseFile]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePage(queue.CasePage):
    """A page of the queue; `counts` is by state, `total` is how many match.

    `MAX_COUNTED` stands for so many or more.
    """

    counts: Mapping[vocabulary.State, int]
    total: int


def get_own_case(
    pipeline: pipelines.Pipeline, number: int, *, by: people.Person
) -> CaseView:
    """Return a case of the person, or of the provider whose manager this is.

    Raises:
        CaseUnknown: If it is somebody else's, or there is none.
    """
    with pipeline.store.begin() as conn:
        return _view(conn, pipeline, find_own(conn, number, by=by), is_for_staff=False)


def list_own_cases(
    pipeline: pipelines.Pipeline,
    *,
    by: people.Person,
    after: int | None = None,
    before: int | None = None,
) -> CasePage:
    """Return a page of the cases that a requester may see, the latest first."""
    with pipeline.store.begin() as conn:
        return queue.list_own(
            conn,
            requester=by.account_id,
            provider=by.provider,
            overdue_before=get_overdue_limit(pipeline),
            after=after,
            before=before,
        )


def get_case(
    pipeline: pipelines.Pipeline, number: int, *, by: people.Person | None = None
) -> CaseView:
    """Return a case for staff; the audit records that it was read.

    `by` is who of the help desk reads it, or None for the command line.

    Raises:
        CaseUnknown: If there is none.
    """
    with pipeline.store.begin() as conn:
        found = cases.get(conn, number)
        record(conn, audit_events.Event.CASE_READ, found, by)
        return _view(conn, pipeline, found, is_for_staff=True)


def list_queue(
    pipeline: pipelines.Pipeline, wanted: Wanted, *, limit: int = PAGE
) -> QueuePage:
    """Return a page of the queue of staff, the longest waiting first.

    It has `limit` cases at most.
    """
    before = get_overdue_limit(pipeline)
    with pipeline.store.begin() as conn:
        page, total = queue.list_queue(conn, wanted, overdue_before=before, limit=limit)
        counts = queue.count_states(conn)
    return QueuePage(
        lines=page.lines,
        has_before=page.has_before,
        has_after=page.has_after,
        counts=counts,
        total=total,
    )


def list_cases_of_upload(
    pipeline: pipelines.Pipeline, upload_id: str, *, by: people.Person
) -> Mapping[int, bool]:
    """Return the numbers of the cases that are about an upload, or brought it.

    With each, whether the person may open it.
    """
    with pipeline.store.begin() as conn:
        found = queue.list_of_upload(conn, upload_id)
        return {n: by.is_staff or _is_own(cases.get(conn, n), by) for n in found}


def read_file(
    pipeline: pipelines.Pipeline, number: int, file_id: str, *, by: people.Person
) -> attaching.AttachedFile:
    """Return a file of a case that the person may see; the audit records it.

    Raises:
        CaseUnknown: If it is somebody else's case.
        FileUnknown: If it has no such file, or it was removed.
    """
    with pipeline.store.begin() as conn:
        found = (
            cases.get(conn, number) if by.is_staff else find_own(conn, number, by=by)
        )
        file = case_files.get(conn, number, file_id)
        record(conn, audit_events.Event.CASE_FILE_READ, found, by, file=file_id)
    return attaching.read(pipeline, file)


def find_own(conn: engine.Connection, number: int, *, by: people.Person) -> Case:
    """Return a case that a requester may see.

    Raises:
        CaseUnknown: If it is somebody else's, or there is none.
    """
    found = cases.get(conn, number)
    if not _is_own(found, by):
        raise CaseUnknown
    return found


def _is_own(case: Case, by: people.Person) -> bool:
    """Return whether somebody has asked for a case, or is of its provider."""
    is_colleague = bool(by.provider) and case.provider == by.provider
    return is_colleague or case.requester == by.account_id


def record(
    conn: engine.Connection,
    event: audit_events.Event,
    case: Case,
    by: people.Person | None,
    **details: object,
) -> None:
    """Write into the audit what was done with a case, by ids alone."""
    account = {} if by is None else {"account": by.account_id}
    facts = {"case": case.number, **account, **details}
    audit.write(conn, [audit.Note(event=event, provider=case.provider, details=facts)])


def get_overdue_limit(pipeline: pipelines.Pipeline) -> dt.datetime:
    """Return since when a case must have waited for staff to be overdue."""
    return pipeline.now() - pipeline.answered_within


def _view(
    conn: engine.Connection,
    pipeline: pipelines.Pipeline,
    found: Case,
    *,
    is_for_staff: bool,
) -> CaseView:
    waiting_since = found.waiting_since
    return CaseView(
        **asdict(found),
        is_overdue=waiting_since is not None
        and waiting_since < get_overdue_limit(pipeline),
        activity=activity.list_of_case(conn, found.number, with_internal=is_for_staff),
        files=case_files.list_of_case(conn, found.number),
    )
