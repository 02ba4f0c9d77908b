"""The recipients that a provider has loaded, page by page, as the provider sees them.

Only its own people, and nobody who was removed.  What is known of one of them is in
`recipient`; how data-ops search all recipients is in `store.search`.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import pandas as pd
import sqlalchemy as sa

from cvms_pipeline.database import tables
from cvms_pipeline.domain.text import normalise
from cvms_pipeline.store import outbox
from cvms_pipeline.store.provider_reads import steps

_TABLE, _UPLOADS = tables.recipients, tables.uploads

_ORDERS = {
    "last_name": ("last_key", "first_key", "birth_date", "id"),
    "first_name": ("first_key", "last_key", "birth_date", "id"),
    "birth_date": ("birth_date", "id"),
    "email": ("username",),  # which begins with the address, and is unique
    "loaded_at": ("upload_id", "source_line"),  # ids of uploads begin with the time
}
SORTS = tuple(_ORDERS)
"""What the list can be sorted by."""

PAGE = 50
"""How many recipients a page has."""

MAX_MATCHES = 1_000
"""How many that match a search are found, sorted and shown."""

_FEW = 20_000
"""Up to so many recipients of a provider are all read, by their uploads, and sorted.

Of a provider with more, an index of everybody's in the wanted order is read until a
page is full.  Either takes less than a tenth of a second with a million recipients,
and costs the loading of uploads no further index.
"""

_COST_OF_STRANGER = 20
"""What it costs to look at one of everybody's recipients who match a search.

In relation to one recipient of the provider, whose names are in the index of uploads.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which page of whose list is wanted.

    Attributes:
        provider: The provider's slug.
        first_name: How the first name begins; so does `last_name`; empty: any.
        step: How far they are; None: any.
        sort: One of `SORTS`.
        after: The id of the recipient behind whom the page begins, or None.
        before: The id of the recipient before whom it ends, or None.
    """

    provider: str
    first_name: str = field(default="", repr=False)
    last_name: str = field(default="", repr=False)
    step: steps.Step | None = None
    sort: str = "last_name"
    is_descending: bool = False
    after: str | None = None
    before: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedRecipient:
    """A recipient in the list; `source_line` is the line of the upload."""

    id: str
    first_name: str = field(repr=False)
    last_name: str = field(repr=False)
    birth_date: dt.date = field(repr=False)
    email: str = field(repr=False)
    upload_id: str
    source_line: int
    loaded_at: dt.datetime
    step: steps.Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page of the list.

    Attributes:
        total: How many recipients the provider has loaded.
        matches: How many of them match the search and the step; None without either.
        is_capped: Whether more match than `matches`; then only these are sorted.
    """

    recipients: Sequence[ListedRecipient]
    total: int
    matches: int | None
    is_capped: bool
    has_earlier: bool
    has_later: bool


_STEP = ("password_set_at", "registered_at", "denied_at")
_COLUMNS = [each.name for each in fields(ListedRecipient) if each.name != "step"]


def read_page(conn: sa.Connection, wanted: Wanted) -> Page:
    """Return the wanted page; the first one if there is nobody on that page.

    Names are compared as match keys are: case and width do not count.
    """
    total, everybody = _count_recipients(conn, wanted.provider)
    source = _choose_source(wanted, total, everybody)
    is_search = isinstance(source, sa.CTE)
    place = _find_place(conn, wanted)
    is_backward = place is not None and wanted.after is None
    rows = _read_rows(conn, source, wanted, place, is_backward=is_backward)
    if place is not None and len(rows) <= (PAGE if is_backward else 0):
        place, is_backward = None, False
        rows = _read_rows(conn, source, wanted, None, is_backward=False)
    shown = [row._mapping for row in rows[:PAGE]]
    matches = (rows[0].matches if rows else 0) if is_search else None
    return Page(
        recipients=_describe(conn, shown[::-1] if is_backward else shown),
        total=total,
        matches=None if matches is None else min(matches, MAX_MATCHES),
        is_capped=matches is not None and matches > MAX_MATCHES,
        has_earlier=place is not None,
        has_later=is_backward or len(rows) > PAGE,
    )


def _describe(
    conn: sa.Connection, rows: Sequence[Mapping[Any, Any]]
) -> list[ListedRecipient]:
    """Return the recipients of a page, with how far each of them is."""
    invitations = steps.find_invitations(conn, [row["id"] for row in rows])
    found = []
    for row in rows:
        newest = invitations.get(row["id"])
        status = None if newest is None else outbox.Status(newest.status)
        step = steps.find_step(**{name: row[name] for name in _STEP}, invitation=status)
        facts = {name: row[name] for name in _COLUMNS}
        found.append(ListedRecipient(**facts, step=step))
    return found


def _make_keys(wanted: Wanted) -> Mapping[str, str]:
    """Return by column what the keys of the names must begin with, if anything."""
    typed = pd.Series([wanted.first_name, wanted.last_name], dtype=str)
    keys = zip(("first_key", "last_key"), normalise.make_match_keys(typed), strict=True)
    return {name: key for name, key in keys if key}


