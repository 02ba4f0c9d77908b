"""COPY: frames into tables, by far the fastest way in (TRAPS).

Only how columns become Postgres' CSV; which tables there are, others know.
"""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import sqlalchemy as sa

Column = Sequence[Any] | pd.Series | pd.Index
"""One table column's values: text, numbers, dates; a missing one is null."""

# Text is in quotation marks, also where it is empty or looks like null; null is not.
_UNLIKE_NULL = pyarrow.csv.WriteOptions(include_header=False, quoting_style="all_valid")


def copy(
    conn: sa.Connection,
    table: str,
    columns: Mapping[str, Column],
    *,
    order_by: Sequence[str] = (),
) -> int:
    """Append rows to `table`.

    Args:
        conn: The transaction.
        table: Its name with the schema; a constant of ours, never a value.
        columns: Its columns' names, constants too, to as many values each.
        order_by: The columns in whose order (of collation C) they are appended; as
            they stand if there is none.

    Returns:
        How many rows were appended.
    """
    rows = pa.table({name: _array(column) for name, column in columns.items()})
    if order_by:
        rows = rows.sort_by([(name, "ascending") for name in order_by])
    file = io.BytesIO()
    pyarrow.csv.write_csv(rows, file, _UNLIKE_NULL)
    file.seek(0)
    sql = (
        f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT csv, ENCODING 'UTF8')"
    )
    cursor = conn.connection.cursor()
    try:
        cursor.copy_expert(sql, file)
        return int(cursor.rowcount)
    finally:
        cursor.close()


def _array(column: Column) -> pa.Array:
    """Return the values as Arrow has them; of moments, the day."""
    array = pa.array(column, from_pandas=True)
    return array.cast(pa.date32()) if pa.types.is_timestamp(array.type) else array
