"""The error report: bytes, messages, formula escaping and its reversal."""

import pandas as pd
import pytest
import sheets

from cvms_pipeline.domain import rejections, report

ESCAPED = [
    ("=1+1", "'=1+1"),
    ("+1", "'+1"),
    ("-1", "'-1"),
    ("@sum(a1)", "'@sum(a1)"),
    ("\tx", "'\tx"),
    ("\rx", "'\rx"),
    ("'=1", "''=1"),  # came with an apostrophe of its own
    ("'''-", "''''-"),
]
UNTOUCHED = ["Ann", "'Ann", "Ann=1", " =1", "''", "'", "", "O'=1", "\n=1"]


def series(*texts):
    return pd.Series(texts, index=range(2, len(texts) + 2), dtype=str)


@pytest.mark.parametrize(("text", "escaped"), ESCAPED)
def test_a_cell_that_runs_gets_an_apostrophe_that_is_taken_off_again(text, escaped):
    assert report.escape(series(text)).tolist() == [escaped]
    assert report.unescape(series(escaped)).tolist() == [text]


def test_other_cells_stay_as_they_are():
    assert report.escape(series(*UNTOUCHED)).tolist() == UNTOUCHED
    assert report.unescape(series(*UNTOUCHED)).tolist() == UNTOUCHED


def test_a_line_tells_all_its_reasons_at_once():
    judged = sheets.judge(sheets.below_header("Ann#,,1/2/1990,bad", "Ann", ",L,x,y"))

    assert report.messages(judged.rejections).to_dict() == {
        2: "Line 2: Required fields are missing: [LastName]; FirstName: invalid"
        " characters: Ann#; Email: invalid email address: bad",
        3: "Line 3: Row has 1 cell, expected 4",
        4: "Line 4: Required fields are missing: [FirstName]; Date of birth: invalid"
        " Date of birth: x; Email: invalid email address: y",
    }


def test_nothing_rejected_gives_no_messages():
    assert len(report.messages(rejections.NONE)) == 0


def test_the_report_is_what_excel_opens_right():
    judged = sheets.judge(sheets.below_header('"Zoë, ""Z""",=1,1/2/1990,a@b.org'))

    data = report.bulk_error(judged.cells, report.messages(judged.rejections))

    assert (
        data
        == (
            "\ufeffFirstName,LastName,Date of birth,Email,Error\r\n"
            '"Zoë, ""Z""",\'=1,1/2/1990,a@b.org,"Line 2: FirstName: invalid characters:'
            ' Zoë, ""Z""; LastName: invalid characters: =1"\r\n'
        ).encode()
    )


def test_the_report_holds_rejected_rows_only():
    judged = sheets.judge(sheets.below_header(sheets.GOOD, "Bob", sheets.GOOD))

    data = report.bulk_error(judged.cells, report.messages(judged.rejections))

    assert data.decode("utf-8-sig").splitlines()[1:] == [
        'Bob,,,,"Line 3: Row has 1 cell, expected 4"'
    ]
