"""From an upload's bytes to a sheet of rows, or to a refusal.

Everything that concerns the file as a whole, and the number of cells in its rows.
`row_schema` decides whether the values are valid.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa

from cvms_pipeline.domain.reading import (
    decoding,
    extra_cells,
    header_advice,
    legibility,
    plain_rows,
    records,
    refusals,
    row_filter,
)
from cvms_pipeline.domain.sheets import sheet
from cvms_pipeline.domain.text import arrow, formulas, normalise
from cvms_pipeline.domain.vocabulary import columns, reasons, upload, wording

MAX_CELL_LENGTH = 32_767
"""The characters that a spreadsheet's cell can hold; longer cells are cut."""

_MAX_COUNTED = 100_000
"""Further rows are not counted: the file is refused in any case."""


def read_sheet(
    data: bytes, *, lane: upload.Lane, max_bytes: int = upload.MAX_BYTES
) -> sheet.Sheet:
    """Return the sheet that `data` holds, or an empty one with the refusal.

    No content of `data` raises an error.  Rows with a wrong number of cells or broken
    quotation marks are already rejected (`row-cells`), and rows whose letters are
    uncertain (`text-encoding`); no plan is made yet.
    """
    decoded = decoding.decode(data, max_bytes=max_bytes)
    if isinstance(decoded, reasons.Refusal):
        is_empty = decoded.code == reasons.FILE_EMPTY
        return sheet.make_empty(decoded).replace(refused_rows=0 if is_empty else None)
    text = decoding.remove_end_sign(decoded.text)
    delimiter = records.find_delimiter(text)
    found = records.read_records(text, delimiter)
    header, refusal = _read_header(found, decoded, delimiter)
    remarks: tuple[str, ...] = ()
    refused_rows = None
    if refusal is not None:
        refused_rows = _count_refused(header, text, delimiter)
    else:
        rows = _read_plain(text, header, delimiter, lane.max_rows)
        if not rows.count:
            filled = row_filter.RowFilter(found, header)
            rows = _take_rows(filled, header, delimiter, lane.max_rows)
            remarks = tuple(legibility.read_row(filled.remarks, decoded))
        refusal = _refuse_count(rows.count, lane)
        refused_rows = _know(rows.count) if refusal else None
    known = sheet.make_empty(refusal).replace(
        refused_rows=refused_rows,
        encoding=decoded.encoding,
        delimiter=delimiter,
        ignored_columns=header.ignored,
        remarks=remarks,
    )
    if refusal:
        return known
    is_whole, is_ascii = decoded.is_whole, decoded.text.isascii()
    del decoded, text, found  # to free up to eight bytes for each character
    return _fill(known, header, rows, is_whole=is_whole, is_ascii=is_ascii)


def choose_lane(data: bytes | None) -> upload.Lane:
    """Return the smallest lane that takes the rows of a file, if any does.

    Without `data`, as of a file that is too large to be read, that is the largest.
    """
    low, high = upload.Lane.LOW_VOLUME, upload.Lane.HIGH_VOLUME
    if data is None:
        return high
    if data.count(b"\n") + data.count(b"\r") <= low.max_rows:
        return low  # whatever the lines are, there are no more rows
    refusal = read_sheet(data, lane=low, max_bytes=len(data)).refusal
    return high if refusal and refusal.code == reasons.TOO_MANY_ROWS else low


def _read_header(
    found: Iterator[records.Record], decoded: decoding.Decoded, delimiter: str
) -> tuple[columns.Header, reasons.Refusal | None]:
    """Return the header, which is the first record, and why it is refused if it is."""
    first = legibility.read_row(next((cells for _, cells, _ in found), []), decoded)
    header = columns.match_header(first)
    advice = None
    if header.missing:
        below = ((at, legibility.read_row(row, decoded), q) for at, row, q in found)
        advice = header_advice.advise(first, delimiter, below)
    return header, refusals.refuse_header(header, advice)


def _refuse_count(count: int, lane: upload.Lane) -> reasons.Refusal | None:
    if count == 0:
        return reasons.make_refusal(reasons.FILE_EMPTY)
    if count > lane.max_rows:
        return refusals.refuse_row_count(count, lane, at_least=count > _MAX_COUNTED)
    return None


def _count_refused(header: columns.Header, text: str, delimiter: str) -> int | None:
    """Return the number of rows below a refused header, if that is a header at all."""
    if header.found and not header.positions:
        return None
    found = itertools.islice(records.read_records(text, delimiter), _MAX_COUNTED + 2)
    return _know(max(sum(1 for _ in found) - 1, 0))


def _know(count: int) -> int | None:
    """Return the number of rows, or None if there may be more than were counted."""
    return count if count <= _MAX_COUNTED else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """The first rows below a usable header, and how many there are.

    Attributes:
        lines: The row number of each, as a spreadsheet shows it.
        cells: The cells of each in the order of the header's `positions`; empty where
            the row is too short.
        plain: In their place, the columns of a usual file.
        misshapen: The text of the reason `row-cells`, by line.
        extras: The cells in no known column, and the cell in the `Error` column, by
            line; only of rows that have some which must not be lost.
        count: The number of all rows; at most one more than `_MAX_COUNTED`.
    """

    lines: Sequence[int]
    cells: Sequence[Sequence[str]] = ()
    plain: plain_rows.Columns = field(default_factory=dict)
    misshapen: Mapping[int, str] = field(default_factory=dict)
    extras: Mapping[int, tuple[list[str], str]] = field(default_factory=dict)
    count: int


