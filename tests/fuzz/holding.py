"""What must hold for every file, whatever its bytes are.

Reading and judging as the product does it, compared with Python's `csv` module where
that has an opinion; the files come from `corpus`.
"""

import csv
import datetime as dt
import io

from cvms_pipeline.domain import (
    columns,
    decoding,
    duplicates,
    outcome,
    packing,
    reading,
    report,
    schema,
    sheet,
    upload,
)

TODAY = dt.date(2026, 1, 5)
MAX_TEXT = 400
MAX_REFUSAL = 1_200


class BrokenPromiseError(AssertionError):
    """Something that must hold for every file does not."""


def hold(data: bytes, lane: upload.Lane = upload.Lane.HIGH_VOLUME) -> None:
    """Read and judge `data`, and check all that must hold.

    Raises:
        BrokenPromiseError: If something does not.
    """
    decided = judged(data, lane)
    outcome.of(decided)  # raises if the counts do not add up
    _is_bounded(decided)
    _has_true_lines(data, decided)
    _goes_round(decided)
    again = packing.unpack(io.BytesIO(b"".join(packing.pack(decided))))
    _expect(again.values.equals(decided.values), "a sheet changes on its way")


def judged(data: bytes, lane: upload.Lane) -> sheet.Sheet:
    read = reading.read(data, lane=lane)
    made = schema.judge(read, today=TODAY)
    return duplicates.decide(made, duplicates.NO_MATCHES, provider=None, upload=None)


def _expect(is_so: bool, otherwise: str) -> None:
    if not is_so:
        raise BrokenPromiseError(otherwise)


def _is_bounded(decided: sheet.Sheet) -> None:
    """Check that no text grows with the file."""
    refusal = decided.refusal.message if decided.refusal else "one line"
    _expect(len(refusal) <= MAX_REFUSAL, "a refusal is too long")
    _expect(refusal.isprintable(), "a refusal is not one line")
    longest = max(map(len, decided.rejections["text"]), default=0)
    _expect(longest <= MAX_TEXT, "a reason is too long")
    ignored = decided.ignored_columns
    _expect(len(ignored) <= columns.MAX_IGNORED + 1, "too many columns are named")
    longest = max(map(len, ignored), default=0)
    _expect(longest <= columns.MAX_NAME_LENGTH, "a column's name is too long")


def _has_true_lines(data: bytes, decided: sheet.Sheet) -> None:
    """Check that each row stands in the line that it is told to stand in."""
    lines = decided.cells.index
    _expect(lines.is_unique and lines.is_monotonic_increasing, "lines are not in order")
    text = decoding.decode(data, max_bytes=upload.MAX_BYTES)
    if decided.refusal or not isinstance(text, decoding.Text):
        return
    try:
        file = io.StringIO(text.text, newline="")
        records = list(csv.reader(file, delimiter=decided.delimiter, strict=True))
    except csv.Error:
        return  # broken quotes: it has no opinion
    header = next(record for record in records if "".join(record).strip())
    positions = columns.match(header).positions
    for line, *cells in decided.cells.itertuples():
        written = [
            dict(enumerate(records[line - 1])).get(positions[column], "")
            for column in columns.REQUIRED
        ]
        kept = [_unescaped(_cut(cell)) for cell in written]
        _expect(kept == cells, f"line {line} holds something else")


def _cut(cell: str) -> str:
    most = reading.MAX_CELL_LENGTH
    return cell if len(cell) <= most else cell[: most - 1] + "…"


def _unescaped(cell: str) -> str:
    bare = cell.lstrip("'")
    is_escaped = cell[:1] == "'" and bare[:1] in {"=", "+", "-", "@", "\t", "\r"}
    return cell[1:] if is_escaped and bare else cell


def _goes_round(decided: sheet.Sheet) -> None:
    """Check that the error report, dropped as it is, tells the same again."""
    if decided.rejections.empty:
        return
    told = report.messages(decided.rejections)
    again = reading.read(
        report.bulk_error(decided.cells, told), lane=upload.Lane.HIGH_VOLUME
    )
    rejected = decided.cells.loc[told.index]
    same = again.cells.to_numpy().tolist() == rejected.to_numpy().tolist()
    _expect(same, "the report holds other cells")
    _expect(again.rejections.empty, "the report has rows of a wrong shape")
