"""The history of uploads: registered once, worked on by runs, kept for good.

Here live an upload's facts, status and counts.  What an upload loads, and its
outcome, `recipients.load` writes; `rejected` has its rejected rows.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa

from cvms_pipeline import errors
from cvms_pipeline.domain import outcome, upload
from cvms_pipeline.domain import reasons as domain_reasons
from cvms_pipeline.store import engine, tables

_TABLE = tables.uploads
_LATEST_FIRST = (_TABLE.c.received_at.desc(), _TABLE.c.id.desc())


class UploadUnknown(errors.PermanentError):
    """There is no such upload."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """An upload as the store knows it.

    Attributes:
        id: The upload id.
        folder: The provider folder it was found in.
        provider: The provider's slug, or None if nobody enabled was known by it.
        lane: Its lane.
        file_name: What the provider called it; shown, never trusted.
        sha256: Of its bytes, in hexadecimal; None for what was never opened.
        size: In bytes; None likewise.
        claim_refusal: The refusal code known from the claim alone, or None.
        status: How far it has come.
        refusal: Why the whole file was refused, or None.
        encoding: As it was read, or None.
        delimiter: As it was read, or None.
        ignored_columns: Header cells that are no column of ours.
        rows: Rows in the file; always `loaded + rejected`.
        loaded: Rows that were loaded, `updated` among them.
        updated: Rows that corrected an e-mail address.
        rejected: Rows that were not loaded.
        reasons: Reason code to the number of rows that have it.
        received_at: When it was claimed.
        requested_at: When a run was last asked for.
        started_at: When its first run began.
        decided_at: When its rows were loaded or it was refused.
        failed_at: When its last run failed, while the status is `failed`.
        finished_at: When its status became a finished one, while it is.
        parent_upload: The provider's last earlier upload of the same bytes.
        rules_version: The edition of the rules that judged it.
        run_id: Its latest run.
        purged_at: When its rejected rows were purged, which only its counts tell now.
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


def register(conn: sa.Connection, received: upload.Received) -> bool:
    """Register a claimed upload; does nothing if its id is known.

    Returns:
        Whether it is newly registered.
    """
    facts = {field.name: getattr(received, field.name) for field in fields(received)}
    for name in ("folder", "file_name"):
        facts[name] = _storable(facts[name])
    return conn.execute(engine.statement("register_upload"), facts).rowcount == 1


def get(conn: sa.Connection, upload_id: str) -> Upload | None:
    """Return the upload `upload_id`, or None."""
    found = _select(conn, sa.select(_TABLE).where(_TABLE.c.id == upload_id))
    return found[0] if found else None


def recent(
    conn: sa.Connection, *, provider: str | None = None, limit: int
) -> Sequence[Upload]:
    """Return the latest `limit` uploads, of one provider or of all; latest first."""
    query = sa.select(_TABLE).order_by(*_LATEST_FIRST).limit(limit)
    if provider is not None:
        query = query.where(_TABLE.c.provider == provider)
    return _select(conn, query)


def by_status(
    conn: sa.Connection, status: upload.UploadStatus, *, limit: int = 100
) -> Sequence[Upload]:
    """Return up to `limit` uploads with this status; oldest first."""
    query = sa.select(_TABLE).where(_TABLE.c.status == status)
    return _select(conn, query.order_by("received_at", "id").limit(limit))


def failed(conn: sa.Connection, *, limit: int = 100) -> Sequence[Upload]:
    """Return the uploads whose last run failed; oldest first."""
    return by_status(conn, upload.UploadStatus.FAILED, limit=limit)


def same_bytes(conn: sa.Connection, provider: str, sha256: str) -> Sequence[Upload]:
    """Return the provider's uploads with these bytes; latest first."""
    is_same = (_TABLE.c.provider == provider) & (_TABLE.c.sha256 == sha256)
    return _select(conn, sa.select(_TABLE).where(is_same).order_by(*_LATEST_FIRST))


def awaiting_run(
    conn: sa.Connection,
    *,
    limit: int,
    asked_before: dt.datetime | None = None,
    asked_after: dt.datetime | None = None,
    queued: Collection[str] = (),
    full: Collection[tuple[str, str]] = (),
) -> Sequence[Upload]:
    """Return uploads that no run has begun, the first to be worked on first.

    Each provider has its turn with one upload, low volume before high volume, then
    in the order they were received.  Those for which a run has been asked
    (`note_requested`) come last, and only if before `asked_before` or after
    `asked_after`; not those that are `queued`, nor who is in the lanes `full`.
    """
    was_asked: sa.ColumnElement[bool] = _TABLE.c.requested_at.is_not(None)
    if asked_before is not None:
        was_asked &= _TABLE.c.requested_at >= asked_before
    if asked_after is not None:
        was_asked &= _TABLE.c.requested_at <= asked_after
    whose = sa.tuple_(sa.func.coalesce(_TABLE.c.provider, "unknown"), _TABLE.c.lane)
    order = (_TABLE.c.lane == upload.Lane.HIGH_VOLUME, "received_at", "id")
    turn = sa.func.row_number().over(partition_by=_TABLE.c.folder, order_by=order)
    query = sa.select(_TABLE).where(
        _TABLE.c.status == upload.UploadStatus.RECEIVED,
        ~was_asked & _TABLE.c.id.not_in(queued) & whose.not_in(full),
    )
    query = query.order_by(_TABLE.c.requested_at.is_not(None), turn, *order)
    return _select(conn, query.limit(limit))