def _read_plain(
    text: str, header: columns.Header, delimiter: str, max_rows: int
) -> _Rows:
    """Return the rows of a usual file, whose header is its first line; else none."""
    plain = plain_rows.read_columns(text, header, delimiter, max_rows)
    count = len(next(iter(plain.values()), ()))
    return _Rows(lines=range(2, count + 2), plain=plain, count=count)


def _take_rows(
    found: row_filter.RowFilter,
    header: columns.Header,
    delimiter: str,
    max_rows: int,
) -> _Rows:
    """Return the first `max_rows` of the rows `found`, with the known columns only."""
    width = len(header.found)
    least = max(header.positions[name] for name in columns.REQUIRED) + 1
    rows = iter(found)
    taken: dict[int, Sequence[str]] = {}
    misshapen: dict[int, str] = {}
    extras: dict[int, tuple[list[str], str]] = {}
    first: Iterator[row_filter.Row] = itertools.islice(rows, max_rows)
    if header.is_report:
        first = _read_report(first, header, delimiter, misshapen, extras)
    for line, picked, cells, breach in first:
        taken[line] = picked
        if breach:
            joined = breach if isinstance(breach, tuple) else None
            misshapen[line] = wording.describe_breach(joined)
            if len(cells) > width:
                _set_aside(extras, line, cells, header)
        elif len(cells) != width:
            filled = extra_cells.count_filled(cells, width)
            if not least <= filled <= width:
                places = list(header.positions.values())
                misshapen[line] = extra_cells.describe_width(
                    cells[:filled], places, header.width, delimiter
                )
                _set_aside(extras, line, cells, header)
    more = sum(1 for _ in itertools.islice(rows, _MAX_COUNTED + 1 - max_rows))
    count = len(taken) + more
    lines = sorted(taken)  # rows with a single value come last
    ordered = [taken[line] for line in lines]
    return _Rows(
        lines=lines, cells=ordered, misshapen=misshapen, extras=extras, count=count
    )


def _read_report(
    rows: Iterator[row_filter.Row],
    header: columns.Header,
    delimiter: str,
    misshapen: dict[int, str],
    extras: dict[int, tuple[list[str], str]],
) -> Iterator[row_filter.Row]:
    """Yield the rows of an error report; note what its own columns hold.

    A row that had too many cells is `misshapen` again until one of its extra cells has
    been moved to where it belongs, or they have been removed.
    """
    places = range(len(header.positions))
    for row in rows:
        line, picked, cells, _ = row
        extra = extra_cells.list_reported(cells, header)
        extras[line] = extra, extra_cells.get_error(cells, header)
        if extra_cells.is_unmoved(extra, picked):
            row_cells = [*picked, *extra]
            text = extra_cells.describe_width(row_cells, places, len(places), delimiter)
            misshapen[line] = text + wording.UNMOVED_ADVICE
        yield row


def _set_aside(
    extras: dict[int, tuple[list[str], str]],
    line: int,
    cells: Sequence[str],
    header: columns.Header,
) -> None:
    """Keep the cells of a row that are in no known column."""
    if extra := extra_cells.list_extra(cells, header):
        extras[line] = extra, extra_cells.get_error(cells, header)


def _make_extras(
    found: Mapping[int, tuple[list[str], str]], *, encoding: str
) -> pd.DataFrame:
    """Return the frame of cells that are in no known column, without unread bytes."""
    lines = sorted(found)
    every = [cell for line in lines for cell in found[line][0]]
    every += [found[line][1] for line in lines]
    texts = legibility.read_others(every, encoding=encoding)
    held = arrow.shorten(arrow.from_texts(texts), MAX_CELL_LENGTH).to_pandas()
    read = iter(formulas.unescape(held.astype(str)).tolist())
    packed = [
        extra_cells.pack(list(itertools.islice(read, len(found[line][0]))))
        for line in lines
    ]
    index = pd.Index(lines, dtype="int64", name="line")
    return pd.DataFrame({"cells": packed, "error": list(read)}, index, dtype=str)


def _fill(
    known: sheet.Sheet,
    header: columns.Header,
    rows: _Rows,
    *,
    is_whole: bool,
    is_ascii: bool,
) -> sheet.Sheet:
    """Return the sheet `known` with its rows, of which some are already rejected."""
    in_columns = zip(*rows.cells, strict=True)
    written = rows.plain or dict(zip(header.positions, in_columns, strict=True))
    texts = legibility.read_cells(
        written, encoding=known.encoding or "", is_whole=is_whole
    )
    cells = _make_frame(rows.lines, texts.cells).apply(formulas.unescape)
    misshapen = pd.Series(rows.misshapen, dtype=str)
    extras = known.extras
    if rows.extras:
        extras = _make_extras(rows.extras, encoding=texts.encoding)
    rejected = [sheet.make_rejections(reasons.ROW_CELLS, misshapen)]
    if not is_ascii:
        uncertain = legibility.reject(cells, texts.probable)
        if len(uncertain):
            is_misshapen = uncertain["line"].isin(misshapen.index)
            rejected.append(uncertain[~is_misshapen])
    return known.replace(
        encoding=texts.encoding,
        cells=cells,
        extras=extras,
        values=cells.apply(formulas.read_texts).apply(normalise.clean_texts),
        rejections=sheet.join_rejections(rejected),
    )


def _make_frame(lines: Sequence[int], texts: Mapping[str, arrow.Texts]) -> pd.DataFrame:
    """Return the frame of all columns; those that the file lacks are empty."""
    empty = [""] * len(lines)
    held = {
        name: arrow.shorten(arrow.from_texts(texts.get(name, empty)), MAX_CELL_LENGTH)
        for name in columns.NAMES
    }
    frame: pd.DataFrame = pa.table(held).to_pandas()
    return frame.set_axis(pd.Index(np.array(lines, "int64"), name="line"))
