"""The search for canaries: names, dates and addresses that tests have planted.

Searches tables, folders and process lists for text, also inside of JSON and bytes that
are compressed (zlib, gzip) or encoded (base64, hexadecimal).  The tests plant the
canaries.
"""

import base64
import re
import shutil
import subprocess
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

# What stands between the parts of a date is no letter and no digit: a hash of 64
# characters may hold "1931f79df19" by chance.
PATTERN = re.compile(
    rb"zebulonia|quackenbush|canary.?bird|nest.example|canarywood|canary.example"
    rb"|0?7[\W_]{1,3}19[\W_]{1,3}1931|1931[\W_]{1,3}0?7[\W_]{1,3}19|19310719|07191931",
    re.I,
)
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{16,}={0,2}")
_HEX = re.compile(rb"(?:[0-9a-f]{2}){12,}", re.I)
_STANDARD = bytes.maketrans(b"-_", b"+/")
_PACKED = re.compile(rb"\x78[\x01\x5e\x9c\xda]|\x1f\x8b\x08")
_DEPTH = 2
_AROUND = 100
_COLUMNS = """
SELECT table_schema, table_name, column_name
  FROM information_schema.columns
  JOIN information_schema.tables USING (table_schema, table_name)
 WHERE table_schema = ANY(:schemas) AND table_type = 'BASE TABLE'
 ORDER BY 1, 2, 3
"""


def find(text: str | bytes) -> list[str]:
    """Return the surroundings of each canary in `text`, also in encoded parts of it."""
    data = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
    return [
        layer[max(0, hit.start() - _AROUND) : hit.end() + _AROUND].decode("latin-1")
        for layer in _layers(data, _DEPTH)
        for hit in PATTERN.finditer(layer)
    ]


def _layers(data: bytes, depth: int) -> Iterator[bytes]:
    yield data
    if b"\0" in data:
        yield data.replace(b"\0", b"")  # UTF-16
    if depth:
        for inner in _unwrapped(data):
            yield from _layers(inner, depth - 1)


def _unwrapped(data: bytes) -> Iterator[bytes]:
    for hit in _PACKED.finditer(data):
        try:
            yield zlib.decompressobj(wbits=47).decompress(data[hit.start() :], 10**7)
        except zlib.error:
            continue
    for hit in _HEX.finditer(data):
        yield bytes.fromhex(hit.group().decode("ascii"))
    for hit in _BASE64.finditer(data):
        whole = hit.group().rstrip(b"=").translate(_STANDARD)
        for start in range(4):  # the text before it may look like base64, too
            yield _decoded(whole[start:])


def _decoded(text: bytes) -> bytes:
    usable = text[:-1] if len(text) % 4 == 1 else text
    return base64.b64decode(usable + b"=" * (-len(usable) % 4))


def find_in_tables(conn: sa.Connection, schemas: Sequence[str]) -> dict[str, list[str]]:
    """Return the canaries by column, of every column of every table of `schemas`."""
    columns = conn.execute(sa.text(_COLUMNS), {"schemas": list(schemas)}).all()
    assert {schema for schema, _, _ in columns} == set(schemas)
    hits: dict[str, list[str]] = {}
    for schema, table, column in columns:
        query = f'SELECT "{column}" FROM "{schema}"."{table}"'  # noqa: S608 # from the catalogue
        for (value,) in conn.execute(sa.text(query)):
            for hit in find(_as_bytes(value)):
                hits.setdefault(f"{schema}.{table}.{column}", []).append(hit)
    return hits


def _as_bytes(value: Any) -> bytes:
    if isinstance(value, memoryview | bytes | bytearray):
        return bytes(value)
    return str(value).encode("utf-8", "surrogateescape")


def find_in_files(*places: Path) -> dict[str, list[str]]:
    """Return the canaries in the files at or below `places`, and in their names."""
    paths = [path for place in places for path in (place, *place.rglob("*"))]
    hits = {str(path): find(str(path.name)) for path in paths}
    for path in paths:
        if path.is_file():
            hits[str(path)] += find(path.read_bytes())
    return {path: hit for path, hit in hits.items() if hit}


def find_in_processes() -> list[str]:
    """Return the canaries in the arguments of all processes."""
    ps = shutil.which("ps") or "ps"
    arguments = subprocess.run(  # noqa: S603 # fixed arguments
        [ps, "axww", "-o", "args"], capture_output=True, check=True
    ).stdout
    return find(arguments)
