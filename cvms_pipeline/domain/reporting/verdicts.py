"""What happens to each row of a file, and in which cell each of its problems is.

Read from the plan that is also loaded; nothing is decided here.
"""

import enum
import re
from collections.abc import Sequence

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
_MISSING = re.compile(r"^(?P<text>.*?): \[(?P<labels>.*)\]$")
_SAME = re.compile(r"\(same person as line ([0-9]+)\)$")


def find_verdicts(planned: sheet.Sheet) -> pd.DataFrame:
    """Return what happens to each row of a sheet that has its plan.

    Returns:
        A frame indexed by `line`, in order of line: `verdict` (a `Verdict`, as text)
        and `same_as` (the line of the same person, as text; empty without one).
    """
    rejected, plan = planned.rejections, planned.plan
    verdict = dict.fromkeys(planned.cells.index, Verdict.LOADS.value)
    same = dict.fromkeys(planned.cells.index, "")
    for line in plan.index[plan["action"] == duplicates.UPDATE]:
        verdict[line] = Verdict.CORRECTS.value
    columns_read = (rejected[name] for name in ("line", "code", "text"))
    for line, code, text in zip(*columns_read, strict=True):
        verdict[line] = _OF_DUPLICATES.get(code, Verdict.REJECTED.value)
        if code == reasons.DUPLICATE_IN_FILE and (found := _SAME.search(text)):
            same[line] = found[1]
    return pd.DataFrame(
        {"verdict": list(verdict.values()), "same_as": list(same.values())},
        index=planned.cells.index,
        dtype=str,
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
    columns_read = (rejections[name] for name in ("line", "code", "text"))
    placed = [
        (line, column, code, text)
        for line, code, whole in zip(*columns_read, strict=True)
        for column, text in _place(code, whole)
    ]
    placed.sort(key=lambda each: each[0])
    types = {"line": "int64", "column": "str", "code": "str", "text": "str"}
    return pd.DataFrame(placed, columns=list(types)).astype(types)


def _place(code: str, text: str) -> Sequence[tuple[str, str]]:
    """Return the column and the text of each problem that one reason tells of."""
    if code == reasons.ROW_CELLS or code in _OF_DUPLICATES:
        return [("", text)]
    if code == reasons.REQUIRED_MISSING and (found := _MISSING.search(text)):
        return [(_NAMES[label], found["text"]) for label in found["labels"].split(", ")]
    if code == reasons.TEXT_ENCODING:
        return list(map(_place_labelled, _NEXT.split(_remove_advice(text))))
    return [_place_labelled(text)]


def _place_labelled(text: str) -> tuple[str, str]:
    """Return the column that a text begins with, and the rest."""
    found = _LABELLED.search(text)
    return (_NAMES[found["label"]], found["text"]) if found else ("", text)


def _remove_advice(text: str) -> str:
    return text.removesuffix(wording.UNCERTAIN_ADVICE)
