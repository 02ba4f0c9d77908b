"""The error report `BulkError.csv`: its bytes, its messages, its escaping.

Where the report is kept and to whom it goes is `files` and `notify`.
"""

import csv
import io

import pandas as pd

from cvms_pipeline.domain import columns, memory, rejections, strings

_RUNS = r"\A'*[=+\-@\t\r]"
_BYTES_AT_ONCE = 1_000_000
_ESCAPED = r"\A'+[=+\-@\t\r]"


def escape(texts: pd.Series) -> pd.Series:
    """Return `texts` so that no spreadsheet runs one as a formula.

    A text that begins with `=`, `+`, `-`, `@`, a tab or CR gets a `'` before it; so
    does one that already has some `'` there, which makes `unescape` exact.
    """
    runs = strings.matches(texts, _RUNS)
    return texts.mask(runs, "'" + texts) if runs.any() else texts


def unescape(texts: pd.Series) -> pd.Series:
    """Return `texts` as they were before `escape`."""
    is_escaped = strings.matches(texts, _ESCAPED)
    return texts.mask(is_escaped, texts.str[1:]) if is_escaped.any() else texts


def messages(rejected: pd.DataFrame) -> pd.Series:
    """Return what the provider reads: `Line N: ` and the line's reasons.

    Args:
        rejected: The table of `rejections`, one row a reason.

    Returns:
        One text a line, indexed by `line`, in order of line.
    """
    texts = rejections.in_line(rejected, "text", "; ")
    return "Line " + texts.index.astype(str) + ": " + texts


def bulk_error(cells: pd.DataFrame, messages: pd.Series) -> bytes:
    """Return the report: UTF-8 with byte-order mark, comma, CRLF.

    Args:
        cells: The provider's own text, the four columns, indexed by `line`.
        messages: What `messages` returned: one text for each line to report.
    """
    size = int(cells.memory_usage(index=False).sum()) + 1
    memory.make_room(size)
    # With room for what is known to come: what grows is moved again and again.
    file = io.BytesIO(bytes(size))
    text = io.TextIOWrapper(file, "utf-8-sig", newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns.REPORT_HEADER)
    at_once = max(1, len(messages) * _BYTES_AT_ONCE // size)
    for start in range(0, len(messages), at_once):
        told = messages.iloc[start : start + at_once]
        rows = cells.loc[told.index]
        texts = [escape(rows[column]).tolist() for column in columns.REQUIRED]
        writer.writerows(zip(*texts, told.tolist(), strict=True))
    text.flush()
    file.truncate()
    return file.getvalue()
