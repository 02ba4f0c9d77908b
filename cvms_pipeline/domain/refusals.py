"""Refusals of whole files that name what was found, and what to do instead.

The general words are in `reasons`; here they meet one file's facts.  A message is
one line of printable characters, however odd the file is.
"""

from collections.abc import Sequence

from cvms_pipeline.domain import columns, reasons, tokenising, upload

_MAX_CELL = 40
_MAX_CELLS = 12
_SPREADSHEET = "The file is a spreadsheet or an archive, not a CSV."


def spreadsheet() -> reasons.Refusal:
    """Return the refusal of an `.xlsx`, `.xls`, `.ods` or zip archive."""
    code = reasons.FILE_NOT_CSV
    return _refusal(code, _SPREADSHEET, reasons.REFUSALS[code].remedy)


def too_large(max_bytes: int) -> reasons.Refusal:
    """Return the refusal of a file of more than `max_bytes`."""
    code = reasons.FILE_TOO_LARGE
    sentence = f"The file has more than {max_bytes:,} bytes."
    return _refusal(code, sentence, reasons.REFUSALS[code].remedy)


def header_missing(header: columns.Header) -> reasons.Refusal:
    """Return the refusal of a file whose `header` lacks required columns."""
    code = reasons.HEADER_MISSING
    found = ", ".join(_shown(cell) for cell in header.found[:_MAX_CELLS])
    sentence = (
        f"{_named(header.missing)} not found in the first row, which is:"
        f" {found}{_and_more(len(header.found))}."
    )
    return _refusal(code, sentence, reasons.REFUSALS[code].remedy)


def header_duplicate(header: columns.Header) -> reasons.Refusal:
    """Return the refusal of a file whose `header` repeats columns."""
    code = reasons.HEADER_DUPLICATE
    sentence = f"{_named(header.repeated)} found more than once in the first row."
    return _refusal(code, sentence, reasons.REFUSALS[code].remedy)


def too_many_rows(rows: int, lane: upload.Lane, *, at_least: bool) -> reasons.Refusal:
    """Return the refusal of a file of `rows` rows in `lane`.

    It says which lane fits, or into how many files to split.  `at_least` says
    that there may be more rows than were counted.
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
    return _refusal(reasons.TOO_MANY_ROWS, sentence, remedy)


def _refusal(code: str, sentence: str, remedy: str) -> reasons.Refusal:
    return reasons.Refusal(code=code, message=f"{sentence} {remedy}")


def _named(names: Sequence[str]) -> str:
    labels = ", ".join(columns.LABELS[name] for name in names)
    return f"Column {labels} was" if len(names) == 1 else f"Columns {labels} were"


def _and_more(cells: int) -> str:
    """Return how many `cells` are not shown, as far as they are looked at."""
    most = tokenising.MAX_CELLS
    more = min(cells, most) - _MAX_CELLS
    is_cut = "more than " if cells > most else ""
    return f" and {is_cut}{more:,} more" if more > 0 else ""


def _shown(cell: str) -> str:
    if not cell:
        return "(empty)"
    shown = "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode()
        for char in cell[:_MAX_CELL]
    )
    return shown + ("…" if len(cell) > _MAX_CELL else "")
