"""Files of another kind under the name of a CSV are refused in words that fit them."""

import json

import pytest
import sheets
from hypothesis import given, settings
from hypothesis import strategies as st

SAVE_AS = (
    'Open it in Excel, choose File > Save As, pick "CSV UTF-8 (Comma delimited)" and'
    " upload the new file."
)
EXPORT = "Export the list as a CSV from the program that wrote it, and upload that."
PAGE = f"The file is a web page (HTML) under another name, not a CSV. {SAVE_AS}"
LOG_IN = (
    "The file is a web page (HTML) that asks for a log-in, not a CSV. Log in, download"
    " the file again, and look at it before you upload it."
)
SAVED_PAGE = f"The file is a saved web page (MHTML), not a CSV. {SAVE_AS}"
SPREADSHEET = f"The file is a spreadsheet saved as XML, not a CSV. {SAVE_AS}"
XML = f"The file is an XML file, not a CSV. {EXPORT}"
RTF = (
    "The file is a text document (RTF), not a CSV. Copy the table into Excel, choose"
    ' File > Save As, pick "CSV UTF-8 (Comma delimited)" and upload the new'
    " file."
)
PDF = (
    "The file is a PDF, not a CSV. Copy the table into Excel, choose"
    ' File > Save As, pick "CSV UTF-8 (Comma delimited)" and upload the new'
    " file."
)
JSON = f"The file is a JSON file, not a CSV. {EXPORT}"
ENCRYPTED = (
    "The file is an encrypted or signed file (such as PGP), not a CSV. Decrypt it, and"
    " upload the CSV that it contains."
)
CARD = f"The file is a contact card or a calendar, not a CSV. {EXPORT}"
MAIL = (
    "The file is an e-mail, not a CSV. Save the CSV that is attached to it, and upload"
    " that file."
)
EBCDIC = (
    "The file is text in a mainframe's code page (EBCDIC), not a CSV. Ask whoever made"
    " it to convert it to UTF-8, and upload that file."
)
TABLE = "<table><tr><td>Rosa</td><td>Field</td></tr></table>"
LETTER = "MIME-Version: 1.0\nContent-Type: text/plain\n\nHello"
CSV = sheets.below_header(sheets.GOOD)

KINDS = [
    (f"<html><body>{TABLE}", PAGE),
    (f"\ufeff \n<!DOCTYPE html>\n<HTML>{TABLE}", PAGE),
    (f"<!-- saved -->{TABLE}", PAGE),
    (f'<?xml version="1.0"?><html xmlns="x">{TABLE}', PAGE),
    (f"<html><p>Sign in</p>{TABLE}", PAGE),  # a table has what is wanted
    ('<html><form><input type="password">', LOG_IN),
    ("<!doctype html><title>Log in</title>", LOG_IN),
    ("From: <Saved by Blink>\nSnapshot-Content-Location: x", SAVED_PAGE),
    ("MIME-Version: 1.0\nContent-Type: multipart/related; x", SAVED_PAGE),
    ('<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>', SPREADSHEET),
    (
        '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"></Workbook>',
        SPREADSHEET,
    ),
    ('<?xml version="1.0"?><people/>', XML),
    ("<people><person>Rosa</person></people>", XML),
    ("{\\rtf1\\ansi First name,Last name", RTF),
    ("%PDF-1.7\n%\u00e2\u00e3", PDF),
    ('{"people": []}', JSON),
    ('[{"First name": "Rosa"}]', JSON),
    ('[ ["Rosa"] ]', JSON),
    ("[]", JSON),
    ("-----BEGIN PGP MESSAGE-----\n", ENCRYPTED),
    ("-----BEGIN PKCS7-----\n", ENCRYPTED),
    ("age-encryption.org/v1\n", ENCRYPTED),
    (b"\x85\x01\x0c\x03\xaa\xbb", ENCRYPTED),
    (b"\x8c\x0d\x04\x09\x03", ENCRYPTED),
    ("BEGIN:VCARD\nVERSION:3.0", CARD),
    (f"Return-Path: <a@b.org>\n{LETTER}", MAIL),
    (f"From a@b.org Mon\n{LETTER}", MAIL),
    ("From: a@b.org\nSent: Monday\nTo: c@d.org\nSubject: Staff\n\nHello", MAIL),
    (CSV.encode("cp037"), EBCDIC),
    (CSV.encode("cp500"), EBCDIC),
    (f"<html>{TABLE}".encode("utf-16"), PAGE),
]
TABLES = [
    "<First name>,Last name\n",  # no element: it is never closed
    "{First name},Last name\n",
    "[First name],Last name\n",
    "Email: work,Last name\n",
    "Date: 11/20/2026\n\nFirst name,Last name\n",  # a title, not an e-mail
    "-----,Last name\n",
    "BEGIN,END\n",
    "PGP,Salted\n",
]


@pytest.mark.parametrize(("data", "message"), KINDS)
def test_a_file_of_another_kind_is_refused_in_words_that_fit_it(data, message):
    refusal = sheets.read(data).refusal

    assert (refusal.code, refusal.message) == ("file-not-csv", message)


@pytest.mark.parametrize("data", TABLES)
def test_a_header_with_signs_of_another_kind_is_a_header(data):
    assert sheets.code_of(data + "Ann,Lee\n") == "header-missing"


people = st.lists(st.tuples(st.text(), st.text()), min_size=1, max_size=5)


@settings(max_examples=100, deadline=None, database=None)
@given(people, st.sampled_from(["json", "html", "xml", "rtf"]))
def test_no_file_of_another_kind_is_read_as_a_table(rows, kind):
    made = {
        "json": json.dumps([{"First name": a, "Last name": b} for a, b in rows]),
        "html": "<table>" + "".join(f"<tr><td>{a}<td>{b}" for a, b in rows),
        "xml": '<?xml version="1.0"?>' + "".join(f"<p>{a}{b}</p>" for a, b in rows),
        "rtf": "{\\rtf1 " + "".join(f"{a},{b}\\par " for a, b in rows) + "}",
    }[kind]

    assert sheets.code_of(made.encode("utf-8", "replace")) == "file-not-csv"
