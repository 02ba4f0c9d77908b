"""Which rows of an upload are rejected rows of an earlier one, corrected or not.

A row with the cell of an `Error` column says so itself.  Any other row must be the same
in every cell that the earlier row was not rejected for
(docs/decisions/0026-chain.md).  Where two answers are possible, there is none.
"""

import pandas as pd
import pyarrow.compute as pc

from cvms_pipeline.domain.text import arrow, normalise
from cvms_pipeline.domain.vocabulary import columns, reasons

_MAX_ALIKE = 20
"""So many rows may share an address, a name or an error; of more, none is certain."""

_NAMES = (columns.FIRST_NAME, columns.LAST_NAME)
_SURE = 10  # more than all cells together
_SEPARATOR = "\x1f"

BLANK = " \t\n\v\f\r"
"""The white space that `make_probes` removes at both ends."""


def make_probes(cells: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Return what a rejected row must have in common with a row, apart from its error.

    Args:
        cells: Rows as they were written: `sheet.Cells`.

    Returns:
        The e-mail addresses, and first and last names with U+001F between; empty where
        the row lacks it.
    """
    email = _probe(cells[columns.EMAIL])
    first, last = (_probe(cells[name]) for name in _NAMES)
    both = first + _SEPARATOR + last
    return email, both.where((first != "") & (last != ""), "")


def match_rows(
    cells: pd.DataFrame, errors: pd.Series, rejected: pd.DataFrame
) -> pd.DataFrame:
    """Return which rows are which rejected rows.

    Args:
        cells: The rows of an upload as they were written: `sheet.Cells`.
        errors: The cells of its `Error` column; empty without one.  The same index.
        rejected: Rejected rows: `upload`, `line`, `codes`, `message` and the cells.

    Returns:
        One row for each rejected row that is brought back: `upload`, `line` and
        `brought_back_line`, the line in the upload.
    """
    ours = _make_keys(cells).assign(error=errors)
    theirs = _make_keys(rejected).assign(error=rejected["message"])
    pairs = _join(ours, theirs)
    compared = _compare(pairs, ours, theirs, rejected)
    chosen = _choose(compared[compared["score"] > 0])
    found = rejected.loc[chosen["theirs"], ["upload", "line"]]
    return found.assign(brought_back_line=chosen["ours"].to_numpy())


def _probe(texts: pd.Series) -> pd.Series:
    held = pc.ascii_trim(pc.ascii_lower(arrow.to_arrow(texts)), BLANK)
    return arrow.like_series(texts, held)


def _make_keys(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the cells as they are compared, both names, and all of them together.

    A birth date is compared without zeros at the front, which spreadsheets remove.
    """
    keys = pd.DataFrame(index=cells.index)
    for name in columns.NAMES:
        cleaned = normalise.clean_texts(cells[name])
        is_name = name in _NAMES
        keys[name] = normalise.make_match_keys(cleaned) if is_name else _probe(cleaned)
    born = keys[columns.BIRTH_DATE].str.replace(r"\b0+(\d)", r"\1", regex=True)
    keys[columns.BIRTH_DATE] = born
    first, last = (keys[name] for name in _NAMES)
    both = first + _SEPARATOR + last
    keys["names"] = both.where((first != "") & (last != ""), "")
    keys["content"] = both + _SEPARATOR + born + _SEPARATOR + keys[columns.EMAIL]
    keys["filled"] = sum((keys[name] != "").astype(int) for name in columns.NAMES)
    return keys


def _join(ours: pd.DataFrame, theirs: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs that have an error, an address or both names in common."""
    found = []
    for key in ("error", columns.EMAIL, "names"):
        left, right = (
            _drop_frequent(keys[key]).rename_axis(side).reset_index()
            for side, keys in (("ours", ours), ("theirs", theirs))
        )
        found.append(left.merge(right, on=key)[["ours", "theirs"]])
    return pd.concat(found, ignore_index=True).drop_duplicates(ignore_index=True)


def _drop_frequent(keys: pd.Series) -> pd.Series:
    filled = keys[keys != ""]
    return filled[filled.map(filled.value_counts()) <= _MAX_ALIKE]


def _compare(
    pairs: pd.DataFrame,
    ours: pd.DataFrame,
    theirs: pd.DataFrame,
    rejected: pd.DataFrame,
) -> pd.DataFrame:
    """Return the pairs with a `score`: 0 if they are not the same row."""
    one = ours.loc[pairs["ours"]].reset_index(drop=True)
    other = theirs.loc[pairs["theirs"]].reset_index(drop=True)
    faults = rejected.loc[pairs["theirs"]].reset_index(drop=True)
    same, may_differ = pd.DataFrame(index=one.index), pd.DataFrame(index=one.index)
    has_moved = faults["codes"].str.contains(reasons.ROW_CELLS, regex=False)
    for name in columns.NAMES:
        label = f"{columns.LABELS[name]}:"
        is_at_fault = faults["message"].str.contains(label, regex=False) | has_moved
        same[name] = (one[name] == other[name]) & (other[name] != "")
        may_differ[name] = is_at_fault | (other[name] == "")
    is_allowed = (same | may_differ).all(axis="columns")
    is_sure = one["error"] == other["error"]
    is_sure &= same.any(axis="columns") | is_allowed
    is_alike = is_allowed & _is_alike(same, one, other)
    score = same.sum(axis="columns") + _SURE * is_sure
    return pairs.assign(
        score=score.where(is_sure | is_alike, 0),
        ours_content=one["content"],
        theirs_content=other["content"],
        is_bare=other["filled"] < 2,
    )


def _is_alike(same: pd.DataFrame, one: pd.DataFrame, other: pd.DataFrame) -> pd.Series:
    """Return which pairs have enough in common, though no error says so.

    Twins have all in common but the first name: another one must begin alike.
    """
    first, last = (same[name] for name in _NAMES)
    email = same[columns.EMAIL]
    begins = [
        side[columns.FIRST_NAME].str.replace(r"[\W\d_]", "", regex=True).str.slice(0, 2)
        for side in (one, other)
    ]
    is_first_alike = first | (other[columns.FIRST_NAME] == "")
    is_first_alike |= (begins[0] == begins[1]) & (begins[0].str.len() == 2)
    shared = email & (first | last | same[columns.BIRTH_DATE]) | first & last
    return shared & is_first_alike


def _choose(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return for each rejected row the one row that it is, if only one can be it.

    Rows with the same content are one: each of them is brought back by it.
    """
    for side, content in (("theirs", "ours_content"), ("ours", "theirs_content")):
        by_side = pairs.groupby(side)
        best = pairs[pairs["score"] == by_side["score"].transform("max")]
        by_side = best.groupby(side)
        is_one = by_side[content].transform("nunique") == 1
        is_single = by_side[content].transform("size") == 1
        pairs = best[is_one & (is_single | ~best["is_bare"])]
    return pairs.sort_values("ours").drop_duplicates("theirs").sort_values("theirs")
