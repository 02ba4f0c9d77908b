"""Sheets for the tests of the domain, made from the text of a CSV."""

import datetime as dt
import io

import pandas as pd

from cvms_pipeline.domain.matching import duplicates
from cvms_pipeline.domain.reading import reader
from cvms_pipeline.domain.reporting import error_report
from cvms_pipeline.domain.sheets import packing, sheet
from cvms_pipeline.domain.validation import row_schema
from cvms_pipeline.domain.vocabulary.upload import Lane

TODAY = dt.date(2026, 1, 5)
HEADER = "First name,Last name,Date of birth,Email"
GOOD = "Ann,Lee,1/2/1990,ann@example.org"


def read(data: str | bytes, lane: Lane = Lane.LOW_VOLUME) -> sheet.Sheet:
    return reader.read_sheet(
        data.encode() if isinstance(data, str) else data, lane=lane
    )


def below_header(*rows: str) -> str:
    return "\n".join([HEADER, *rows])


def validate(
    data: str | bytes, today: dt.date = TODAY, lane: Lane = Lane.LOW_VOLUME
) -> sheet.Sheet:
    return row_schema.validate_rows(read(data, lane), today=today)


def plan(
    data: str | bytes,
    matches: pd.DataFrame = duplicates.NO_MATCHES,
    *,
    provider: str | None = "mercy",
    upload: str | None = "this-upload",
) -> sheet.Sheet:
    return duplicates.plan_rows(
        validate(data), matches, provider=provider, upload=upload
    )


def row(
    first: str = "Ann",
    last: str = "Lee",
    born: str = "1/2/1990",
    email: str = "ann@example.org",
) -> str:
    """Return a row for these cells, whatever they hold."""
    return quote(first, last, born, email)


def quote(*cells: str) -> str:
    """Return a row of any number of cells."""
    doubled = (cell.replace('"', '""') for cell in cells)
    return ",".join(f'"{cell}"' for cell in doubled)


def report_of(decided: sheet.Sheet) -> bytes:
    """Return the error report of a sheet."""
    messages = error_report.compose_messages(decided.rejections)
    return error_report.render_report(decided.cells, messages, decided.extras["cells"])


def reasons_in_row(**cells: str) -> list[tuple[str, str]]:
    """Return the codes and texts that a row with these cells gets."""
    return reasons_of(validate(below_header(row(**cells))))


def reasons_in_rows(column: str, values: list[str]) -> list[tuple[str, str]]:
    """Return the codes and texts of one row for each of `values` in `column`."""
    return reasons_of(validate(below_header(*(row(**{column: v}) for v in values))))


def reasons_of(validated: sheet.Sheet) -> list[tuple[str, str]]:
    return list(
        zip(validated.rejections["code"], validated.rejections["text"], strict=True)
    )


def rejections_of(validated: sheet.Sheet) -> list[tuple[int, str, str]]:
    table = validated.rejections
    return list(zip(table["line"], table["code"], table["text"], strict=True))


def code_of(data: str | bytes, lane: Lane = Lane.LOW_VOLUME) -> str | None:
    refusal = read(data, lane).refusal
    return refusal.code if refusal else None


def repack(packed: sheet.Sheet) -> sheet.Sheet:
    """Return the sheet as the next step receives it."""
    return packing.unpack_sheet(io.BytesIO(b"".join(packing.pack_sheet(packed))))


def assert_same(left: sheet.Sheet, right: sheet.Sheet) -> None:
    assert left.refusal == right.refusal
    assert (left.encoding, left.delimiter) == (right.encoding, right.delimiter)
    assert left.ignored_columns == right.ignored_columns
    for name in ("cells", "values", "extras", "rejections", "plan"):
        pd.testing.assert_frame_equal(getattr(left, name), getattr(right, name))
