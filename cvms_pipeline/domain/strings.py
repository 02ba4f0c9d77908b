"""Texts as a column of Arrow's, which is how pandas holds strings.

Only the steps between Python, Arrow and pandas, and the memory they take; what the
texts say is everyone else's.  No column here has a missing value.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

Mask = npt.NDArray[np.bool_]
"""One Boolean for each text."""

KIND = pa.large_string()
"""What pandas holds strings as, so that nothing is copied on the way there and back."""


def column(texts: Sequence[str]) -> pa.LargeStringArray:
    """Return `texts` as a column of `KIND`, each of them encoded once.

    `pa.array` leaves what it has encoded beside each text that is not ASCII for as
    long as the text lives, and makes a column by doubling it.
    """
    together = "".join(texts)
    parts: Sequence[str | bytes] = texts
    if together.isascii():
        data = together.encode("ascii")
    else:
        parts = encoded = [text.encode() for text in texts]
        data = b"".join(encoded)
    ends = np.fromiter(map(len, parts), dtype="int64", count=len(parts)).cumsum()
    return between(ends, data)


def between(ends: np.ndarray, data: bytes | np.ndarray) -> pa.LargeStringArray:
    """Return the column of the texts that end at `ends`, one behind the other.

    Args:
        ends: Where in `data` each text ends, ascending (int64).
        data: UTF-8; not copied.
    """
    bounds = np.zeros(len(ends) + 1, dtype="int64")
    bounds[1:] = ends
    buffers = pa.py_buffer(bounds), pa.py_buffer(data)
    return pa.LargeStringArray.from_buffers(len(ends), *buffers)


def of(texts: pd.Series) -> pa.LargeStringArray:
    """Return the column in which pandas holds `texts`; copied only if in pieces."""
    held = pa.array(texts, KIND)
    return held.combine_chunks() if isinstance(held, pa.ChunkedArray) else held


def like(texts: pd.Series, held: pa.LargeStringArray) -> pd.Series:
    """Return `held` as a series with the index and the name of `texts`."""
    series: pd.Series = held.to_pandas().set_axis(texts.index)
    series.name = texts.name
    return series


def inside(held: pa.LargeStringArray) -> tuple[np.ndarray, np.ndarray]:
    """Return where each text of a column begins and ends, and their bytes.

    Returns:
        The bounds (int64), one more than there are texts: the text `at` is
        `data[bounds[at] : bounds[at + 1]]`; and the data (uint8), UTF-8.  Views.
    """
    _, ends, texts = held.buffers()
    bounds = np.frombuffer(ends, dtype="int64", count=held.offset + len(held) + 1)
    bounds = bounds[held.offset :]
    nothing = np.zeros(0, dtype="uint8")
    data = nothing if texts is None else np.frombuffer(texts, dtype="uint8")
    return bounds - bounds[0], data[bounds[0] : bounds[-1]]


def some(held: pa.LargeStringArray, at: np.ndarray) -> list[str]:
    """Return the texts in the places `at`."""
    texts: list[str] = held.take(pa.array(at)).to_pylist()
    return texts


def replaced(
    held: pa.LargeStringArray, at: np.ndarray, texts: Sequence[str]
) -> pa.LargeStringArray:
    """Return the column with `texts` in the places `at`, which ascend."""
    if not len(at):
        return held
    is_replaced = np.zeros(len(held), dtype=bool)
    is_replaced[at] = True
    return pc.replace_with_mask(held, pa.array(is_replaced), column(texts))


def mask(found: pa.BooleanArray) -> Mask:
    """Return what Arrow has found as pandas and NumPy take it."""
    is_found: Mask = found.to_numpy(zero_copy_only=False)
    return is_found


def matches(texts: pd.Series, pattern: str) -> Mask:
    """Return which of `texts` have `pattern` (of RE2) in them."""
    return mask(pc.match_substring_regex(of(texts), pattern))
