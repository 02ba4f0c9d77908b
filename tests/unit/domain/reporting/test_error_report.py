"""The error report: its bytes and its messages."""

import sheets

from cvms_pipeline.domain.reporting import error_report
from cvms_pipeline.domain.sheets import frames


def test_a_line_has_all_its_reasons():
    validated = sheets.validate(
        sheets.below_header("Ann#,,1/2/1990,bad", "Ann", ",L,x,y")
    )

    assert error_report.compose_messages(validated.rejections).to_dict() == {
        2: "Line 2: Required fields are missing: [LastName]; FirstName: invalid"
        " characters: Ann#; Email: invalid email address: bad",
        3: "Line 3: Row has 1 cell, expected 4",
        4: "Line 4: Required fields are missing: [FirstName]; Date of birth: invalid"
        " Date of birth: x; Email: invalid email address: y",
    }


def test_without_rejected_rows_there_are_no_messages():
    assert (
        len(error_report.compose_messages(frames.make_empty_frame(frames.Rejections)))
        == 0
    )


def test_the_report_has_the_form_that_excel_opens_correctly():
    validated = sheets.validate(sheets.below_header('"Zoë, ""Z""",=1,1/2/1990,a@b.org'))

    data = error_report.render_report(
        validated.cells, error_report.compose_messages(validated.rejections)
    )

    assert (
        data
        == (
            '\ufeff"FirstName","LastName","Date of birth","Email","Error"\r\n'
            '"Zoë, ""Z""","\'=1","1/2/1990","a@b.org","Line 2: FirstName: invalid'
            ' characters: Zoë, ""Z""; LastName: invalid characters: =1"\r\n'
        ).encode()
    )


def test_the_report_holds_rejected_rows_only():
    validated = sheets.validate(sheets.below_header(sheets.GOOD, "Bob", sheets.GOOD))

    data = error_report.render_report(
        validated.cells, error_report.compose_messages(validated.rejections)
    )

    assert data.decode("utf-8-sig").splitlines()[1:] == [
        '"Bob","","","","Line 3: Row has 1 cell, expected 4"'
    ]
