"""COPY: columns into tables and out of them, by far the fastest way (TRAPS).

Only how columns become Postgres' CSV, and that columns; which tables there are, others
know.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import sqlalchemy as sa

from cvms_pipeline.domain import memory

Column: TypeAlias = Sequence[Any] | pd.Series | pd.Index | pa.Array
"""One table column's values: text, numbers, dates; a missing one is null."""

_BYTES_AT_ONCE = 2_000_000

# Text is in quotation marks, also where it is empty or looks like null; null is not.
_UNLIKE_NULL = pyarrow.csv.WriteOptions(include_header=False, quoting_style="all_valid")
_WITH_BREAKS = pyarrow.csv.ParseOptions(newlines_in_values=True)


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


def read(
    conn: sa.Connection,
    query: sa.TextClause,
    values: Mapping[str, object],
    schema: pa.Schema,
) -> pa.Table:
    """Return the rows of `query`, in which nothing is null.

    Args:
        conn: The transaction.
        query: What to read.
        values: What is to be bound in it.
        schema: Its columns, in their order.
    """
    asked = str(query.compile(dialect=conn.dialect))
    told = _Told(schema)
    cursor = conn.connection.cursor()
    try:
        select = cursor.mogrify(asked, values).decode()
        sql = f"COPY ({select}) TO STDOUT (FORMAT csv, ENCODING 'UTF8')"
        cursor.copy_expert(sql, told)
    finally:
        cursor.close()
    return told.rows()


class _Told:
    """What COPY tells, written to it as to a file, and parsed some at a time."""

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema
        self._parsed: list[pa.Table] = []
        self._waiting: list[bytes] = []
        self._size = 0

    def write(self, row: bytes) -> None:
        """Take what Postgres sends at once, which is always one row."""
        self._waiting.append(row)
        self._size += len(row)
        if self._size >= _BYTES_AT_ONCE:
            memory.make_room(self._size)
            self._parse()

    def rows(self) -> pa.Table:
        """Return all that was told, each column in one piece."""
        self._parse()
        if not self._parsed:
            return self._schema.empty_table()
        return pa.concat_tables(self._parsed).combine_chunks()

    def _parse(self) -> None:
        if not self._waiting:
            return
        together = b"".join(self._waiting)
        reading = pyarrow.csv.ReadOptions(
            column_names=self._schema.names,
            block_size=len(together) + 1,
            use_threads=False,
        )
        types = pyarrow.csv.ConvertOptions(column_types=self._schema)
        self._parsed.append(
            pyarrow.csv.read_csv(pa.py_buffer(together), reading, _WITH_BREAKS, types)
        )
        self._waiting, self._size = [], 0


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
