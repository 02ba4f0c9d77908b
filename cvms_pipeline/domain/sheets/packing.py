"""A sheet as bytes and back, so that the next step can run in another process.

The bytes are a line of JSON, the head, and an Arrow stream for each frame that a step
has filled.  Each text
is in memory once: the packed bytes are views of the frames, and the unpacked frames are
views of the bytes.  `files.archive` keeps them.
"""

import dataclasses
import io
import itertools
import json
from typing import Any

import pandas as pd
import pyarrow as pa
from pandera.pandas import DataFrameModel

from cvms_pipeline import errors
from cvms_pipeline.domain.sheets import frames, sheet
from cvms_pipeline.domain.text import arrow
from cvms_pipeline.domain.vocabulary import reasons

_FORMAT = 7
"""Increased when the form of the bytes or the meaning of a sheet changes."""


class SheetUnreadable(errors.PermanentError):
    """The file holds no sheet, or one that another version has packed."""


def pack_sheet(packed: sheet.Sheet) -> list[memoryview]:
    """Return the bytes of the sheet `packed`, in pieces."""
    unfilled = sheet.make_empty()
    streams = [
        []
        if (frame := getattr(packed, name)) is getattr(unfilled, name)
        else _write_stream(frame)
        for name in frames.FRAMES
    ]
    head = {
        "format": _FORMAT,
        "sizes": [sum(map(len, stream)) for stream in streams],
        "refusal": dataclasses.asdict(packed.refusal) if packed.refusal else None,
        "refused_rows": packed.refused_rows,
        "encoding": packed.encoding,
        "delimiter": packed.delimiter,
        "ignored_columns": list(packed.ignored_columns),
        "remarks": list(packed.remarks),
    }
    line = json.dumps(head).encode("ascii") + b"\n"
    return [memoryview(line), *itertools.chain.from_iterable(streams)]


def unpack_sheet(file: io.BufferedIOBase) -> sheet.Sheet:
    """Return the sheet that is packed in `file`.

    Raises:
        SheetUnreadable: If the file is empty, incomplete or of another version.
    """
    head = _read_head(file)
    arrow.release_memory(sum(head["sizes"]))
    sizes = zip(head["sizes"], frames.FRAMES.items(), strict=True)
    unpacked = {
        name: _read_frame(file, size, model)
        if size
        else getattr(sheet.make_empty(), name)
        for size, (name, model) in sizes
    }
    refusal = head["refusal"]
    return sheet.Sheet(
        refusal=reasons.Refusal(**refusal) if refusal else None,
        refused_rows=head["refused_rows"],
        encoding=head["encoding"],
        delimiter=head["delimiter"],
        ignored_columns=tuple(head["ignored_columns"]),
        remarks=tuple(head["remarks"]),
        **unpacked,
    )


class _Pieces(list[memoryview]):
    """The pieces that Arrow writes, as if to a file; they are not copied."""

    closed = False

    def write(self, piece: Any) -> int:
        """Append `piece`: bytes, or a buffer of Arrow's."""
        self.append(memoryview(piece))
        return len(piece)


def _write_stream(frame: pd.DataFrame) -> _Pieces:
    table, pieces = pa.Table.from_pandas(frame), _Pieces()
    with pa.ipc.new_stream(pa.PythonFile(pieces, mode="w"), table.schema) as writer:
        writer.write_table(table)
    return pieces


def _read_head(file: io.BufferedIOBase) -> dict[str, Any]:
    """Return the line at the head of `file`."""
    try:
        head = json.loads(file.readline())
    except ValueError:
        raise SheetUnreadable from None
    if not isinstance(head, dict) or head.get("format") != _FORMAT:
        raise SheetUnreadable
    return head


def _read_frame(
    file: io.BufferedIOBase, size: int, model: type[DataFrameModel]
) -> pd.DataFrame:
    """Return the frame of `model` whose stream is the next `size` bytes of `file`."""
    stream = pa.allocate_buffer(size)
    if file.readinto(memoryview(stream)) != size:
        raise SheetUnreadable
    with pa.ipc.open_stream(stream) as reader:
        frame: pd.DataFrame = reader.read_all().to_pandas()
    if list(frame) != list(model.to_schema().columns):
        raise SheetUnreadable
    return frame
