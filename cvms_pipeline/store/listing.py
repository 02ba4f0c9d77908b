"""Lists and numbers for people, for monitoring and for retention.

Nothing is changed here, and no whole address is shown.  What is listed is written by
`outbox` and `uploads`.
"""

import contextlib
import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa

from cvms_pipeline import errors
from cvms_pipeline.database import engine, tables
from cvms_pipeline.domain.text import display
from cvms_pipeline.domain.vocabulary import upload
from cvms_pipeline.store import outbox, uploads

_statement = engine.load_statements(__package__)
_MESSAGES = tables.messages


class MessageUnknown(errors.PermanentError):
    """There is no such message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedMessage:
    """A message without its text, its addresses masked."""

    id: str
    kind: outbox.Kind
    upload_id: str | None
    to: tuple[str, ...]
    status: outbox.Status
    attempts: int
    last_error: str | None
    queued_at: dt.datetime
    next_attempt_at: dt.datetime
    sent_at: dt.datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A line that corrected an e-mail address; the earlier address is masked."""

    line: int
    old_address: str


_COMPOSED = [f.name for f in fields(outbox.ClaimedMessage) if f.name != "to"]
_MESSAGE_COLUMNS = [field.name for field in fields(ListedMessage) if field.name != "to"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierUpload:
    """An earlier upload of the same bytes, and how many of their rows are loaded."""

    upload_id: str
    received_at: dt.datetime
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSummary:
    """The numbers of a provider's uploads; `provider` is None for unknown providers.

    Attributes:
        waiting: Uploads that have neither an outcome nor failed.
        seconds_to_notice: The median from the receipt of a file to its notice; None if
            none has been sent.
    """

    provider: str | None
    uploads: int
    refused: int
    failed: int
    waiting: int
    rows: int
    loaded: int
    updated: int
    rejected: int
    seconds_to_notice: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonCount:
    """How many uploads and rows had a reason; a refusal has no `rows`."""

    code: str
    uploads: int
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What waits in the tables, or was refused.

    Attributes:
        uploads_waiting: Uploads that are registered and neither finished nor failed.
        oldest_upload: The one that has waited longest, or None.
        oldest_upload_at: When it was received.
        uploads_failed: Uploads with a failed last run.
        oldest_upload_failure: Why a step of that upload is tried again, if one is.
        failed_upload: The latest of those, or None; `failed_upload_failure`: why.
        message_error: The last error of the unsent message that was tried most often.
        oldest_message_at: When the unsent message that has waited longest was queued.
        notices_refused: Notices that the mail server has refused permanently, to
            addresses that their providers still have.
        invitations_refused: The same of invitations and recipients.
        never_invited: Invitations that wait or were refused, of whom none was sent to
            their present address.
        help_desk_refused: Messages about cases to the help desk itself.
        cases_refused: Messages about cases to who has opened them.
        accounts_refused: Messages with links for accounts of the portal.
    """

    uploads_waiting: int
    oldest_upload: str | None
    oldest_upload_at: dt.datetime | None
    uploads_failed: int
    messages_unsent: int
    oldest_message_at: dt.datetime | None
    notices_refused: int = 0
    invitations_refused: int = 0
    alerts_refused: int = 0
    never_invited: int = 0
    help_desk_refused: int = 0
    cases_refused: int = 0
    accounts_refused: int = 0
    oldest_upload_failure: str | None = None
    failed_upload: str | None = None
    failed_upload_failure: str | None = None
    message_error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledUpload:
    """An upload that has finished, and about which no message is unsent."""

    id: str
    provider: str | None
    finished_at: dt.datetime


def find_due(
    conn: sa.Connection, now: dt.datetime
) -> Mapping[outbox.Kind, Sequence[str | None]]:
    """Return for each kind the uploads with messages that are due; None: no upload.

    Providers take turns, so that one with many uploads does not delay the others.
    """
    is_due = (_MESSAGES.c.status == outbox.Status.WAITING) & (
        _MESSAGES.c.next_attempt_at <= now
    )
    distinct = (
        sa.select(_MESSAGES.c.kind, _MESSAGES.c.upload_id).where(is_due).distinct()
    )
    due, about = distinct.subquery("due"), tables.uploads
    turn = sa.func.row_number().over(
        partition_by=(due.c.kind, about.c.folder), order_by=due.c.upload_id
    )
    query = sa.select(due).outerjoin(about, about.c.id == due.c.upload_id)
    found: dict[outbox.Kind, list[str | None]] = {kind: [] for kind in outbox.Kind}
    for kind, upload_id in conn.execute(query.order_by(turn, due.c.upload_id)):
        found[outbox.Kind(kind)].append(upload_id)
    return found


def find_earlier_upload(
    conn: sa.Connection, repeated: uploads.Upload
) -> EarlierUpload | None:
    """Return the provider's earlier upload of the same bytes that loaded most rows.

    Only those count that were decided before this one was.
    """
    if repeated.parent_upload is None:
        return None
    names = ("id", "provider", "sha256", "decided_at")
    values = {name: getattr(repeated, name) for name in names}
    for row in conn.execute(_statement("find_earlier_upload"), values):
        return EarlierUpload(**row._mapping)
    return None


def list_messages(
    conn: sa.Connection,
    *,
    upload_id: str | None = None,
    kinds: Collection[outbox.Kind] = (),
    statuses: Collection[outbox.Status] = (),
    limit: int = 1000,
) -> Sequence[ListedMessage]:
    """Return the latest messages first: of one upload, kinds and statuses, or all."""
    query = sa.select(_MESSAGES).order_by(_MESSAGES.c.id.desc()).limit(limit)
    if upload_id is not None:
        query = query.where(_MESSAGES.c.upload_id == upload_id)
    for column, words in ((_MESSAGES.c.kind, kinds), (_MESSAGES.c.status, statuses)):
        if words:
            query = query.where(column.in_(words))
    return [_to_message(row) for row in conn.execute(query)]


def get_message(
    conn: sa.Connection, message_id: str
) -> tuple[ListedMessage, outbox.ClaimedMessage]:
    """Return a message, and what its text is composed from.

    Raises:
        MessageUnknown: If there is none.
    """
    invited, by = tables.recipients, tables.providers
    joined = _MESSAGES.outerjoin(invited, invited.c.id == _MESSAGES.c.recipient_id)
    joined = joined.outerjoin(by, by.c.slug == invited.c.provider)
    names = (
        invited.c[name] for name in ("username", "first_name", "link_id", "language")
    )
    query = sa.select(_MESSAGES, *names, by.c.name.label("provider")).select_from(
        joined
    )
    with contextlib.suppress(ValueError):
        is_meant = _MESSAGES.c.id == str(uuid.UUID(message_id))
        is_kept = _MESSAGES.c.addresses != []  # erased with its recipient
        for row in conn.execute(query.where(is_meant, is_kept)):
            facts = {name: row._mapping[name] for name in _COMPOSED}
            facts |= {"kind": outbox.Kind(row.kind), "to": tuple(row.addresses)}
            return _to_message(row), outbox.ClaimedMessage(**facts)
    raise MessageUnknown(f"There is no message {message_id!r}. See `cvms messages`.")


def list_uploads(
    conn: sa.Connection,
    *,
    provider: str | None = None,
    statuses: Collection[upload.UploadStatus] = (),
    since: dt.datetime | None = None,
    file_name: str | None = None,
    limit: int,
) -> Sequence[uploads.Upload]:
    """Return the latest uploads that match; latest first.

    `file_name` is a part of the name, in upper or lower case.
    """
    table = tables.uploads
    rules = [
        *([table.c.provider == provider] if provider is not None else []),
        *([table.c.status.in_(statuses)] if statuses else []),
        *([table.c.received_at >= since] if since is not None else []),
    ]
    if file_name is not None:
        rules.append(table.c.file_name.icontains(file_name, autoescape=True))
    return uploads.list_recent(conn, *rules, limit=limit)


def count_messages(
    conn: sa.Connection, upload_id: str, kind: outbox.Kind
) -> Mapping[outbox.Status, int]:
    """Return how many messages of that kind an upload has in each status."""
    query = (
        sa.select(_MESSAGES.c.status, sa.func.count())
        .where(_MESSAGES.c.upload_id == upload_id, _MESSAGES.c.kind == kind)
        .group_by(_MESSAGES.c.status)
    )
    return {outbox.Status(status): count for status, count in conn.execute(query)}


def count_invitations(
    conn: sa.Connection, upload_id: str
) -> Mapping[outbox.Status, int]:
    """Return whom an upload has invited, by the status of the newest invitation."""
    rows = conn.execute(_statement("count_invitations"), {"upload_id": upload_id})
    return {outbox.Status(row.status): row.number for row in rows}


def list_corrections(conn: sa.Connection, upload_id: str) -> Sequence[Correction]:
    """Return the corrections of e-mail addresses by an upload, in order of line."""
    table = tables.recipient_changes
    query = sa.select(table.c.source_line, table.c.old_email)
    of_upload = query.where(table.c.upload_id == upload_id).order_by("source_line")
    return [
        Correction(line=line, old_address=display.mask_address(old_email))
        for line, old_email in conn.execute(of_upload)
    ]


def find_settled(
    conn: sa.Connection, upload_ids: Collection[str], *, before: dt.datetime, limit: int
) -> Sequence[SettledUpload]:
    """Return which uploads finished before a moment and are settled, in that order."""
    values = {"ids": list(upload_ids), "before": before, "limit": limit}
    rows = conn.execute(_statement("find_settled"), values)
    return [SettledUpload(**row._mapping) for row in rows]


def summarise_uploads(
    conn: sa.Connection, *, since: dt.datetime
) -> Sequence[ProviderSummary]:
    """Return the numbers of each provider's uploads received since; by slug."""
    rows = conn.execute(_statement("summarise_uploads"), {"since": since})
    return [ProviderSummary(**row._mapping) for row in rows]


def count_reasons(conn: sa.Connection, *, since: dt.datetime) -> Sequence[ReasonCount]:
    """Return the reasons of refusals and rejected rows since then; most rows first."""
    rows = conn.execute(_statement("count_reasons"), {"since": since})
    return [ReasonCount(**row._mapping) for row in rows]


def count_backlog(conn: sa.Connection) -> Backlog:
    """Return what waits in the tables; fast enough to be called every few seconds."""
    return Backlog(**conn.execute(_statement("count_backlog")).one()._mapping)


def _to_message(row: sa.Row[Any]) -> ListedMessage:
    facts = {name: row._mapping[name] for name in _MESSAGE_COLUMNS}
    facts["kind"], facts["status"] = outbox.Kind(row.kind), outbox.Status(row.status)
    return ListedMessage(**facts, to=tuple(map(display.mask_address, row.addresses)))
