"""COPY: frames into tables, by far the fastest way in (TRAPS).

Only how columns become Postgres' CSV; which tables there are, others know.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import sqlalchemy as sa

_NULL = r"\N"

Column = Sequence[Any]
"""One table column's values: text, numbers; None only where it may be null."""


def copy(
    conn: sa.Connection,
    table: str,
    columns: Mapping[str, Column],
    *,
    nullable: Sequence[str] = (),
) -> int:
    r"""Append rows to `table`, in their order.

    Args:
        conn: The transaction.
        table: Its name with the schema; a constant of ours, never a value.
        columns: Its columns' names, constants too, to as many values each.
        nullable: Columns whose None is null.  In any other, text is taken as it
            is, even where it looks like null (`\N`).

    Returns:
        How many rows were appended.
    """
    given = [
        column if name not in nullable else [_NULL if v is None else v for v in column]
        for name, column in columns.items()
    ]
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator="\r\n").writerows(zip(*given, strict=True))
    file.seek(0)
    names = ", ".join(columns)
    texts = ", ".join(name for name in columns if name not in nullable)
    sql = (
        f"COPY {table} ({names}) FROM STDIN"
        f" (FORMAT csv, NULL '{_NULL}', FORCE_NOT_NULL ({texts}), ENCODING 'UTF8')"
    )
    cursor = conn.connection.cursor()
    try:
        cursor.copy_expert(sql, file)
        return int(cursor.rowcount)
    finally:
        cursor.close()


def dates(days: pd.Series) -> list[str]:
    """Return ISO texts of a datetime series without NaT."""
    return days.to_numpy().astype("datetime64[D]").astype(str).tolist()


def texts(cells: pd.Series) -> list[str | None]:
    """Return a string series as a list, None where it has no value."""
    return cells.astype(object).where(cells.notna(), None).tolist()
