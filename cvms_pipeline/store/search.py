"""Searching recipients by the beginnings of names and addresses, for data-ops.

How uploads are matched is in `recipients`.  A search takes no longer with many stored
recipients: there is an index for each word and each order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import sqlalchemy as sa

from cvms_pipeline import errors
from cvms_pipeline.database import tables
from cvms_pipeline.domain.text import normalise

_MAX_MATCHES = 10_000  # that are counted and sorted

_TABLE = tables.recipients
# Each has its index; ids begin with the time, usernames with the e-mail address.
_ORDERS = {
    "last_name": ("last_key", "first_key", "birth_date"),
    "first_name": ("first_key", "last_key", "birth_date"),
    "birth_date": ("birth_date",),
    "email": ("username",),
    "username": ("username",),
    "loaded_at": (),
}
SORTS = tuple(_ORDERS)
"""What recipients can be sorted by."""


class SortUnknown(errors.PermanentError):
    """Recipients cannot be sorted by this column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """The result of a search.

    Attributes:
        recipients: The first of them, indexed from 0: `recipient_id`, `first_name`,
            `last_name`, `birth_date` (dates), `email`, `username`, `provider`,
            `upload`, `line`, `loaded_at`, `is_registered`, `is_removed`.
        total: How many there are.
        is_capped: Whether there are more than `total`; then only the `total` that were
            found first are sorted.
    """

    recipients: pd.DataFrame
    total: int
    is_capped: bool


def search_recipients(
    conn: sa.Connection,
    words: Sequence[str] = (),
    *,
    provider: str | None = None,
    sort: str = "last_name",
    is_descending: bool = False,
    limit: int = 50,
) -> SearchResult:
    """Return the recipients for whom each word begins the first or the last name.

    Nobody who was removed; with words, only those of `provider` if one is given.  Words
    are compared as match keys are: case and width do not count.  A word with an `@`
    begins the e-mail address instead.

    Raises:
        SortUnknown: If `sort` is none of `SORTS`.
    """
    if sort not in _ORDERS:
        raise SortUnknown(
            f"Recipients cannot be sorted by {sort!r}; choose one of"
            f" {', '.join(SORTS)}."
        )
    names = [word for word in words if "@" not in word]
    keys = filter(None, normalise.make_match_keys(pd.Series(names, dtype=str)))
    are_begun: list[sa.ColumnElement[bool]] = [
        _TABLE.c.first_key.startswith(key, autoescape=True)
        | _TABLE.c.last_key.startswith(key, autoescape=True)
        for key in keys
    ]
    are_begun += [  # usernames begin with the address, and have an index
        sa.func.lower(_TABLE.c.username).startswith(word.lower(), autoescape=True)
        for word in words
        if "@" in word
    ]
    if are_begun:
        are_begun.append(_TABLE.c.removed_at.is_(None))
        if provider is not None:
            are_begun.append(_TABLE.c.provider == provider)
        return _search_matches(conn, are_begun, sort, is_descending, limit)
    # Counting the recipients would read them all; providers have their counts.
    sum_of_counts = sa.func.sum(tables.providers.c.recipients)
    count = int(conn.scalar(sa.select(sum_of_counts)) or 0)
    first = _read(conn, _TABLE.c, sort, is_descending, limit)
    return SearchResult(recipients=first, total=count, is_capped=False)


def find_recipient(conn: sa.Connection, recipient_id: str) -> Mapping[str, Any] | None:
    """Return the facts of a recipient, as in `SearchResult`; None if there is none.

    Nobody who was removed.
    """
    query = _select(_TABLE.c).where(_TABLE.c.id == recipient_id)
    row = conn.execute(query).first()
    return None if row is None else dict(row._mapping)


def _search_matches(
    conn: sa.Connection,
    are_begun: Sequence[sa.ColumnElement[bool]],
    sort: str,
    is_descending: bool,
    limit: int,
) -> SearchResult:
    # Matches are found first and sorted then; otherwise every recipient would be read.
    matches = sa.select(_TABLE).where(*are_begun).limit(_MAX_MATCHES + 1)
    found = matches.cte("found").prefix_with("MATERIALIZED")
    total = sa.func.count().over().label("total")
    first = _read(conn, found.c, sort, is_descending, limit, total)
    count = int(first.pop("total").max()) if len(first) else 0
    return SearchResult(
        recipients=first, total=min(count, _MAX_MATCHES), is_capped=count > _MAX_MATCHES
    )


def _read(
    conn: sa.Connection,
    source: Any,
    sort: str,
    is_descending: bool,
    limit: int,
    *more: sa.Label[int],
) -> pd.DataFrame:
    """Return the first recipients of the columns `source`, with `more` columns."""
    order = [
        sa.func.lower(source[name]) if name == "username" else source[name]
        for name in (*_ORDERS[sort], "id")
    ]
    query = _select(source, *more).order_by(
        *(column.desc() if is_descending else column for column in order)
    )
    rows = conn.execute(query.limit(limit))
    names = list(rows.keys())
    return pd.DataFrame([tuple(row) for row in rows], columns=names)


def _select(source: Any, *more: sa.Label[int]) -> sa.Select[Any]:
    """Return the query for the facts of `SearchResult`, of nobody who was removed."""
    facts = sa.select(
        source.id.label("recipient_id"),
        source.first_name,
        source.last_name,
        source.birth_date,
        source.email,
        source.username,
        source.provider,
        source.upload_id.label("upload"),
        source.source_line.label("line"),
        source.loaded_at,
        source.registered_at.is_not(None).label("is_registered"),
        source.removed_at.is_not(None).label("is_removed"),
        *more,
    )
    return facts.where(source.removed_at.is_(None))
