"""Sheets for the tests of the domain, made from the text of a CSV."""

import datetime as dt
import io

import pandas as pd

from cvms_pipeline.domain import duplicates, packing, reading, schema, sheet
from cvms_pipeline.domain.upload import Lane

TODAY = dt.date(2026, 1, 5)
HEADER = "First name,Last name,Date of birth,Email"
GOOD = "Ann,Lee,1/2/1990,ann@example.org"


def read(data: str | bytes, lane: Lane = Lane.LOW_VOLUME) -> sheet.Sheet:
    return reading.read(data.encode() if isinstance(data, str) else data, lane=lane)


def below_header(*rows: str) -> str:
    return "\n".join([HEADER, *rows])


def judge(data: str | bytes, today: dt.date = TODAY) -> sheet.Sheet:
    return schema.judge(read(data), today=today)


def check(
    data: str | bytes,
    matches: pd.DataFrame = duplicates.NO_MATCHES,
    *,
    provider: str | None = "mercy",
    upload: str | None = "this-upload",
) -> sheet.Sheet:
    return duplicates.decide(judge(data), matches, provider=provider, upload=upload)


def row(
    first: str = "Ann",
    last: str = "Lee",
    born: str = "1/2/1990",
    email: str = "ann@example.org",
) -> str:
    """Return a row for these cells, whatever they hold."""
    doubled = (cell.replace('"', '""') for cell in (first, last, born, email))
    return ",".join(f'"{cell}"' for cell in doubled)


def judged_row(**cells: str) -> list[tuple[str, str]]:
    """Return the codes and texts that a row with these cells gets."""
    return reasons_of(judge(below_header(row(**cells))))


def judged_rows(column: str, values: list[str]) -> list[tuple[str, str]]:
    """Return the codes and texts of one row for each of `values` in `column`."""
    return reasons_of(judge(below_header(*(row(**{column: v}) for v in values))))


def reasons_of(judged: sheet.Sheet) -> list[tuple[str, str]]:
    return list(zip(judged.rejections["code"], judged.rejections["text"], strict=True))


def told(judged: sheet.Sheet) -> list[tuple[int, str, str]]:
    table = judged.rejections
    return list(zip(table["line"], table["code"], table["text"], strict=True))


def code_of(data: str | bytes, lane: Lane = Lane.LOW_VOLUME) -> str | None:
    refusal = read(data, lane).refusal
    return refusal.code if refusal else None


def handed_on(packed: sheet.Sheet) -> sheet.Sheet:
    """Return the sheet as the next step gets it."""
    return packing.unpack(io.BytesIO(b"".join(packing.pack(packed))))


def assert_same(left: sheet.Sheet, right: sheet.Sheet) -> None:
    assert left.refusal == right.refusal
    assert (left.encoding, left.delimiter) == (right.encoding, right.delimiter)
    assert left.ignored_columns == right.ignored_columns
    for name in ("cells", "values", "rejections", "plan"):
        pd.testing.assert_frame_equal(getattr(left, name), getattr(right, name))
