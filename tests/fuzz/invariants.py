"""What must hold for every file, whatever its bytes are.

Reading and validating as the product does it, compared with Python's `csv` module where
that has an opinion; the files come from `corpus`.
"""

import csv
import datetime as dt
import io

from cvms_pipeline.domain.matching import duplicates
from cvms_pipeline.domain.reading import decoding, reader
from cvms_pipeline.domain.reporting import error_report, outcome
from cvms_pipeline.domain.sheets import packing, sheet
from cvms_pipeline.domain.text import display
from cvms_pipeline.domain.validation import row_schema
from cvms_pipeline.domain.vocabulary import columns, reasons, upload

TODAY = dt.date(2026, 1, 5)
MAX_TEXT = 400
MAX_REFUSAL = 1_200


class BrokenPromiseError(AssertionError):
    """Something that must hold for every file does not."""


def hold(data: bytes, lane: upload.Lane = upload.Lane.HIGH_VOLUME) -> None:
    """Read, validate and plan `data`, and check every promise.

    Raises:
        BrokenPromiseError: If something does not.
    """
    decided = plan(data, lane)
    outcome.from_sheet(decided)  # raises if the counts do not add up
    _is_bounded(decided)
    _has_true_lines(data, decided)
    _goes_round(decided)
    again = packing.unpack_sheet(io.BytesIO(b"".join(packing.pack_sheet(decided))))
    _expect(again.values.equals(decided.values), "a sheet changes on its way")


def plan(data: bytes, lane: upload.Lane) -> sheet.Sheet:
    read = reader.read_sheet(data, lane=lane)
    made = row_schema.validate_rows(read, today=TODAY)
    return duplicates.plan_rows(made, duplicates.NO_MATCHES, provider=None, upload=None)


def _expect(is_so: bool, otherwise: str) -> None:
    if not is_so:
        raise BrokenPromiseError(otherwise)


def _is_bounded(decided: sheet.Sheet) -> None:
    """Check that no text grows with the file."""
    refusal = decided.refusal.message if decided.refusal else "one line"
    _expect(len(refusal) <= MAX_REFUSAL, "a refusal is too long")
    _expect(display.make_one_line(refusal) == refusal, "a refusal is not one line")
    longest = max(map(len, decided.rejections["text"]), default=0)
    _expect(longest <= MAX_TEXT, "a reason is too long")
    ignored = decided.ignored_columns
    _expect(len(ignored) <= columns.MAX_IGNORED + 1, "too many columns are named")
    longest = max(map(len, ignored), default=0)
    _expect(longest <= columns.MAX_HEADER_CELL_LENGTH, "a column's name is too long")


def _has_true_lines(data: bytes, decided: sheet.Sheet) -> None:
    """Check that each row has the line number of its record."""
    lines = decided.cells.index
    _expect(lines.is_unique and lines.is_monotonic_increasing, "lines are not in order")
    decoded = decoding.decode(data, max_bytes=upload.MAX_BYTES)
    if decided.refusal or isinstance(decoded, reasons.Refusal):
        return
    if not decoded.is_whole:
        return  # what the unread bytes mean is decided by the names of the file
    try:
        file = io.StringIO(decoded.text, newline="")
        records = list(csv.reader(file, delimiter=decided.delimiter, strict=True))
    except csv.Error:
        return  # broken quotes: it has no opinion
    filled = [record for record in records if "".join(record).strip()]
    is_declared = filled[0][0].strip().lower().startswith("sep=")
    header = filled[1 if is_declared else 0]
    if (
        decided.rejections["text"]
        .str.contains("quotation marks (lines", regex=False)
        .any()
    ):
        return  # rows that quotation marks join have lines of their own
    positions = columns.match_header(header).positions
    for line, *cells in decided.cells.itertuples():
        written = [
            dict(enumerate(records[line - 1])).get(positions[column], "")
            for column in columns.NAMES
        ]
        kept = [_unescaped(_cut(cell)) for cell in written]
        _expect(kept == cells, f"line {line} holds something else")


def _cut(cell: str) -> str:
    most = reader.MAX_CELL_LENGTH
    return cell if len(cell) <= most else cell[: most - 1] + "…"


def _unescaped(cell: str) -> str:
    bare = cell.lstrip("'")
    is_escaped = cell[:1] == "'" and bare[:1] in {"=", "+", "-", "@", "\t", "\r"}
    return cell[1:] if is_escaped and bare else cell


def _is_same(again: str, written: str) -> bool:
    """Return whether a cell is the same; of a cut one, what an escape left room for."""
    is_cut = len(written) == reader.MAX_CELL_LENGTH
    return again == written or (is_cut and again[:-1] == written[: len(again) - 1])


def _goes_round(decided: sheet.Sheet) -> None:
    """Check that the error report, dropped unchanged, has the same rows."""
    if decided.rejections.empty:
        return
    messages = error_report.compose_messages(decided.rejections)
    again = reader.read_sheet(
        error_report.render_report(decided.cells, messages, decided.extras["cells"]),
        lane=upload.Lane.HIGH_VOLUME,
    )
    rejected = decided.cells.loc[messages.index]
    same = len(again.cells) == len(rejected) and all(
        map(_is_same, again.cells.to_numpy().flat, rejected.to_numpy().flat)
    )
    _expect(same, "the report holds other cells")
    # A letter that could not be read stays one that cannot be read, and a row with
    # extra cells one that has too many.
    is_shape = again.rejections["code"].ne(reasons.TEXT_ENCODING)
    has_extra = again.extras["cells"].ne("")
    is_explained = again.rejections["line"].isin(has_extra[has_extra].index)
    _expect(not (is_shape & ~is_explained).any(), "the report has misshapen rows")
    extra = decided.extras["cells"].reindex(messages.index, fill_value="")
    is_kept = again.extras["cells"].tolist() == extra.tolist()
    _expect(is_kept, "the report has other extra cells")
