"""Rejected rows that are outstanding: listed, dismissed, and what became of the others.

How an upload brings them back is `settling`.  Here are numbers of lines and codes; the
rows themselves are read in `store.rejected_rows`.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from cvms_pipeline import errors
from cvms_pipeline.database import engine, tables
from cvms_pipeline.domain.text import display, normalise
from cvms_pipeline.domain.vocabulary import upload
from cvms_pipeline.store import uploads

_statement = engine.load_statements(__package__)
_ROWS = tables.rejected_rows
_MAX_WHY = 200


class NotOutstanding(errors.PermanentError):
    """The row is not outstanding."""


class WhyMissing(errors.PermanentError):
    """Say in a few words why; the words are kept with the rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutstandingUpload:
    """An upload with rejected rows that are outstanding: its lines and their codes."""

    upload_id: str
    provider: str
    file_name: str
    received_at: dt.datetime
    lines: Mapping[int, Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowState:
    """What became of a rejected row.

    Attributes:
        is_outstanding: Whether nobody has brought it back or dismissed it.
        brought_back_by: The upload that brought it back, from its `brought_back_line`.
        dismissed_why: Why somebody has dismissed it.
    """

    is_outstanding: bool
    brought_back_by: str | None
    brought_back_line: int | None
    dismissed_why: str | None

    def describe(self) -> str:
        """Return the state in a word or two."""
        if self.is_outstanding:
            return "outstanding"
        if self.brought_back_by is not None:
            return "brought back"
        return "dismissed" if self.dismissed_why is not None else "nothing to do"


def list_outstanding(
    conn: sa.Connection, *, provider: str | None = None, limit: int
) -> Sequence[OutstandingUpload]:
    """Return the latest uploads with outstanding rows, the latest first."""
    values = {"provider": provider, "limit": limit}
    rows = conn.execute(_statement("list_outstanding"), values)
    return [
        OutstandingUpload(
            **facts,
            lines={
                line: text.split(",") for line, text in zip(lines, codes, strict=True)
            },
        )
        for lines, codes, facts in map(_split_row, rows)
    ]


def count_outstanding(conn: sa.Connection, provider: str) -> int:
    """Return how many rows of a provider are outstanding."""
    total = sa.func.coalesce(sa.func.sum(tables.uploads.c.outstanding), 0)
    is_meant = (tables.uploads.c.provider == provider) & (
        tables.uploads.c.outstanding > 0
    )
    return int(conn.scalars(sa.select(total).where(is_meant)).one())


def read_states(conn: sa.Connection, upload_id: str) -> Mapping[int, RowState]:
    """Return what became of each rejected row of an upload, by line."""
    names = ("is_outstanding", "brought_back_by", "brought_back_line", "dismissed_why")
    query = sa.select(_ROWS.c.line, *(_ROWS.c[name] for name in names))
    rows = conn.execute(query.where(_ROWS.c.upload_id == upload_id).order_by("line"))
    return {
        line: RowState(**dict(zip(names, facts, strict=True))) for line, *facts in rows
    }


def list_relatives(
    conn: sa.Connection, found: uploads.Upload
) -> Sequence[upload.Relative]:
    """Return the parents of an upload, then its children, each in order of id."""
    if not found.parents and not found.children:
        return []
    values = {
        "upload_id": found.id,
        "parents": list(found.parents),
        "children": list(found.children),
    }
    rows = conn.execute(_statement("list_relatives"), values)
    return [upload.Relative(**row._mapping) for row in rows]


def dismiss(
    conn: sa.Connection, upload_id: str, lines: Collection[int] | None, *, why: str
) -> int:
    """Dismiss outstanding rows of an upload, all of the lines or none.

    Args:
        conn: The transaction.
        upload_id: The upload.
        lines: The lines; None for all that are outstanding.
        why: A word that says why.

    Returns:
        How many rows were dismissed.

    Raises:
        UploadUnknown: If there is no such upload.
        NotOutstanding: If a line is not outstanding, or none is.
        WhyMissing: If `why` says nothing.
    """
    word = clean_why(why)
    uploads.lock(conn, upload_id)
    wanted = None if lines is None else sorted(set(lines))
    values = {"upload_id": upload_id, "lines": wanted, "why": word}
    dismissed = set(conn.scalars(_statement("dismiss_rows"), values))
    for line in wanted or ():
        if line not in dismissed:
            raise NotOutstanding(
                f"Line {line} of {upload_id} is not outstanding, so nothing was"
                f" dismissed. See `cvms upload {upload_id}`."
            )
    if not dismissed:
        raise NotOutstanding(f"No row of {upload_id} is outstanding.")
    return len(dismissed)


def clean_why(why: str) -> str:
    """Return the words on one line, cut to 200 characters.

    Raises:
        WhyMissing: If they say nothing.
    """
    words = display.shorten(normalise.clean_text(why), _MAX_WHY)
    if not words:
        raise WhyMissing
    return words


def _split_row(row: sa.Row[Any]) -> tuple[Sequence[int], Sequence[str], dict[str, Any]]:
    """Return the lines, the codes of each with commas between, and the other facts."""
    facts = dict(row._mapping)
    return facts.pop("numbers"), facts.pop("codes"), facts
