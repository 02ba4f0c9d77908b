"""One upload's rows during reading, validation and matching.

The value that one step returns for the next.  What its frames hold is in `frames`, the
steps are in `reader`, `row_schema` and `duplicates`.
"""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.compute as pc

from cvms_pipeline.domain.sheets import frames
from cvms_pipeline.domain.text import arrow
from cvms_pipeline.domain.vocabulary import reasons


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """An upload's rows after a step.

    Attributes:
        refusal: Why the whole file is refused, or None.
        refused_rows: How many rows a refused file has, if they could be counted.
        encoding: `utf-8`, `utf-8-sig`, `utf-16`, `windows-1252`, or None if the file
            was refused before it was known.
        delimiter: `,`, `;` or a tab, or None if the file was refused before.
        ignored_columns: Header cells that name no known column.
        remarks: What the provider is to know about the file, as sentences.
        cells: Every row as it was written: `frames.Cells`.
        extras: What some of them hold beside the known columns: `frames.Extras`.
        values: The rows, cleaned; after validation, the valid ones: `frames.Cells`.
        rejections: The reasons found up to now: `frames.Rejections`.
        plan: The rows to load: `frames.Plan`.
        possible_duplicates: Those of them that resemble others:
            `frames.PossibleDuplicates`.
    """

    refusal: reasons.Refusal | None = None
    refused_rows: int | None = None
    encoding: str | None = None
    delimiter: str | None = None
    ignored_columns: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    cells: pd.DataFrame
    values: pd.DataFrame
    extras: pd.DataFrame
    rejections: pd.DataFrame
    plan: pd.DataFrame
    possible_duplicates: pd.DataFrame

    @property
    def valid_values(self) -> pd.DataFrame:
        """Return the cleaned rows without a rejection."""
        if self.rejections.empty:
            return self.values
        is_rejected = self.values.index.isin(self.rejections["line"])
        return self.values.loc[~is_rejected] if is_rejected.any() else self.values

    def replace(self, **changes: Any) -> "Sheet":
        """Return a copy with `changes`, for the next step.

        Raises:
            FrameInvalid: If one of the changed frames does not match its model.
        """
        for name, model in frames.FRAMES.items():
            frame = changes.get(name, before := getattr(self, name))
            if frame is before:
                continue
            schema, like = model.to_schema(), getattr(_NO_ROWS, name)
            if not frames.matches_certainly(schema, frame, like=like):
                frames.check_frame(schema, frame)
        return dataclasses.replace(self, **changes)


_NO_ROWS = Sheet(
    cells=frames.make_empty_frame(frames.Cells),
    values=frames.make_empty_frame(frames.Cells),
    extras=frames.make_empty_frame(frames.Extras),
    rejections=frames.make_empty_frame(frames.Rejections),
    plan=frames.make_empty_frame(frames.Plan),
    possible_duplicates=frames.make_empty_frame(frames.PossibleDuplicates),
)


def make_empty(refusal: reasons.Refusal | None = None) -> Sheet:
    """Return a sheet without rows, refused for `refusal`."""
    return dataclasses.replace(_NO_ROWS, refusal=refusal)


def make_rejections(code: str, texts: pd.Series) -> pd.DataFrame:
    """Return the rejections of the lines in the index of `texts`, all for `code`."""
    lines = texts.index.to_numpy(dtype="int64")
    return pd.DataFrame({"line": lines, "code": code, "text": texts.array})


def join_rejections(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Return `tables` as one, in order of line; within a line, of the tables.

    The tables are freed before the rows are sorted: their texts may be large.
    """
    filled = [table for table in tables if len(table)]
    if not filled:
        return _NO_ROWS.rejections
    joined = pd.concat(filled, ignore_index=True)
    del filled
    arrow.release_memory(arrow.to_arrow(joined["text"]).nbytes)
    return joined.sort_values("line", kind="stable", ignore_index=True)


def join_by_line(rejected: pd.DataFrame, column: str, separator: str) -> pd.Series:
    """Return for each line its texts in `column`, joined by `separator`.

    Returns:
        Strings, one for each line, indexed by `line`, in order of line.
    """
    lines, starts = np.unique(rejected["line"].to_numpy(), return_index=True)
    bounds = pyarrow.array(np.append(starts, len(rejected)))
    texts = arrow.to_arrow(rejected[column])
    parts = pyarrow.LargeListArray.from_arrays(bounds, texts)
    joined = pc.binary_join(parts, pyarrow.scalar(separator, arrow.TEXT)).to_pandas()
    by_line: pd.Series = joined.astype(str)
    return by_line.set_axis(pd.Index(lines, name="line"))
