"""Which bytes are text, and in which encoding."""

import gzip

import pytest
import sheets

from cvms_pipeline.domain.reading import reader
from cvms_pipeline.domain.vocabulary.upload import Lane

TEXT = sheets.below_header("Renée,Müller,1/2/1990,renee@example.org")

ENCODED = [
    (TEXT.encode("utf-8"), "utf-8"),
    (TEXT.encode("utf-8-sig"), "utf-8-sig"),
    (TEXT.encode("utf-16"), "utf-16"),  # little-endian here, with its mark
    (b"\xfe\xff" + TEXT.encode("utf-16-be"), "utf-16"),
    (TEXT.encode("windows-1252"), "windows-1252"),
]
NOT_CSV = [
    gzip.compress(TEXT.encode(), mtime=0),
    b"7z\xbc\xaf\x27\x1c\x00\x04",
    b"Rar!\x1a\x07\x01\x00",
    b"BZh91AY&SY",
    b"\xfd7zXZ\x00",
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff\xe0",  # JPEG
    b"GIF89a",
    TEXT.encode() + b"\x00",  # a NUL at the end
    b"\x00\x00",
    TEXT.encode("utf-16-le"),  # UTF-16 without its mark
    TEXT.encode("utf-32"),
    (TEXT + "\x00").encode("utf-16"),  # a NUL in UTF-16
    b"\xff\xfe" + TEXT.encode("utf-16-le") + b"x",  # half a character
    b"\xff\xfe\x00\xd8",  # half a surrogate pair
]
SPREADSHEETS = [
    b"PK\x03\x04xl/workbook.xml",
    b"PK\x05\x06",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",  # .xls
]
EMPTY = [
    b"",
    b"\n",
    b" \r\n\t\r\n",
    b"\xef\xbb\xbf",  # nothing but a byte-order mark
    b"\xff\xfe",
    b",,,\n,\n",  # nothing but separators
    b'"",""\n',
    "\u00a0\u200b\n".encode(),
    sheets.HEADER.encode(),
    (sheets.HEADER + "\n\n ,,,\n").encode(),  # a header above blank rows
    b";;;\n;;;\n",  # nothing but separators
]


@pytest.mark.parametrize(("data", "encoding"), ENCODED)
def test_text_is_read_in_its_encoding(data, encoding):
    sheet = sheets.read(data)

    assert sheet.encoding == encoding
    assert sheet.values.loc[2, "first_name"] == "Renée"


@pytest.mark.parametrize("data", NOT_CSV)
def test_bytes_that_are_not_text_are_refused(data):
    refusal = sheets.read(data).refusal

    assert refusal.code == "file-not-csv"
    assert refusal.message.startswith("The file is not a CSV")


@pytest.mark.parametrize("data", SPREADSHEETS)
def test_the_refusal_of_a_spreadsheet_explains_how_to_save_as_csv(data):
    refusal = sheets.read(data).refusal

    assert refusal.code == "file-not-csv"
    assert refusal.message == (
        "The file is a spreadsheet or an archive, not a CSV. Open it in Excel, choose"
        ' File > Save As, pick "CSV UTF-8 (Comma delimited)" and upload the new'
        " file."
    )


@pytest.mark.parametrize("data", EMPTY)
def test_a_file_without_rows_is_refused(data):
    assert sheets.code_of(data) == "file-empty"


def test_a_file_over_the_limit_is_refused_before_it_is_read():
    data = b"\x00" * 101

    refusal = reader.read_sheet(data, lane=Lane.LOW_VOLUME, max_bytes=100).refusal

    assert refusal.code == "file-too-large"
    assert refusal.message == (
        "The file has more than 100 bytes. Split it into smaller files, each with the"
        " header."
    )


def test_a_file_of_exactly_the_limit_is_read():
    data = sheets.below_header(sheets.GOOD).encode()

    sheet = reader.read_sheet(data, lane=Lane.LOW_VOLUME, max_bytes=len(data))

    assert sheet.refusal is None
