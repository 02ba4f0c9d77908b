"""What the review says: each row with its problems in their cells, and the sums.

Only words and their order; what happens to a row is decided in the domain.
"""

import collections
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cvms_pipeline.domain.reporting import outcome
from cvms_pipeline.domain.text import display
from cvms_pipeline.domain.vocabulary import columns, likeness, reasons, upload
from cvms_pipeline.use_cases.provider_actions import review

Verdict = review.Verdict
MAX_ROWS = upload.Lane.LOW_VOLUME.max_rows
"""How many rows a review shows."""

_MAX_SHOWN = 320

_VERDICTS = {
    Verdict.LOADS: ("Loads", "good"),
    Verdict.CORRECTS: ("Corrects the e-mail", "good"),
    Verdict.REPEATS: ("Duplicate", "warning"),
    Verdict.KNOWN: ("Already loaded", "warning"),
    Verdict.REJECTED: ("Rejected", "bad"),
}
"""The words for what happens to a row, and how they look."""

_PROBABLY_KNOWN = ("{}, probably known already", "warning")
_ADVICE = (
    "If it is the same person, cancel, remove the row from the file, and upload it"
    " again."
)

_HAPPENED = {
    Verdict.LOADS: "was loaded",
    Verdict.CORRECTS: "has corrected the e-mail",
    Verdict.REPEATS: "was not loaded, because it is a duplicate",
    Verdict.KNOWN: "was not loaded, because the person has been loaded meanwhile",
    Verdict.REJECTED: "was rejected",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong, and how to correct it."""

    text: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCell:
    """A cell as it was written, with its problems."""

    title: str
    text: str
    problems: Sequence[Problem]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRow:
    """A row: what happens to it, its own problems, and its cells."""

    line: int
    verdict: str
    look: str
    problems: Sequence[Problem]
    cells: Sequence[ShownCell] = field(repr=False)


def describe(
    shown: review.Review,
    *,
    only_problems: bool,
    button: str = "Create Records",
) -> Mapping[str, Any]:
    """Return what `provider/review_plan.html` and `review_rows.html` show."""
    planned, read = shown.checked.outcome, shown.checked.planned
    return {
        "planned": planned,
        "new": planned.loaded - planned.updated,
        "sentence": describe_plan(planned, button=button),
        "rows": list_rows(shown, only_problems=only_problems),
        "only": only_problems,
        "ignored": read.ignored_columns,
        "remarks": read.remarks,
        "known": describe_probably_known(planned),
    }


def list_rows(shown: review.Review, *, only_problems: bool) -> Sequence[ShownRow]:
    """Return the rows of a review in order of line; at most as many as low volume."""
    problems = collections.defaultdict(list)
    placed = shown.problems[["line", "column", "code", "text"]]
    for line, column, code, text in placed.itertuples(index=False, name=None):
        remedy = reasons.REASONS[code].remedy
        problems[line, column].append(Problem(text=text, remedy=remedy))
    is_rejected = shown.rows.index.isin(shown.problems["line"])
    rows = (shown.rows[is_rejected] if only_problems else shown.rows).head(MAX_ROWS)
    cells = shown.checked.planned.cells.loc[rows.index, list(columns.NAMES)]
    found = shown.checked.outcome.possible_duplicates
    known = {each.line for each in found if each.is_own}
    return [
        _describe_row(facts, texts, problems, is_probably_known=facts[0] in known)
        for facts, texts in zip(
            rows.itertuples(name=None),
            cells.itertuples(index=False, name=None),
            strict=True,
        )
    ]


def _describe_row(
    facts: tuple[int, str, str],
    texts: Sequence[str],
    problems: Mapping[tuple[int, str], Sequence[Problem]],
    *,
    is_probably_known: bool,
) -> ShownRow:
    line, verdict, same_as = facts
    words, look = _VERDICTS[Verdict(verdict)]
    if is_probably_known:
        words, look = _PROBABLY_KNOWN[0].format(words), _PROBABLY_KNOWN[1]
    cells = [
        ShownCell(
            title=column.title,
            text=display.escape_hidden(display.shorten(text, _MAX_SHOWN)),
            problems=problems.get((line, column.name), ()),
        )
        for column, text in zip(columns.ALL, texts, strict=True)
    ]
    return ShownRow(
        line=line,
        verdict=f"{words} of line {same_as}" if same_as else words,
        look=look,
        problems=problems.get((line, ""), ()),
        cells=cells,
    )


def describe_plan(planned: outcome.Outcome, *, button: str = "Create Records") -> str:
    """Return in one sentence what the button does."""
    if not planned.loaded:
        return (
            f"{button} loads nobody, because every row has a problem: correct the"
            " file and upload it again."
        )
    new = planned.loaded - planned.updated
    does = [
        _count(new, "loads 1 recipient", "loads {} recipients"),
        _count(
            planned.updated,
            "corrects the e-mail address of 1 recipient",
            "corrects the e-mail addresses of {} recipients",
        ),
        _count(
            planned.rejected,
            "leaves out 1 row with a problem",
            "leaves out {} rows with a problem",
        ),
    ]
    *first, last = [each for each in does if each]
    return f"{button} {', '.join(first)}{' and ' if first else ''}{last}."


def describe_probably_known(planned: outcome.Outcome) -> Mapping[str, object]:
    """Return which rows are probably known already, as the receipt will say it.

    Empty if none is.  What resembles another provider's people is not shown.
    """
    found = planned.possible_duplicates
    count = likeness.describe_count(found, is_loaded=False)
    if not count:
        return {}
    return {"sentence": f"{count} {_ADVICE}", "points": likeness.list_points(found)}


def describe_outcome(loaded: int, failed: int) -> str:
    """Return the sentence of the alert when an upload has ended."""
    people = _count(loaded, "1 recipient", "{} recipients") or "0 recipients"
    return f"{people} successfully loaded, {failed:,} failed."


def describe_change(line: int, shown: Verdict, happened: Verdict) -> str:
    """Return what has become of a line, where the review had shown otherwise."""
    before = _VERDICTS[shown][0]
    return f"Line {line:,}: {_HAPPENED[happened]} (the review said: {before})."


def _count(number: int, one: str, many: str) -> str:
    """Return the words for a number; empty for none."""
    if not number:
        return ""
    return one if number == 1 else many.format(f"{number:,}")
