"""Refusals of whole files whose messages name facts of the file.

The general words are in `reasons`.  A message is one line without hidden characters,
whatever the file holds.
"""

from collections.abc import Sequence

from cvms_pipeline.domain.reading import header_advice
from cvms_pipeline.domain.text import display
from cvms_pipeline.domain.vocabulary import columns, reasons, upload

_MAX_CELL = 41  # characters, with the ellipsis
_MAX_CELLS = 12


def refuse_size(max_bytes: int) -> reasons.Refusal:
    """Return the refusal of a file of more than `max_bytes`."""
    sentence = f"The file has more than {max_bytes:,} bytes."
    return reasons.make_refusal(reasons.FILE_TOO_LARGE, sentence)


def refuse_header(
    header: columns.Header, advice: header_advice.Advice | None = None
) -> reasons.Refusal | None:
    """Return the refusal of a file with this `header`, or None if it is usable.

    `advice` says what is probably wrong with a header that lacks columns.
    """
    if not header.found:
        return reasons.make_refusal(reasons.FILE_EMPTY)
    if header.missing:
        sentence = advice.sentence if advice else None
        return reasons.make_refusal(
            reasons.HEADER_MISSING,
            sentence or _describe_missing(header),
            advice.remedy if advice else None,
        )
    if header.repeated:
        found = "found more than once in the first row."
        sentence = f"{_name_columns(header.repeated)} {found}"
        return reasons.make_refusal(reasons.HEADER_DUPLICATE, sentence)
    return None


def _describe_missing(header: columns.Header) -> str:
    shown = ", ".join(_show_cell(cell) for cell in header.found[:_MAX_CELLS])
    more = _describe_hidden(len(header.found))
    found = f"not found in the first row, which is: {shown}{more}."
    return f"{_name_columns(header.missing)} {found}"


def refuse_row_count(
    rows: int, lane: upload.Lane, *, at_least: bool
) -> reasons.Refusal:
    """Return the refusal of a file of `rows` rows in `lane`.

    Its remedy is the lane that fits, or the number of files to split it into.

    Args:
        rows: The rows that were counted.
        lane: The lane into which the file was dropped.
        at_least: Whether there may be more rows than were counted.
    """
    high = upload.Lane.HIGH_VOLUME
    sentence = (
        f"The file has {'at least ' if at_least else ''}{rows:,} rows; the"
        f" {lane} folder takes at most {lane.max_rows:,}."
    )
    files = -(-rows // high.max_rows)
    remedy = f"Drop it into the {high} folder."
    if files > 1:
        remedy = (
            f"Split it into {'at least ' if at_least else ''}{files:,} files of at most"
            f" {high.max_rows:,} rows, each with the header"
            + ("." if lane is high else f", and drop them into the {high} folder.")
        )
    return reasons.make_refusal(reasons.TOO_MANY_ROWS, sentence, remedy)


def _name_columns(names: Sequence[str]) -> str:
    labels = ", ".join(columns.LABELS[name] for name in names)
    return f"Column {labels} was" if len(names) == 1 else f"Columns {labels} were"


def _describe_hidden(cells: int) -> str:
    """Return the text for those of a number of `cells` that are not shown."""
    most = columns.MAX_CELLS
    more = min(cells, most) - _MAX_CELLS
    is_cut = "more than " if cells > most else ""
    return f" and {is_cut}{more:,} more" if more > 0 else ""


def _show_cell(cell: str) -> str:
    if not cell:
        return "(empty)"
    return display.escape_unprintable(display.shorten(cell, _MAX_CELL))
