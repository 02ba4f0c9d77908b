"""The table of reasons: one row a reason, in order of line.

Its shape and how it grows; which reasons there are is `schema`, `duplicates` and
`reading`.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from cvms_pipeline.domain import memory, strings

NONE = pd.DataFrame(
    {
        "line": pd.Series(dtype="int64"),
        "code": pd.Series(dtype=str),
        "text": pd.Series(dtype=str),
    }
)
"""The table without a reason."""


def of(code: str, texts: pd.Series) -> pd.DataFrame:
    """Return the rejections of the lines that index `texts`, all for `code`."""
    lines = texts.index.to_numpy(dtype="int64")
    return pd.DataFrame({"line": lines, "code": code, "text": texts.array})


def join(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Return `tables` as one in order of line; within a line, of the tables.

    None of them is held on to while they are put in order: their texts may be many.
    """
    filled = [table for table in tables if len(table)]
    if not filled:
        return NONE
    joined = pd.concat(filled, ignore_index=True)
    del filled
    memory.make_room(strings.of(joined["text"]).nbytes)
    return joined.sort_values("line", kind="stable", ignore_index=True)


def in_line(rejected: pd.DataFrame, column: str, separator: str) -> pd.Series:
    """Return the texts in `column` of each line as one text, with `separator` between.

    Returns:
        One text a line (strings), indexed by `line`, in order of line.
    """
    lines, starts = np.unique(rejected["line"].to_numpy(), return_index=True)
    texts = pa.array(rejected[column], strings.KIND)
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    bounds = pa.array(np.append(starts, len(rejected)))
    parts = pa.LargeListArray.from_arrays(bounds, texts)
    joined = pc.binary_join(parts, pa.scalar(separator, strings.KIND)).to_pandas()
    told: pd.Series = joined.astype(str)
    return told.set_axis(pd.Index(lines, name="line"))
