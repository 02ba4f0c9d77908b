"""Texts as Arrow columns, which is how pandas holds strings, and Arrow's memory.

Only conversions between Python, Arrow and pandas; other modules decide what the texts
mean.  No column here has a missing value.
"""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from cvms_pipeline.domain.text import display

TEXT = pa.large_string()
"""The type in which pandas holds strings, so that no conversion copies them."""

Texts: TypeAlias = Sequence[str] | pa.LargeStringArray

_ASCII = bytes(range(0x80))
_PIECE_BYTES = 1_000_000

_LARGE_SIZE = 2_000_000
"""Bytes: twice as many as 5,000 usual rows need, which are faster without a release."""


def from_texts(texts: Texts) -> pa.LargeStringArray:
    """Return `texts` as a column, which they may be already.

    `pa.array` needs up to 50 MB more for the largest file: it keeps the UTF-8 of each
    text that is not ASCII in memory, and doubles the size of a column that is full.
    """
    if isinstance(texts, pa.LargeStringArray):
        return texts
    encoded = [text.encode() for text in texts]
    offsets = np.zeros(len(encoded) + 1, dtype="int64")
    offsets[1:] = np.fromiter(map(len, encoded), dtype="int64").cumsum()
    buffers = pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded))
    return pa.LargeStringArray.from_buffers(len(encoded), *buffers)


def to_arrow(texts: pd.Series) -> pa.LargeStringArray:
    """Return the column in which pandas holds `texts`; a copy only of chunks."""
    held = pa.array(texts, TEXT)
    return held.combine_chunks() if isinstance(held, pa.ChunkedArray) else held


def like_series(texts: pd.Series, held: pa.Array) -> pd.Series:
    """Return `held` as a series with the index and the name of `texts`."""
    series: pd.Series = held.to_pandas()
    series.index, series.name = texts.index, texts.name
    return series


def holds_only(texts: pd.Series, allowed: bytes) -> bool:
    """Return whether the UTF-8 of `texts` has no other bytes than those `allowed`.

    It takes a tenth of the time of a pattern, and tells of most columns that a rule has
    nothing to do in them.
    """
    held = to_arrow(texts)
    if not len(held):
        return True
    _, ends, data = held.buffers()
    first, last = np.frombuffer(ends, "int64")[[held.offset, held.offset + len(held)]]
    view = memoryview(data or b"")[first:last]
    pieces = (view[at : at + _PIECE_BYTES] for at in range(0, len(view), _PIECE_BYTES))
    return not any(bytes(piece).translate(None, allowed) for piece in pieces)


def lacks(texts: pd.Series, character: str) -> bool:
    """Return whether none of `texts` has the ASCII character `character`."""
    return holds_only(texts, bytes(range(256)).replace(character.encode(), b""))


def begin_with(texts: pa.LargeStringArray, allowed: bytes) -> npt.NDArray[np.bool_]:
    """Return which of `texts` begin with one of the ASCII characters `allowed`."""
    _, ends, data = texts.buffers()
    bounds = np.frombuffer(ends, "int64")[texts.offset : texts.offset + len(texts) + 1]
    is_filled = bounds[1:] > bounds[:-1]
    is_allowed = np.zeros(256, dtype=bool)
    is_allowed[list(allowed)] = True
    characters = np.frombuffer(data or b"", "uint8")
    is_filled[is_filled] = is_allowed[characters[bounds[:-1][is_filled]]]
    return is_filled


def match_pattern(texts: pd.Series, pattern: str) -> pd.Series:
    """Return which of `texts` match `pattern` (RE2) anywhere, as Booleans."""
    return like_series(texts, pc.match_substring_regex(to_arrow(texts), pattern))


def matches_any(texts: pd.Series, pattern: str, *, having: str = "") -> bool:
    """Return whether one of `texts` matches `pattern` (RE2) anywhere.

    What is in each text that matches may be said by `having`, which is found sooner.
    """
    held = to_arrow(texts)
    if having:
        held = held.filter(pc.match_substring(held, having))
    is_match = pc.match_substring_regex(held, pattern) if len(held) else [False]
    return bool(pc.any(is_match).as_py())


def has_only_letters(texts: pa.LargeStringArray) -> pa.BooleanArray:
    """Return which of `texts` are letters of ASCII, and at least one."""
    return pc.ascii_is_alpha(texts)


def has_only_visible(texts: pa.LargeStringArray) -> pa.BooleanArray:
    """Return which of `texts` are ASCII that can be seen, without a space."""
    is_spaced = pc.match_substring(texts, " ")
    return pc.and_not(pc.ascii_is_printable(texts), is_spaced)


def find_in_others(
    texts: pa.LargeStringArray, pattern: str, *, but: pa.BooleanArray
) -> pa.BooleanArray:
    """Return which of `texts` match `pattern` (RE2); those in `but` do not.

    A pattern takes ten times as long as to find out whether a text has only letters.
    """
    is_other = pc.invert(but)
    is_match = pc.match_substring_regex(texts.filter(is_other), pattern)
    return pc.replace_with_mask(is_other, is_other, is_match)


def is_in(texts: pd.Series, others: pd.Series) -> pd.Series:
    """Return which of `texts` are among `others`, as Booleans.

    `Series.isin` makes Python strings of both, which takes a hundred times as long.
    """
    return like_series(texts, pc.is_in(to_arrow(texts), to_arrow(others)))


def find_foreign(texts: pd.Series) -> dict[int, str]:
    """Return those of `texts` that are not all ASCII, by their place from 0."""
    if holds_only(texts, _ASCII):
        return {}
    held = to_arrow(texts)
    is_foreign = pc.invert(pc.string_is_ascii(held))
    places = np.flatnonzero(is_foreign.to_numpy(zero_copy_only=False)).tolist()
    return dict(zip(places, held.filter(is_foreign).to_pylist(), strict=True))


def shorten(texts: pa.LargeStringArray, length: int) -> pa.LargeStringArray:
    """Return `texts`, each cut to `length` characters as `display.shorten` does."""
    is_long = pc.greater(pc.utf8_length(texts), length)
    if not pc.any(is_long).as_py():
        return texts
    starts = pc.utf8_slice_codeunits(texts, 0, length - 1)
    ends = (pa.scalar(end, TEXT) for end in (display.ELLIPSIS, ""))
    return pc.if_else(is_long, pc.binary_join_element_wise(starts, *ends), texts)


def release_memory(size: int) -> None:
    """Return unused memory to the system before a large allocation, in bytes."""
    if size >= _LARGE_SIZE:
        pa.default_memory_pool().release_unused()
