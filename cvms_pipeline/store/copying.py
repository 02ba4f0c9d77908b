"""COPY: frames into tables, by far the fastest way in (TRAPS).

Only how columns become Postgres' CSV; which tables there are, others know.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import sqlalchemy as sa

Column: TypeAlias = Sequence[Any] | pd.Series | pd.Index | pa.Array
"""One table column's values: text, numbers, dates; a missing one is null."""

_BYTES_AT_ONCE = 2_000_000

# Text is in quotation marks, also where it is empty or looks like null; null is not.
_UNLIKE_NULL = pyarrow.csv.WriteOptions(include_header=False, quoting_style="all_valid")


def copy(
    conn: sa.Connection,
    table: str,
    columns: Mapping[str, Column],
    *,
    order_by: Sequence[str] = (),
    in_order: Mapping[str, Column] | None = None,
) -> int:
    """Append rows to `table`.

    Args:
        conn: The transaction.
        table: Its name with the schema; a constant of ours, never a value.
        columns: Its columns' names, constants too, to as many values each.
        order_by: The columns in whose order (of collation C) they are appended; as
            they stand if there is none.
        in_order: More columns, whose values are for the rows as they are appended:
            the first for the first.

    Returns:
        How many rows were appended.
    """
    rows = pa.table({name: _array(column) for name, column in columns.items()})
    if order_by:
        rows = rows.sort_by([(name, "ascending") for name in order_by])
    for name, column in (in_order or {}).items():
        rows = rows.append_column(name, _array(column))
    names = ", ".join(rows.column_names)
    sql = f"COPY {table} ({names}) FROM STDIN (FORMAT csv, ENCODING 'UTF8')"
    return sum(_copy(conn, sql, part) for part in _parts(rows))


def _copy(conn: sa.Connection, sql: str, rows: pa.Table) -> int:
    file = io.BytesIO()
    pyarrow.csv.write_csv(rows, file, _UNLIKE_NULL)
    file.seek(0)
    cursor = conn.connection.cursor()
    try:
        cursor.copy_expert(sql, file)
        return int(cursor.rowcount)
    finally:
        cursor.close()


def _parts(rows: pa.Table) -> Iterator[pa.Table]:
    """Yield `rows` some at a time: all at once, but for rows of absurd size."""
    at_once = max(1, rows.num_rows * _BYTES_AT_ONCE // max(1, rows.nbytes))
    for start in range(0, max(1, rows.num_rows), at_once):
        yield rows.slice(start, at_once)


def _array(column: Column) -> pa.Array:
    """Return the values as Arrow has them; of moments, the day."""
    if isinstance(column, pa.Array):
        return column
    array = pa.array(column, from_pandas=True)
    return array.cast(pa.date32()) if pa.types.is_timestamp(array.type) else array
