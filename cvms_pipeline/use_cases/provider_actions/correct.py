"""Correcting rejected rows in a page: they become an upload of their own.

It goes the way of every file (`submit`): the corrected rows are an error report, so
each of them is recognised as the row that it corrects.  Rows that were not changed stay
outstanding.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

import pandas as pd

from cvms_pipeline import errors
from cvms_pipeline.domain.reporting import error_report
from cvms_pipeline.domain.text import normalise
from cvms_pipeline.domain.vocabulary import columns, upload
from cvms_pipeline.use_cases import history, pipelines
from cvms_pipeline.use_cases.provider_actions import outstanding, submit

PAGE_ROWS = 100
"""How many rows a page has: as many as a file of low volume."""

_LABELS = {label: name for name, label in columns.LABELS.items()}
_NEXT_REASON = re.compile(
    f"; (?=(?:{'|'.join(map(re.escape, _LABELS))}): |Required fields are|Row has )"
)
_NOTHING_TYPED: Mapping[str, str] = {}
_MISSING = re.compile(r"Required fields are missing: \[(.*)\]")


class NothingCorrected(errors.PermanentError):
    """No row was changed, so nothing was sent. Correct at least one row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A cell of a rejected row: its column, what was written, and what is wrong."""

    name: str
    label: str
    value: str = field(repr=False)
    reasons: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRow:
    """A rejected row that is outstanding.

    Attributes:
        reasons: What is wrong with the row, and not with one of its cells.
        extra: Its cells in no column.
        is_ticked: Whether it is to be dismissed.
    """

    line: int
    cells: Sequence[Cell]
    reasons: tuple[str, ...] = field(repr=False)
    extra: tuple[str, ...] = field(repr=False)
    is_ticked: bool = False


def list_rows(
    rows: pd.DataFrame,
    states: Mapping[int, outstanding.RowState],
    *,
    page: int = 1,
    typed: Mapping[str, str] = _NOTHING_TYPED,
) -> tuple[Sequence[RejectedRow], int]:
    """Return the outstanding rows of a page, and how many pages there are.

    Args:
        rows: Rejected rows, as `history.read_rejected_rows` returns them.
        states: What became of them.
        page: The number of the page; after the last one, the last.
        typed: What was typed: line and column with `-` between, and `LINE-dismiss`.
    """
    lines = [line for line, state in states.items() if state.is_outstanding]
    pages = max(1, -(-len(lines) // PAGE_ROWS))
    start = (min(max(page, 1), pages) - 1) * PAGE_ROWS
    shown = rows.loc[rows.index.isin(lines[start : start + PAGE_ROWS])]
    each = zip(shown.index.tolist(), shown.to_dict("records"), strict=True)
    return [_make_row(line, facts, typed) for line, facts in each], pages


def load_corrected(
    pipeline: pipelines.Pipeline,
    found: history.Upload,
    typed: Mapping[int, Mapping[str, str]],
    *,
    choose_id: Callable[[bytes], str],
    sent_by: str,
) -> tuple[history.Upload, int]:
    """Send the rows of an upload that were changed, and return their upload.

    Args:
        pipeline: The pipeline.
        found: The upload that has rejected them.
        typed: Line to the four cells; lines that are not outstanding are left out.
        choose_id: Returns the id of the new upload for its bytes.
        sent_by: The id of the account.

    Returns:
        The upload, and how many rows it has.

    Raises:
        NothingCorrected: If no row was changed.
        ProviderDisabled: If the provider's uploads are not accepted.
    """
    rows = history.read_rejected_rows(pipeline, found)
    states = outstanding.read_states(pipeline, found)
    is_open = [line in typed and states[line].is_outstanding for line in rows.index]
    corrected = _find_changed(rows.loc[is_open, list(columns.NAMES)], typed)
    if corrected.empty:
        raise NothingCorrected
    data = error_report.render_report(corrected, rows.loc[corrected.index, "message"])
    submission = submit.Submission(
        upload_id=choose_id(data),
        data=data,
        file_name=f"{PurePath(found.file_name).stem} corrected.csv",
        lane=upload.Lane.LOW_VOLUME,
        provider=found.provider or "",
        sent_by=sent_by,
    )
    return submit.submit(pipeline, submission), len(corrected)


def _find_changed(
    stored: pd.DataFrame, typed: Mapping[int, Mapping[str, str]]
) -> pd.DataFrame:
    """Return what was typed into the rows of which a cell differs from what is stored.

    White space and other marks that reading removes are no difference.
    """
    names = columns.NAMES
    cells = pd.DataFrame(
        [[typed[line].get(name, "") for name in names] for line in stored.index],
        columns=stored.columns,
        index=stored.index,
        dtype=str,
    )
    is_changed = (cells != stored.apply(normalise.clean_texts)).any(axis="columns")
    return cells[is_changed & (cells != stored).any(axis="columns")]


def _make_row(
    line: int, facts: Mapping[Any, str], typed: Mapping[str, str]
) -> RejectedRow:
    by_cell: dict[str, list[str]] = {name: [] for name in columns.NAMES}
    of_row: list[str] = []
    for reason in _NEXT_REASON.split(facts["message"].partition(": ")[2]):
        label, _, text = reason.partition(": ")
        if missing := _MISSING.fullmatch(reason):
            for each in missing[1].split(", "):
                by_cell[_LABELS[each]].append("Fill in this field")
        elif label in _LABELS:
            by_cell[_LABELS[label]].append(text[:1].upper() + text[1:])
        else:
            of_row.append(reason)
    cells = [
        Cell(
            name=name,
            label=columns.LABELS[name],
            value=typed.get(f"{line}-{name}", facts[name]),
            reasons=tuple(by_cell[name]),
        )
        for name in columns.NAMES
    ]
    is_ticked = f"{line}-dismiss" in typed
    return RejectedRow(
        line=line,
        cells=cells,
        reasons=tuple(of_row),
        extra=tuple(json.loads(facts["extra_cells"] or "[]")),
        is_ticked=is_ticked,
    )
