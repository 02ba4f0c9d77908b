"""Files within the size limit that nobody writes by hand: what each is made of.

Only the bytes, each made from a few of them repeated; reading and measuring them is
`hostile`, what must hold for them is in the tests.
"""

from collections.abc import Callable, Mapping

from cvms_pipeline.domain.vocabulary import columns, upload

_HEADER = ",".join(columns.TEMPLATE_HEADER).encode() + b"\n"
_REPORTED = ",".join(columns.REPORT_HEADER).encode() + b"\n"

Shape = Callable[[int], bytes]
"""Makes a file of at most so many bytes."""


def _filled(unit: bytes, *, first: bytes = b"", last: bytes = b"") -> Shape:
    """Return the shape `first`, then `unit` as often as there is room, then `last`."""

    def made(size: int) -> bytes:
        return first + unit * ((size - len(first) - len(last)) // len(unit)) + last

    return made


def _rows(count: int, row: Callable[[int], bytes], first: bytes = _HEADER) -> Shape:
    """Return the shape of `count` rows that share the room evenly.

    `row` makes one of about so many bytes.
    """
    return lambda size: first + row((size - len(first)) // count - 1) * count


def _cells(unit: bytes) -> Callable[[int], bytes]:
    """Return a row whose four cells share the room, each filled with `unit`."""
    return lambda room: b",".join([unit * ((room - 4) // 4 // len(unit))] * 4) + b"\n"


def _one_cell(unit: bytes, before: bytes, after: bytes) -> Callable[[int], bytes]:
    """Return a row with one long cell, filled with `unit`."""

    def row(room: int) -> bytes:
        left = room - len(before) - len(after)
        return before + unit * (left // len(unit)) + after + b"\n"

    return row


def _utf16(shape: Shape) -> Shape:
    return lambda size: shape(size // 2 - 1).decode("utf-8").encode("utf-16")


_NAMES = "Ann Łęe".encode()
_MARKS = ("a" + "\u0301\u0327" * 3).encode()
_DUPLICATE = b"Ann,Lee,1/2/1990,a@b.org\n"

SHAPES: Mapping[str, Shape] = {
    # Blank lines: none of them is a row, and each counts as a line.
    "line feeds": _filled(b"\n"),
    "carriage returns": _filled(b"\r"),
    "line feeds below a header": _filled(b"\n", first=_HEADER, last=_DUPLICATE),
    "CRLF below a header": _filled(b"\r\n", first=_HEADER, last=_DUPLICATE),
    "spaces and line feeds": _filled(b" \n", first=_HEADER, last=_DUPLICATE),
    "no-break spaces": _filled("\xa0\n".encode(), first=_HEADER, last=_DUPLICATE),
    "empty quotes": _filled(b'""\n'),
    "empty quotes below a header": _filled(b'""\n', first=_HEADER, last=_DUPLICATE),
    "two empty quotes": _filled(b'"",""\n', first=_HEADER, last=_DUPLICATE),
    "quoted line feeds": _filled(b'"\n"\n', first=_HEADER, last=_DUPLICATE),
    "quoted spaces": _filled(b'" "\r\n', first=_HEADER, last=_DUPLICATE),
    "separators": _filled(b","),
    "separators below a header": _filled(b",", first=_HEADER),
    "lines of separators": _filled(b",,,,\n", first=_HEADER, last=_DUPLICATE),
    "lines of one separator": _filled(b",\n", first=_HEADER, last=_DUPLICATE),
    # Rows: far more than any lane takes.
    "rows of one letter": _filled(b"x\n", first=_HEADER),
    "rows of one letter, CR": _filled(b"x\r", first=_HEADER),
    "rows of one quoted letter": _filled(b'"x"\n', first=_HEADER),
    "good rows": _filled(_DUPLICATE, first=_HEADER),
    "letters without a header": _filled(b"x\n"),
    # Headers.
    "a header of letters": _filled(b"x,"),
    "a header of semicolons": _filled(b"x;"),
    "a header of quotes": _filled(b'"",'),
    "a header of quoted letters": _filled(b'"x",'),
    "a header of pairs of letters": _filled(b"xy,"),
    "a header of emoji": _filled("😀,".encode()),
    "our header, then letters": _filled(b",x", first=_HEADER[:-1], last=b"\n1"),
    "our header, then separators": _filled(b",", first=_HEADER[:-1], last=b"\n1"),
    "letters, then our header": _filled(b"x,", last=_HEADER + _DUPLICATE),
    "our columns again and again": _filled(b"Email,", first=_HEADER[:-1]),
    "a header of one name": _filled(b"x"),
    "a header of one quoted name": _filled(b"x", first=b'"', last=b'"'),
    "a header of wide names": _filled(b"x" * 9_999 + b",", last=_HEADER + _DUPLICATE),
    # One line.
    "a row of letters": _filled(b"x,", first=_HEADER),
    "a row of pairs of letters": _filled(b"xy,", first=_HEADER),
    "a row of empty quotes": _filled(b'"",', first=_HEADER),
    "a row of quoted letters": _filled(b'"x",', first=_HEADER),
    "a row of one cell": _filled(b"x", first=_HEADER),
    "a row of one quoted cell": _filled(b"x", first=_HEADER + b'"', last=b'"'),
    "a row of one long address": _filled(
        b"a.", first=_HEADER + b"Ann,Lee,1/2/1990,", last=b"@b.org\n"
    ),
    "a row of doubled quotes": _filled(b'""', first=_HEADER + b'"', last=b'"\n'),
    "a row of line breaks": _filled(b"\n", first=_HEADER + b'"', last=b'",b,c,d\n'),
    # Quotation marks that make no sense.
    "a quote never closed": _filled(b"a,b,c,d\n", first=_HEADER + b'"'),
    "quotes never closed": _filled(b'a,"b\n', first=_HEADER),
    "quotes that alternate": _filled(b'"a\n', first=_HEADER),
    "quotes only": _filled(b'"'),
    "quotes only below a header": _filled(b'"', first=_HEADER),
    "a quote and a letter": _filled(b'"x'),
    "a quote a line": _filled(b'"\n', first=_HEADER),
    # As many rows as a lane takes, each as long as there is room.
    "5,000 long rows": _rows(5_000, _cells(b"x")),
    "5,000 long rows of formulas": _rows(5_000, _cells(b"=1+1|A")),
    "5,000 long rows of quotes": _rows(5_000, _cells(b'"')),
    "5,000 long rows of accents": _rows(5_000, _cells(_NAMES)),
    "5,000 long rows of marks": _rows(5_000, _cells(_MARKS)),
    "5,000 long rows of spaces": _rows(5_000, _cells(b" x")),
    "5,000 long rows of emoji": _rows(5_000, _cells("😀".encode())),
    "5,000 long rows of NUL's picture": _rows(5_000, _cells("\u2400".encode())),
    "5,000 rows of too many cells": _rows(5_000, _one_cell(b"x,", b"", b"")),
    "5,000 rows of too many empty cells": _rows(5_000, _one_cell(b",", b"x", b"y")),
    "5,000 rows with empty cells at the end": _rows(
        5_000, _one_cell(b",", b"Ann,Lee,1/2/1990,a@b.org", b"")
    ),
    "5,000 rows with a long address": _rows(
        5_000, _one_cell(b"a.", b"Ann,Lee,1/2/1990,", b"@b")
    ),
    "5,000 rows with a long domain": _rows(
        5_000, _one_cell(b"a-", b"Ann,Lee,1/2/1990,a@", b".")
    ),
    "5,000 rows with a long date": _rows(5_000, _one_cell(b"1/", b"Ann,Lee,", b",a@b")),
    "5,000 rows with a long error": _rows(
        5_000, _one_cell(b"x", b"Ann,Lee,1/2/19900,a@b.org,", b""), _REPORTED
    ),
    "100 rows of a tenth of a megabyte": _rows(100, _cells(b"x")),
    "100 rows of wide characters": _rows(100, _cells("\U0002070e".encode())),
    "100 rows of line breaks": _rows(100, _one_cell(b"\n", b'"', b'",b,c,d')),
    # Encodings.
    "UTF-16 line feeds": _utf16(_filled(b"\n")),
    "UTF-16 rows of one letter": _utf16(_filled(b"x\n", first=_HEADER)),
    "one wide character and line feeds": _filled(b"\n", last="😀\n".encode()),
    "Windows-1252": _filled(b"\x80\n", first=_HEADER),
    "undefined bytes": _filled(b"x\n", first=_HEADER, last=b"\x81"),
    "an overlong NUL": _filled(b"\xc0\x80", first=_HEADER),
    "5,000 long rows of Windows-1252": _rows(5_000, _cells(b"\xed\xa0\x80")),
    "5,000 long rows of euro signs": _rows(5_000, _cells(b"\x80" * 40 + b"\xa0")),
    "halves of surrogates": _filled(b"\xed\xa0\x80", first=_HEADER),
    "NUL bytes": _filled(b"\0"),
    "one NUL byte at the end": _filled(b"x\n", first=_HEADER, last=b"\0"),
    "a zip archive": _filled(b"\0", first=b"PK\x03\x04"),
}
"""Each shape by its name, as tests and tables show it."""


WORST = (
    "quoted line feeds",
    "two empty quotes",
    "a header of quoted letters",
    "our header, then separators",
    "a row of line breaks",
    "a row of doubled quotes",
    "a quote a line",
    "quotes that alternate",
    "5,000 long rows of formulas",
    "5,000 long rows of quotes",
    "5,000 long rows of emoji",
    "5,000 rows with empty cells at the end",
    "5,000 long rows of Windows-1252",
    "5,000 long rows of euro signs",
)
"""Those that cost most, each for a reason of its own."""


def made(name: str, size: int = upload.MAX_BYTES) -> bytes:
    """Return the file of that name, of at most `size` bytes."""
    return SHAPES[name](size)
