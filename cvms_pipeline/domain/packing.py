"""A sheet as bytes and back, so that the next step can take it up in another process.

A line of JSON, the head, with the facts; then each frame as an Arrow stream.  Each
text is held once: what is packed are views of the frames' own memory, and the frames
that are unpacked are views of what was read.  Where the bytes lie is `files.work`.
"""

import dataclasses
import io
import itertools
import json
from typing import Any

import pandas as pd
import pyarrow as pa

from cvms_pipeline import errors
from cvms_pipeline.domain import memory, reasons, sheet

FORMAT = 3
"""The number of this way to pack; it grows when a sheet or its columns change, too."""

_FRAMES = ("cells", "values", "rejections", "plan")


class Unreadable(errors.PermanentError):
    """The file holds no sheet, or one that another version has packed."""


def pack(packed: sheet.Sheet) -> list[memoryview]:
    """Return the bytes that `unpack` turns into an equal sheet, in pieces."""
    streams = [_stream(getattr(packed, name)) for name in _FRAMES]
    head = {
        "format": FORMAT,
        "sizes": [sum(map(len, stream)) for stream in streams],
        "refusal": dataclasses.asdict(packed.refusal) if packed.refusal else None,
        "encoding": packed.encoding,
        "delimiter": packed.delimiter,
        "ignored_columns": list(packed.ignored_columns),
    }
    line = json.dumps(head).encode("ascii") + b"\n"
    return [memoryview(line), *itertools.chain.from_iterable(streams)]


def unpack(file: io.BufferedIOBase) -> sheet.Sheet:
    """Return the sheet that lies in `file`, packed.

    Raises:
        Unreadable: If there is none, not all of it, or one of another version.
    """
    head = _head(file)
    memory.make_room(sum(head["sizes"]))
    frames = {
        name: _frame(file, size)
        for name, size in zip(_FRAMES, head["sizes"], strict=True)
    }
    refusal = head["refusal"]
    return sheet.Sheet(
        refusal=reasons.Refusal(**refusal) if refusal else None,
        encoding=head["encoding"],
        delimiter=head["delimiter"],
        ignored_columns=tuple(head["ignored_columns"]),
        **frames,
    )


class _Pieces(list[memoryview]):
    """What Arrow writes to as if it were a file; nothing is copied."""

    closed = False

    def write(self, piece: Any) -> int:
        """Keep `piece`: bytes, or a buffer of Arrow's."""
        self.append(memoryview(piece))
        return len(piece)


def _stream(frame: pd.DataFrame) -> _Pieces:
    table, pieces = pa.Table.from_pandas(frame), _Pieces()
    with pa.ipc.new_stream(pa.PythonFile(pieces, mode="w"), table.schema) as writer:
        writer.write_table(table)
    return pieces


def _head(file: io.BufferedIOBase) -> dict[str, Any]:
    """Return the line at the head of `file`."""
    try:
        head = json.loads(file.readline())
    except ValueError:
        raise Unreadable from None
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise Unreadable
    return head


def _frame(file: io.BufferedIOBase, size: int) -> pd.DataFrame:
    """Return the frame whose stream are the next `size` bytes of `file`."""
    stream = pa.allocate_buffer(size)
    if file.readinto(memoryview(stream)) != size:
        raise Unreadable
    with pa.ipc.open_stream(stream) as reader:
        frame: pd.DataFrame = reader.read_all().to_pandas()
    return frame
