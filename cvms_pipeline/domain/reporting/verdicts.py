"""What happens to each row of a file, and in which cell each of its problems is.

Read from the plan that is also loaded; nothing is decided here.
"""

import enum
import re

import pandas as pd

from cvms_pipeline.domain.matching import duplicates
from cvms_pipeline.domain.sheets import sheet
from cvms_pipeline.domain.vocabulary import columns, reasons, wording


class Verdict(enum.StrEnum):
    """What happens to a row."""

    LOADS = "loads"
    CORRECTS = "corrects"
    REPEATS = "repeats"
    """An earlier row of the file is the same person."""
    KNOWN = "known"
    """The person was loaded before."""
    REJECTED = "rejected"


_OF_DUPLICATES = {
    reasons.DUPLICATE_IN_FILE: Verdict.REPEATS.value,
    reasons.DUPLICATE_RECIPIENT: Verdict.KNOWN.value,
}
_NAMES = {label: name for name, label in columns.LABELS.items()}
_LABEL = "|".join(map(re.escape, _NAMES))
_LABELLED = re.compile(rf"^(?P<label>{_LABEL}): (?P<text>.*)$", re.DOTALL)
_NEXT = re.compile(rf"; (?=(?:{_LABEL}): letters cannot be read with certainty: )")
_SAME = r"\(same person as line ([0-9]+)\)$"


def find_verdicts(planned: sheet.Sheet) -> pd.DataFrame:
    """Return what happens to each row of a sheet that has its plan.

    Returns:
        A frame indexed by `line`, in order of line: `verdict` (a `Verdict`, as text)
        and `same_as` (the line of the same person, as text; empty without one).
    """
    rejected, plan = planned.rejections, planned.plan
    lines = planned.cells.index
    is_update = plan.index[plan["action"] == duplicates.UPDATE]
    verdicts = pd.Series(Verdict.LOADS.value, index=lines, dtype=str)
    verdicts[lines.isin(is_update)] = Verdict.CORRECTS.value
    codes = sheet.join_by_line(rejected, "code", ",")
    verdicts.update(classify(codes))
    repeats = rejected[rejected["code"] == reasons.DUPLICATE_IN_FILE]
    same = repeats.set_index("line")["text"].str.extract(_SAME, expand=False)
    return pd.DataFrame(
        {"verdict": verdicts, "same_as": same.reindex(lines, fill_value="")}
    )


def classify(codes: pd.Series) -> pd.Series:
    """Return the verdict on rejected rows, by their reason codes with commas between.

    A row that is a duplicate has no other reason.
    """
    return codes.map(_OF_DUPLICATES).fillna(Verdict.REJECTED.value).astype(str)


def place_problems(rejections: pd.DataFrame) -> pd.DataFrame:
    """Return the problems of rejected rows, each with the column it is in.

    Args:
        rejections: The reasons: `sheet.Rejections`.

    Returns:
        A frame of `line`, `column` (empty: it is one of the row as a whole), `code`
        and `text`, without the label of the column, in order of line.
    """
    code, text = rejections["code"], rejections["text"]
    is_missing = code == reasons.REQUIRED_MISSING
    is_uncertain = code == reasons.TEXT_ENCODING
    is_whole = code.isin([reasons.ROW_CELLS, *_OF_DUPLICATES])
    parts = [
        _place_missing(rejections[is_missing]),
        _place_uncertain(rejections[is_uncertain]),
        rejections[is_whole].assign(column=""),
        _place_labelled(rejections[~(is_missing | is_uncertain | is_whole)]),
    ]
    filled = [part for part in parts if len(part)]
    if not filled:
        return rejections.assign(column="", text=text)
    placed = pd.concat(filled)
    order = ["line", "column", "code", "text"]
    return placed.sort_values("line", kind="stable", ignore_index=True)[order]


def _place_missing(missing: pd.DataFrame) -> pd.DataFrame:
    """Return one problem for each required cell that is empty."""
    parts = missing["text"].str.extract(r"^(.*?): \[(.*)\]$")
    listed = missing.assign(text=parts[0], column=parts[1].str.split(", "))
    each = listed.explode("column")
    return each.assign(column=each["column"].map(_NAMES))


def _place_uncertain(uncertain: pd.DataFrame) -> pd.DataFrame:
    """Return one problem for each cell with letters that cannot be read."""
    text = uncertain["text"].str.removesuffix(wording.UNCERTAIN_ADVICE)
    each = uncertain.assign(text=text.map(_NEXT.split)).explode("text")
    return _place_labelled(each)


def _place_labelled(labelled: pd.DataFrame) -> pd.DataFrame:
    """Return problems in the column that their text begins with."""
    parts = labelled["text"].str.extract(_LABELLED)
    return labelled.assign(
        column=parts["label"].map(_NAMES).fillna(""),
        text=parts["text"].fillna(labelled["text"]),
    )
