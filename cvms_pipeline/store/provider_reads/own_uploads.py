"""The uploads of one provider, page by page; how long uploads take; who took a report.

One upload's facts are in `store.uploads`.
"""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from cvms_pipeline.database import engine, tables
from cvms_pipeline.domain.vocabulary import audit_events, upload
from cvms_pipeline.store import uploads

_statement = engine.load_statements(__package__)
_TABLE, _AUDIT = tables.uploads, tables.audit

PAGE = 50
"""How many uploads a page has."""

_PORTAL = "portal:"
"""Before the username, in the audit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which page of whose uploads is wanted; empty words and None choose nothing.

    Attributes:
        provider: The provider's slug.
        file_name: A part of the name, in upper or lower case.
        sent_from: How they came; `sent_by` is the account that has sent them.
        since: When they were received at the earliest.
        until: Before when they were received.
        after: The id of the upload behind which the page begins.
        before: The id of the upload before which it ends.
    """

    provider: str
    statuses: Collection[upload.UploadStatus] = ()
    file_name: str = ""
    sent_from: str = ""
    sent_by: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    after: str | None = None
    before: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page of uploads, the latest first."""

    uploads: Sequence[uploads.Upload]
    has_newer: bool
    has_older: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UsualTime:
    """How many seconds the latest uploads took: half of them, and nine in ten."""

    median: float
    most: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """Who has taken the error report as a file, and when."""

    username: str
    at: dt.datetime


def read_page(conn: sa.Connection, wanted: Wanted) -> Page:
    """Return the wanted page; the first one if there is nothing on that page."""
    rules = _make_rules(wanted)
    place = _find_place(conn, wanted)
    is_backward = place is not None and wanted.after is None
    found = _read(conn, rules, place, is_backward=is_backward)
    if place is not None and len(found) <= (PAGE if is_backward else 0):
        place, is_backward = None, False
        found = _read(conn, rules, None, is_backward=False)
    shown = list(found[:PAGE])
    return Page(
        uploads=shown[::-1] if is_backward else shown,
        has_newer=place is not None,
        has_older=is_backward or len(found) > PAGE,
    )


def measure_usual_time(conn: sa.Connection, lane: upload.Lane) -> UsualTime | None:
    """Return how long the latest uploads of a lane took; None if there are too few."""
    row = conn.execute(_statement("measure_usual_time"), {"lane": lane.value}).one()
    if row.median is None:
        return None
    return UsualTime(median=float(row.median), most=float(row.most))


def list_downloads(conn: sa.Connection, upload_id: str) -> Sequence[Download]:
    """Return which accounts have taken the error report, the latest first."""
    is_file = _AUDIT.c.details["file"].as_boolean()
    of_upload = (_AUDIT.c.upload_id == upload_id) & is_file
    event = _AUDIT.c.event == audit_events.Event.REPORT_READ
    of_account = _AUDIT.c.actor.startswith(_PORTAL)
    query = sa.select(_AUDIT.c.actor, _AUDIT.c.happened_at.label("at"))
    latest = query.where(of_upload, event, of_account).order_by(_AUDIT.c.id.desc())
    return [
        Download(username=row.actor.removeprefix(_PORTAL), at=row.at)
        for row in conn.execute(latest.limit(PAGE))
    ]


def _make_rules(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    rules = [_TABLE.c.provider == wanted.provider]
    if wanted.statuses:
        rules.append(_TABLE.c.status.in_(wanted.statuses))
    if wanted.file_name:
        name = _TABLE.c.file_name
        rules.append(name.icontains(wanted.file_name, autoescape=True))
    if wanted.sent_from:
        rules.append(_TABLE.c.sent_from == wanted.sent_from)
    if wanted.sent_by is not None:
        rules.append(_TABLE.c.sent_by == wanted.sent_by)
    if wanted.since is not None:
        rules.append(_TABLE.c.received_at >= wanted.since)
    if wanted.until is not None:
        rules.append(_TABLE.c.received_at < wanted.until)
    return rules


def _find_place(conn: sa.Connection, wanted: Wanted) -> tuple[dt.datetime, str] | None:
    at = sa.select(_TABLE.c.received_at, _TABLE.c.id).where(
        _TABLE.c.id == (wanted.after or wanted.before),
        _TABLE.c.provider == wanted.provider,
    )
    row = conn.execute(at).first()
    return None if row is None else (row.received_at, row.id)


def _read(
    conn: sa.Connection,
    rules: Sequence[sa.ColumnElement[bool]],
    place: tuple[dt.datetime, str] | None,
    *,
    is_backward: bool,
) -> Sequence[uploads.Upload]:
    """Return the uploads of a page in the order of reading, and one more."""
    keys = (_TABLE.c.received_at, _TABLE.c.id)
    if place is not None:
        there = sa.tuple_(*place, types=[key.type for key in keys])
        ours = sa.tuple_(*keys)
        rules = [*rules, ours > there if is_backward else ours < there]
    return uploads.list_recent(conn, *rules, limit=PAGE + 1, is_reversed=is_backward)
