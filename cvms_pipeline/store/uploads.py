"""The history of uploads: registered once, worked on by runs, kept permanently.

Here live an upload's facts, status and counts.  What decides an upload is `loading`;
its rejected rows are `rejected_rows`.
"""

import datetime as dt
import functools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa

from cvms_pipeline import errors
from cvms_pipeline.database import engine, tables
from cvms_pipeline.domain.reporting import outcome
from cvms_pipeline.domain.text import display
from cvms_pipeline.domain.vocabulary import likeness, upload
from cvms_pipeline.domain.vocabulary import reasons as domain_reasons

_statement = engine.load_statements(__package__)
_TABLE = tables.uploads
NO_FAILURE = dict.fromkeys(("failed_run", "failed_step", "failure"))
_KINDS: dict[str, Any] = {"lane": upload.Lane, "status": upload.UploadStatus}
_LISTS = ("ignored_columns", "remarks", "parents", "children")
_KINDS |= {"sent_from": upload.Way, **dict.fromkeys(_LISTS, tuple)}


class UploadUnknown(errors.PermanentError):
    """There is no such upload."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """An upload as the store knows it; a time is None until it has come.

    Attributes:
        provider: The provider's slug, or None if no enabled provider has the folder.
        file_name: As the provider wrote it, fit to be shown; not to be trusted.
        claim_refusal, refusal: Why the file was refused; the code from the claim alone.
        refused_rows: The rows of a refused file, or None if they were not counted.
        loaded: Rows that were loaded, `updated` (corrected addresses) among them.
        requested_at: When a run was last requested; `started_at`: the first began.
        decided_at: When its rows were loaded or it was refused.
        failed_at: When its last run failed, while the status is `failed`.
        failed_run: That run; `failed_step` is the step, as far as known.
        failure: Why it failed, or without `failed_run` why the step is tried again.
        delayed_at: When its receipt said so first; `delay_mailed_at`: when a mail.
        finished_at: When its status became a finished one, while it is.
        parent_upload: The provider's last earlier upload of the same bytes.
        purged_at: When its rejected rows were purged; their counts remain.
        sent_from: How it came; `sent_by` is the id of the portal's account, if any.
        outstanding: Its rejected rows that nobody has brought back or `dismissed`.
        passwords_set: How many of those whom it has loaded have set a password.
        registered: How many of them have registered.
        parents: The uploads of which it brings back rows; `children` bring back its.
        withdrawn_at: When it was withdrawn as a whole, and `withdrawn_why`.
        may_bring_back: For `lock` alone: whether others have outstanding rows.
    """

    id: str
    folder: str
    provider: str | None
    lane: upload.Lane
    file_name: str
    sha256: str | None
    size: int | None
    claim_refusal: str | None
    status: upload.UploadStatus
    refusal: domain_reasons.Refusal | None
    encoding: str | None
    delimiter: str | None
    ignored_columns: tuple[str, ...]
    rows: int
    loaded: int
    updated: int
    rejected: int
    reasons: Mapping[str, int]
    received_at: dt.datetime
    requested_at: dt.datetime | None
    started_at: dt.datetime | None
    decided_at: dt.datetime | None
    failed_at: dt.datetime | None
    finished_at: dt.datetime | None
    parent_upload: str | None
    rules_version: str | None
    run_id: str | None
    purged_at: dt.datetime | None
    delayed_at: dt.datetime | None = None
    delay_mailed_at: dt.datetime | None = None
    refused_rows: int | None = None
    remarks: tuple[str, ...] = ()
    origin: upload.ReportOrigin | None = None
    possible_duplicates: Sequence[likeness.PossibleDuplicate] = ()
    failed_run: str | None = None
    failed_step: str | None = None
    failure: str | None = None
    sent_from: upload.Way = upload.Way.FOLDER
    sent_by: str | None = None
    outstanding: int = 0
    dismissed: int = 0
    passwords_set: int = 0
    registered: int = 0
    parents: tuple[str, ...] = ()
    children: tuple[str, ...] = ()
    withdrawn_at: dt.datetime | None = None
    withdrawn_why: str | None = None
    may_bring_back: bool = False

    @property
    def outcome(self) -> outcome.Outcome:
        """Return the recorded outcome of a decided upload."""
        names = (field.name for field in fields(outcome.Outcome))
        return outcome.Outcome(**{name: getattr(self, name) for name in names})

    @property
    def has_failed(self) -> bool:
        """Return whether its last run failed, so that data-ops have to repeat it."""
        return self.status is upload.UploadStatus.FAILED


def register(conn: sa.Connection, received: upload.ReceivedUpload) -> bool:
    """Register a claimed upload; return False if it was registered before."""
    facts = {field.name: getattr(received, field.name) for field in fields(received)}
    for name in ("folder", "file_name"):
        facts[name] = display.make_storable(facts[name])
    return conn.execute(_statement("register_upload"), facts).rowcount == 1


def find_known(conn: sa.Connection, upload_ids: Collection[str]) -> set[str]:
    """Return those of the ids that are registered."""
    return set(conn.scalars(sa.select(_TABLE.c.id).where(_TABLE.c.id.in_(upload_ids))))


def get(conn: sa.Connection, upload_id: str, *, provider: str | None = None) -> Upload:
    """Return the upload `upload_id`, of this provider or of any.

    Raises:
        UploadUnknown: If there is none.
    """
    query = sa.select(_TABLE).where(_TABLE.c.id == upload_id)
    if provider is not None:
        query = query.where(_TABLE.c.provider == provider)
    return _get_one(conn, query, upload_id)


def lock(conn: sa.Connection, upload_id: str) -> Upload:
    """Return the upload, locked against changes until the transaction ends.

    Raises:
        UploadUnknown: If there is none.
    """
    return _get_one(conn, _select_locked().params(upload_id=upload_id), upload_id)


@functools.cache
def _select_locked() -> sa.Select[Any]:
    """Return the query of `lock`, made once: to make it takes 2 ms."""
    other = _TABLE.alias("other")
    is_chained = (other.c.provider == _TABLE.c.provider) & (other.c.outstanding > 0)
    exists = sa.exists().where(is_chained).select_from(other).label("may_bring_back")
    query = sa.select(_TABLE, exists).where(_TABLE.c.id == sa.bindparam("upload_id"))
    return query.with_for_update(of=_TABLE)


def list_recent(
    conn: sa.Connection, *rules: Any, limit: int, is_reversed: bool = False
) -> Sequence[Upload]:
    """Return the latest `limit` uploads that meet all `rules`; latest first.

    With `is_reversed` the earliest ones, the earliest first.
    """
    query = sa.select(_TABLE).where(*rules).limit(limit)
    order = "received_at, id" if is_reversed else "received_at DESC, id DESC"
    return _select(conn, query.order_by(sa.text(order)))


def list_failed(conn: sa.Connection, *, limit: int = 100) -> Sequence[Upload]:
    """Return the uploads with a failed last run; oldest first."""
    query = sa.select(_TABLE).where(_TABLE.c.status == upload.UploadStatus.FAILED)
    return _select(conn, query.order_by("received_at", "id").limit(limit))


def list_withdrawn(
    conn: sa.Connection, *, since: dt.datetime, limit: int = 100
) -> Sequence[Upload]:
    """Return the uploads that were withdrawn since then; the earliest first."""
    query = sa.select(_TABLE).where(_TABLE.c.withdrawn_at >= since)
    return _select(conn, query.order_by("withdrawn_at", "id").limit(limit))


def find_awaiting_run(
    conn: sa.Connection,
    *,
    limit: int,
    now: dt.datetime | None = None,
    requested_before: dt.datetime | None = None,
    requested_after: dt.datetime | None = None,
    queued: Collection[str] = (),
    full: Collection[tuple[str, str]] = (),
) -> Sequence[Upload]:
    """Return uploads that no run has begun, in the order in which they are processed.

    Providers take turns with one upload each, low volume before high volume, then in
    the order they were received.  Uploads whose run has been requested
    (`mark_requested`) come last, and only if that was before `requested_before`, after
    `requested_after`, or after `now` (the clock was set back).  Left out are those in
    `queued`, and all in the lanes of providers (`unknown` for none) that are in `full`.
    """
    was_requested: sa.ColumnElement[bool] = _TABLE.c.requested_at.is_not(None)
    if requested_before is not None:
        was_requested &= _TABLE.c.requested_at >= requested_before
    for latest in (requested_after, now):
        if latest is not None:
            was_requested &= _TABLE.c.requested_at <= latest
    lane = sa.tuple_(sa.func.coalesce(_TABLE.c.provider, "unknown"), _TABLE.c.lane)
    order = (_TABLE.c.lane == upload.Lane.HIGH_VOLUME, "received_at", "id")
    turn = sa.func.row_number().over(partition_by=_TABLE.c.folder, order_by=order)
    query = sa.select(_TABLE).where(
        _TABLE.c.status == upload.UploadStatus.RECEIVED,
        ~was_requested & _TABLE.c.id.not_in(queued) & lane.not_in(full),
    )
    query = query.order_by(_TABLE.c.requested_at.is_not(None), turn, *order)
    return _select(conn, query.limit(limit))


def list_unfinished(conn: sa.Connection, *, limit: int = 500) -> list[str]:
    """Return the ids of unfinished uploads for which a run was requested.

    First those that are processed or have failed, then those that no run has begun.
    """
    statuses, status = upload.UploadStatus, _TABLE.c.status
    unfinished = [statuses.PROCESSING, statuses.FAILED, statuses.RECEIVED]
    is_meant = status.in_(unfinished) & _TABLE.c.requested_at.is_not(None)
    order = (status == statuses.RECEIVED, "received_at", "id")
    query = sa.select(_TABLE.c.id).where(is_meant).order_by(*order)
    return list(conn.scalars(query.limit(limit)))


def mark_requested(
    conn: sa.Connection, ids: Sequence[str], *, now: dt.datetime
) -> None:
    """Record that a run has been requested for these uploads."""
    _change(conn, _TABLE.c.id.in_(ids), requested_at=now)


def start(
    conn: sa.Connection, upload_id: str, *, now: dt.datetime, run_id: str
) -> Upload:
    """Record that the run `run_id` processes the upload, and return the upload.

    The status becomes `processing`, unless the upload was decided before: then the
    run repeats steps, and their outcome is recorded already.

    Raises:
        UploadUnknown: If there is none.
    """
    is_open = _TABLE.c.decided_at.is_(None)
    processing = upload.UploadStatus.PROCESSING.value
    started = sa.update(_TABLE).where(_TABLE.c.id == upload_id)
    names = ("failed_at", *NO_FAILURE)
    values = {
        "run_id": run_id,
        "started_at": sa.func.coalesce(_TABLE.c.started_at, now),
        **{name: sa.case((is_open, None), else_=_TABLE.c[name]) for name in names},
        "status": sa.case((is_open, processing), else_=_TABLE.c.status),
    }
    return _get_one(conn, started.values(values).returning(_TABLE), upload_id)


def mark_failed(
    conn: sa.Connection,
    upload_id: str,
    *,
    now: dt.datetime,
    if_open: bool = False,
    failure: Mapping[str, str | None] = NO_FAILURE,
) -> bool:
    """Record that the last run failed (`if_open`: unless finished or failed before)."""
    is_meant: sa.ColumnElement[bool] = _TABLE.c.id == upload_id
    if if_open:
        is_meant &= _TABLE.c.finished_at.is_(None) & _TABLE.c.failed_at.is_(None)
    values = {**NO_FAILURE, **failure, "status": upload.UploadStatus.FAILED.value}
    return _change(conn, is_meant, failed_at=now, finished_at=None, **values)


def note_retry(conn: sa.Connection, upload_id: str, *, step: str, why: str) -> None:
    """Record why a step is tried again; what a failed run has reported stays."""
    is_meant = (_TABLE.c.id == upload_id) & _TABLE.c.failed_run.is_(None)
    _change(conn, is_meant, failed_step=step, failure=why)


def mark_recovered(conn: sa.Connection, upload_id: str, *, now: dt.datetime) -> bool:
    """Give an upload that was decided the status of its outcome, without a failure.

    Return False if it has no failure or is not decided: then nothing is changed.  The
    status is that of `Outcome.status`, or `withdrawn`.
    """
    statuses = upload.UploadStatus
    status = sa.case(
        (_TABLE.c.withdrawn_at.is_not(None), statuses.WITHDRAWN.value),
        (_TABLE.c.refusal_code.is_not(None), statuses.REFUSED.value),
        (_TABLE.c.rejected > 0, statuses.COMPLETED_WITH_ERRORS.value),
        else_=statuses.COMPLETED.value,
    )
    has_failure = (_TABLE.c.status == statuses.FAILED) | _TABLE.c.failure.is_not(None)
    is_decided = _TABLE.c.decided_at.is_not(None)
    is_meant = (_TABLE.c.id == upload_id) & has_failure & is_decided
    finished_at = sa.func.coalesce(_TABLE.c.finished_at, now)
    values = {**NO_FAILURE, "failed_at": None, "finished_at": finished_at}
    return _change(conn, is_meant, status=status, **values)


def _change(
    conn: sa.Connection, is_meant: sa.ColumnElement[bool], **values: object
) -> bool:
    return conn.execute(sa.update(_TABLE).where(is_meant).values(values)).rowcount > 0


def _select(conn: sa.Connection, query: sa.Executable) -> list[Upload]:
    return [_to_upload(row._mapping) for row in conn.execute(query)]


def _get_one(conn: sa.Connection, query: sa.Executable, upload_id: str) -> Upload:
    if found := _select(conn, query):
        return found[0]
    raise UploadUnknown(f"There is no upload {upload_id!r}. See `cvms uploads`.")


def _to_upload(row: Mapping[Any, Any]) -> Upload:
    facts = dict(row)
    refusal = {n: facts.pop(f"refusal_{n}") for n in ("code", "message")}
    facts["refusal"] = domain_reasons.Refusal(**refusal) if refusal["code"] else None
    for name, kind in _KINDS.items():
        facts[name] = kind(facts[name])
    counts = facts["reasons"]
    facts["reasons"] = {c: counts[c] for c in domain_reasons.REASONS if c in counts}
    facts["origin"] = upload.read_origin(facts["origin"])
    facts["possible_duplicates"] = likeness.parse(facts["possible_duplicates"])
    return Upload(**facts)