def _count_recipients(conn: sa.Connection, provider: str) -> tuple[int, int]:
    """Return how many recipients the provider has, and how many all have together."""
    counts = tables.providers.c
    own = sa.func.sum(counts.recipients).filter(counts.slug == provider)
    row = conn.execute(sa.select(own, sa.func.sum(counts.recipients))).one()
    return int(row[0] or 0), int(row[1] or 0)


def _is_search_by_upload(total: int, everybody: int) -> bool:
    """Return whether a search reads the provider's uploads, not everybody's names.

    In its uploads, all the names of the provider are read.  Of everybody's names that
    match, as many as have `MAX_MATCHES` of the provider's among them: the fewer people
    a provider has, the more strangers are between two of them.
    """
    strangers = MAX_MATCHES * everybody / max(total, 1)
    return total <= _COST_OF_STRANGER * strangers


def _choose_source(wanted: Wanted, total: int, everybody: int) -> Any:
    """Return what the page is read from: the provider's people who match."""
    is_own = (_TABLE.c.provider == wanted.provider) & _TABLE.c.removed_at.is_(None)
    begun = _make_keys(wanted)
    rules = [_TABLE.c[n].startswith(k, autoescape=True) for n, k in begun.items()]
    is_search = bool(begun) or wanted.step is not None
    if wanted.step is not None:
        rules += steps.make_rule(wanted.step, wanted.provider)
    people = sa.select(_TABLE).where(is_own, *rules)
    if _is_by_upload(wanted, total, everybody, has_names=bool(begun)):
        people = _read_by_upload(wanted.provider, people)
    if not is_search:
        return people.subquery("people")
    # Matches are found first and sorted then; otherwise everybody would be read.
    matching = people.limit(MAX_MATCHES + 1)
    return matching.cte("found").prefix_with("MATERIALIZED")


def _is_by_upload(
    wanted: Wanted, total: int, everybody: int, *, has_names: bool
) -> bool:
    """Return whether the provider's uploads are read, one after another.

    Most steps have an index, or few have reached them: then these are read.
    """
    if has_names or wanted.step is steps.Step.SENT:
        return _is_search_by_upload(total, everybody)
    if wanted.step is not None:
        return False
    return total <= _FEW or wanted.sort == "loaded_at"


def _read_by_upload(provider: str, people: sa.Select[Any]) -> sa.Select[Any]:
    """Return the query `people` for one upload of the provider after another.

    Uploads that have loaded nobody new are passed over: they are not in the index.
    `OFFSET 0` keeps the planner from joining in another way: it would read everybody.
    """
    has_people = _UPLOADS.c.loaded > _UPLOADS.c.updated
    ours = sa.select(_UPLOADS.c.id).where(_UPLOADS.c.provider == provider, has_people)
    uploads = ours.subquery("ours")
    of_upload = people.where(_TABLE.c.upload_id == uploads.c.id).offset(0)
    loaded = of_upload.lateral("loaded")
    columns = [column for column in loaded.c if column.name != "upload_id"]
    joined = uploads.join(loaded, sa.true())
    return sa.select(uploads.c.id.label("upload_id"), *columns).select_from(joined)


def _list_keys(source: Any, sort: str) -> list[sa.ColumnElement[Any]]:
    return [
        sa.func.lower(source.c[name]) if name == "username" else source.c[name]
        for name in _ORDERS[sort]
    ]


def _find_place(conn: sa.Connection, wanted: Wanted) -> Sequence[Any] | None:
    """Return the keys of the recipient that the page follows or precedes, or None."""
    keys = sa.select(*_list_keys(_TABLE, wanted.sort))
    is_meant = (_TABLE.c.id == (wanted.after or wanted.before)) & (
        _TABLE.c.provider == wanted.provider
    )
    is_meant &= _TABLE.c.removed_at.is_(None)  # the keys of the others say nothing
    row = conn.execute(keys.where(is_meant)).first()
    return None if row is None else tuple(row)


def _read_rows(
    conn: sa.Connection,
    source: Any,
    wanted: Wanted,
    place: Sequence[Any] | None,
    *,
    is_backward: bool,
) -> Sequence[Any]:
    """Return the rows of a page in the order of reading, and one more."""
    keys = _list_keys(source, wanted.sort)
    is_descending = wanted.is_descending != is_backward
    columns: list[Any] = [source.c[name] for name in (*_COLUMNS, *_STEP)]
    if isinstance(source, sa.CTE):
        counted = sa.select(sa.func.count()).select_from(source)
        columns.append(counted.scalar_subquery().label("matches"))
    query = sa.select(*columns)
    if place is not None:
        ours, there = sa.tuple_(*keys), sa.tuple_(*place, types=[k.type for k in keys])
        query = query.where(ours < there if is_descending else ours > there)
        first = keys[0] <= place[0] if is_descending else keys[0] >= place[0]
        query = query.where(first)  # follows from it, but the planner sees only this
    ordered = query.order_by(*(key.desc() if is_descending else key for key in keys))
    return conn.execute(ordered.limit(PAGE + 1)).all()