def unfinished(conn: sa.Connection, *, limit: int = 500) -> list[str]:
    """Return the ids of uploads for which a run was asked and which are not done.

    Those that are worked on or have failed, then those that no run has begun.
    """
    statuses = upload.UploadStatus
    is_open = _TABLE.c.status.in_(
        [statuses.PROCESSING, statuses.FAILED, statuses.RECEIVED]
    )
    order = (_TABLE.c.status == statuses.RECEIVED, "received_at", "id")
    query = sa.select(_TABLE.c.id).where(is_open, _TABLE.c.requested_at.is_not(None))
    return list(conn.scalars(query.order_by(*order).limit(limit)))


def note_requested(
    conn: sa.Connection, ids: Sequence[str], *, now: dt.datetime
) -> None:
    """Note that a run has been asked for each of these uploads."""
    _change(conn, _TABLE.c.id.in_(ids), requested_at=now)


def start(
    conn: sa.Connection, upload_id: str, *, now: dt.datetime, run_id: str
) -> None:
    """Note that the run `run_id` works on the upload.

    The status becomes `processing`, unless it has been decided before: then the
    run only looks again.

    Raises:
        UploadUnknown: If there is no such upload.
    """
    is_open = _TABLE.c.decided_at.is_(None)
    is_known = _change(
        conn,
        _TABLE.c.id == upload_id,
        run_id=run_id,
        started_at=sa.func.coalesce(_TABLE.c.started_at, now),
        failed_at=sa.case((is_open, None), else_=_TABLE.c.failed_at),
        status=sa.case(
            (is_open, upload.UploadStatus.PROCESSING.value), else_=_TABLE.c.status
        ),
    )
    if not is_known:
        raise unknown(upload_id)


def mark_failed(
    conn: sa.Connection, upload_id: str, *, now: dt.datetime, if_open: bool = False
) -> bool:
    """Note that the upload's last run failed.

    With `if_open`, only if the upload has neither been finished nor failed.

    Returns:
        Whether the status is `failed` now.
    """
    is_meant: sa.ColumnElement[bool] = _TABLE.c.id == upload_id
    if if_open:
        is_meant &= _TABLE.c.finished_at.is_(None) & _TABLE.c.failed_at.is_(None)
    status = upload.UploadStatus.FAILED.value
    return _change(conn, is_meant, status=status, failed_at=now, finished_at=None)


def mark_recovered(conn: sa.Connection, upload_id: str, *, now: dt.datetime) -> bool:
    """Give a failed upload that was decided the status that its counts say.

    Returns:
        Whether there was anything to put right.
    """
    is_meant = (
        (_TABLE.c.id == upload_id)
        & (_TABLE.c.status == upload.UploadStatus.FAILED)
        & _TABLE.c.decided_at.is_not(None)
    )
    for found in _select(conn, sa.select(_TABLE).where(is_meant).with_for_update()):
        status = recorded_outcome(found).status.value
        _change(conn, is_meant, status=status, failed_at=None, finished_at=now)
        return True
    return False


def lock(conn: sa.Connection, upload_id: str) -> Upload:
    """Return the upload, which no one else can change until the transaction ends.

    Raises:
        UploadUnknown: If there is no such upload.
    """
    query = sa.select(_TABLE).where(_TABLE.c.id == upload_id).with_for_update()
    for found in _select(conn, query):
        return found
    raise unknown(upload_id)


def recorded_outcome(decided: Upload) -> outcome.Outcome:
    """Return the outcome that the store holds of a decided upload."""
    names = (field.name for field in fields(outcome.Outcome))
    return outcome.Outcome(**{name: getattr(decided, name) for name in names})


def unknown(upload_id: str) -> UploadUnknown:
    """Return the error that names the upload."""
    return UploadUnknown(f"There is no upload {upload_id!r}. See `cvms uploads`.")


def _change(
    conn: sa.Connection, is_meant: sa.ColumnElement[bool], **values: object
) -> bool:
    return conn.execute(sa.update(_TABLE).where(is_meant).values(values)).rowcount > 0


def _select(conn: sa.Connection, query: sa.Select[Any]) -> list[Upload]:
    return [_upload(row._mapping) for row in conn.execute(query)]


def _upload(row: Mapping[Any, Any]) -> Upload:
    facts = dict(row)
    refusal = {n: facts.pop(f"refusal_{n}") for n in ("code", "message")}
    facts["refusal"] = domain_reasons.Refusal(**refusal) if refusal["code"] else None
    facts["lane"] = upload.Lane(facts["lane"])
    facts["status"] = upload.UploadStatus(facts["status"])
    facts["ignored_columns"] = tuple(facts["ignored_columns"])
    counts = facts["reasons"]
    facts["reasons"] = {c: counts[c] for c in domain_reasons.REASONS if c in counts}
    return Upload(**facts)


def _storable(text: str) -> str:
    """Return a file's name without what UTF-8 cannot say (bytes that were none)."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
