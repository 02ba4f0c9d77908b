"""A sheet as bytes and back, so that the next step can take it up in another process.

Arrow inside Arrow: one row of a table that holds the facts as JSON and each frame
as a stream of its own.  Where the bytes lie is `files.work`.
"""

import dataclasses
import json

import pandas as pd
import pyarrow as pa

from cvms_pipeline.domain import reasons, sheet

_FRAMES = ("cells", "values", "rejections", "plan")


def pack(packed: sheet.Sheet) -> bytes:
    """Return `packed` as bytes that `unpack` turns back into an equal sheet."""
    facts = {
        "refusal": dataclasses.asdict(packed.refusal) if packed.refusal else None,
        "encoding": packed.encoding,
        "delimiter": packed.delimiter,
        "ignored_columns": list(packed.ignored_columns),
    }
    frames = {name: _stream(getattr(packed, name)) for name in _FRAMES}
    return bytes(_ipc(pa.table({"facts": [json.dumps(facts)], **frames})))


def unpack(data: bytes) -> sheet.Sheet:
    """Return the sheet that `pack` made `data` from."""
    row = _table(data)
    facts = json.loads(row["facts"][0].as_py())
    refusal = facts.pop("refusal")
    return sheet.Sheet(
        refusal=reasons.Refusal(**refusal) if refusal else None,
        ignored_columns=tuple(facts.pop("ignored_columns")),
        **facts,
        **{name: _table(row[name][0].as_buffer()).to_pandas() for name in _FRAMES},
    )


def _stream(frame: pd.DataFrame) -> pa.Array:
    """Return one value, the frame as a stream, without another copy of its bytes."""
    data = _ipc(pa.Table.from_pandas(frame))
    bounds = pa.array([0, data.size], pa.int32()).buffers()[1]
    return pa.Array.from_buffers(pa.binary(), 1, [None, bounds, data])


def _ipc(table: pa.Table) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def _table(data: bytes | pa.Buffer) -> pa.Table:
    with pa.ipc.open_stream(data) as reader:
        return reader.read_all()
