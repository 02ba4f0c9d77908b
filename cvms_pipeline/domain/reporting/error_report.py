"""The error report `BulkError.csv`: its messages and its bytes.

`files` keeps the report, and `mail` sends it.
"""

import codecs
import csv
import io
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

import pandas as pd

from cvms_pipeline.domain.sheets import sheet
from cvms_pipeline.domain.text import arrow, formulas
from cvms_pipeline.domain.vocabulary import columns, upload

_BATCH_BYTES = 1_000_000


def compose_messages(
    rejected: pd.DataFrame,
    file_name: str = "",
    origin: upload.ReportOrigin | None = None,
) -> pd.Series:
    """Return the texts for the provider: `Line N: ` and the line's reasons.

    Args:
        rejected: The reasons: `frames.Rejections`.
        file_name: The name of the file.
        origin: Of which other file it is the error report, if that is known; its lines
            are named, too.

    Returns:
        One text for each line, indexed by `line`, in order of line.
    """
    texts = sheet.join_by_line(rejected, "text", "; ")
    lines = "Line " + texts.index.astype(str)
    if origin is not None:
        named = origin.describe_lines(file_name)
        lines += [named.get(line, "") for line in texts.index.tolist()]
    return lines + ": " + texts


def render_report(
    cells: pd.DataFrame, messages: pd.Series, extras: pd.Series | None = None
) -> bytes:
    """Return the report: UTF-8 with byte-order mark, comma, CRLF, every cell quoted.

    No cell of it, and no part of one between semicolons or tabs, is a formula.

    Args:
        cells: The rows as the provider wrote them: `frames.Cells`.
        messages: The result of `compose_messages`: one text for each line to report.
        extras: The cells in no known column, as in `frames.Extras`, by line; they are
            written in columns `Extra 1` and so on, behind `Error`.
    """
    extra = {} if extras is None else _unpack(extras.loc[extras != ""])
    size = int(cells.memory_usage(index=False).sum()) + 1
    arrow.release_memory(size)
    # At once as large as the cells: a buffer that grows is copied each time.
    file = io.BytesIO(bytes(size))
    file.write(codecs.BOM_UTF8)  # the encoding `utf-8-sig` takes twice as long
    text = io.TextIOWrapper(file, "utf-8", newline="")
    writer = csv.writer(text, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    most = max(map(len, extra.values()), default=0)
    numbered = [f"{columns.EXTRA_LABEL} {number}" for number in range(1, most + 1)]
    writer.writerow([*columns.REPORT_HEADER, *numbered])
    batch = max(1, len(messages) * _BATCH_BYTES // size)
    for start in range(0, len(messages), batch):
        reported = messages.iloc[start : start + batch]
        rows = cells.loc[reported.index]
        written = [*(rows[column] for column in columns.NAMES), reported]
        texts = [formulas.escape(column).tolist() for column in written]
        lines = zip(*texts, strict=True)
        writer.writerows(_add_extra(lines, reported.index, extra) if extra else lines)
    text.flush()
    file.truncate()
    return file.getvalue()


def _unpack(extras: pd.Series) -> Mapping[int, Sequence[str]]:
    """Return the extra cells of each line, escaped."""
    if extras.empty:
        return {}
    listed = [json.loads(text) for text in extras]
    every = pd.Series(list(itertools.chain.from_iterable(listed)), dtype=str)
    escaped = iter(formulas.escape(every))
    return {
        line: list(itertools.islice(escaped, len(cells)))
        for line, cells in zip(extras.index.tolist(), listed, strict=True)
    }


def _add_extra(
    rows: Iterable[tuple[str, ...]],
    lines: pd.Index,
    extra: Mapping[int, Sequence[str]],
) -> Iterator[tuple[str, ...]]:
    """Yield the rows of `lines`, each followed by its extra cells."""
    for row, line in zip(rows, lines.tolist(), strict=True):
        yield (*row, *extra.get(line, ()))
