"""COPY: the fastest way to write columns into a table, and to read rows from it.

Here columns become the CSV that Postgres reads, and its CSV becomes columns.  No
table is known here.
"""

import contextlib
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import sqlalchemy as sa

from cvms_pipeline.domain.text import arrow

_Column: TypeAlias = Sequence[Any] | pd.Series | pd.Index | pa.Array

_BATCH_BYTES = 2_000_000

# Text is quoted, even if it is empty or looks like null; null is not.
_UNLIKE_NULL = pyarrow.csv.WriteOptions(include_header=False, quoting_style="all_valid")
_WITH_BREAKS = pyarrow.csv.ParseOptions(newlines_in_values=True)


def append(
    conn: sa.Connection,
    table: str,
    columns: Mapping[str, _Column],
    *,
    order_by: Sequence[str] = (),
    in_order: Mapping[str, _Column] | None = None,
) -> None:
    """Append rows to `table`.

    Args:
        conn: The transaction.
        table: Its name with the schema; a constant in our code, never a value.
        columns: The names of its columns, constants too, each with as many values:
            text, numbers or dates; a missing one is null.
        order_by: The columns by which the rows are sorted first (collation C).
        in_order: More columns, with values for the rows as they are sorted.
    """
    rows = pa.table({name: _to_array(column) for name, column in columns.items()})
    if order_by:
        rows = rows.sort_by([(name, "ascending") for name in order_by])
    for name, column in (in_order or {}).items():
        rows = rows.append_column(name, _to_array(column))
    names = ", ".join(rows.column_names)
    sql = f"COPY {table} ({names}) FROM STDIN (FORMAT csv, ENCODING 'UTF8')"
    with contextlib.closing(conn.connection.cursor()) as cursor:
        for batch in _split(rows):
            file = io.BytesIO()
            pyarrow.csv.write_csv(batch, file, _UNLIKE_NULL)
            file.seek(0)
            cursor.copy_expert(sql, file)


def read(
    conn: sa.Connection,
    query: sa.TextClause,
    values: Mapping[str, object],
    schema: pa.Schema,
) -> pa.Table:
    """Return the rows of `query`, with no null among their values.

    Args:
        conn: The transaction.
        query: The query.
        values: The values to bind in it.
        schema: Its columns, in their order.
    """
    text = str(query.compile(dialect=conn.dialect))
    buffer = _CopyBuffer(schema)
    with contextlib.closing(conn.connection.cursor()) as cursor:
        select = cursor.mogrify(text, values).decode()
        sql = f"COPY ({select}) TO STDOUT (FORMAT csv, ENCODING 'UTF8')"
        cursor.copy_expert(sql, buffer)
    return buffer.build_table()


class _CopyBuffer:
    """A file to which COPY writes rows, and which parses them a batch at a time.

    Parsed in one piece, the longest rows need 80 MB more than the limit of memory.
    """

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema
        self._tables = [schema.empty_table()]
        self._rows: list[bytes] = []
        self._size = 0

    def write(self, row: bytes) -> None:
        """Keep what Postgres sends at once, which is always one row."""
        self._rows.append(row)
        self._size += len(row)
        if self._size >= _BATCH_BYTES:
            arrow.release_memory(self._size)
            self._parse()

    def build_table(self) -> pa.Table:
        """Return every row that was written, each column in one piece."""
        self._parse()
        return pa.concat_tables(self._tables).combine_chunks()

    def _parse(self) -> None:
        if not self._rows:
            return
        batch = b"".join(self._rows)
        self._rows, self._size = [], 0
        reading = pyarrow.csv.ReadOptions(
            column_names=self._schema.names,
            block_size=len(batch) + 1,
            use_threads=False,
        )
        types = pyarrow.csv.ConvertOptions(column_types=self._schema)
        self._tables.append(
            pyarrow.csv.read_csv(pa.py_buffer(batch), reading, _WITH_BREAKS, types)
        )


def _split(rows: pa.Table) -> Iterator[pa.Table]:
    """Yield `rows` in batches; an upload of usual size is one batch."""
    count = max(1, rows.num_rows * _BATCH_BYTES // max(1, rows.nbytes))
    for start in range(0, max(1, rows.num_rows), count):
        yield rows.slice(start, count)


def _to_array(column: _Column) -> pa.Array:
    """Return the values as Arrow holds them; of a timestamp, only the date."""
    if isinstance(column, pa.Array):
        return column
    array = pa.array(column, from_pandas=True)
    return array.cast(pa.date32()) if pa.types.is_timestamp(array.type) else array
