"""An error report goes round without losing a cell, and its lines are told twice."""

import csv
import io

from installations import ANN, BAD, BOB

from cvms_pipeline.use_cases import history

RUFUS = "Rufus,Marsh, Jr.,4/11/1961,rufus@b.example.org"
BECAUSE = (
    'Row has 5 cells, expected 4, because of the comma in "Marsh, Jr.": write Marsh Jr.'
    " without the comma"
)
MOVE = "; move what is in the columns Extra to where it belongs, or remove it"


def report_rows(site, upload_id):
    data = site.pipeline.reports.read(upload_id)
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def messages(site, upload_id):
    rows = history.read_rejected_rows(site.pipeline, site.upload(upload_id))
    return rows["message"].tolist()


def written(rows):
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def bring_report(site, upload_id, change=lambda row: row):
    """Drop the report of an upload, each row changed; return the new upload's id."""
    header, *rows = report_rows(site, upload_id)
    data = written([header, *map(change, rows)])
    return site.bring(data, file_name="BulkError.csv")


def test_a_row_with_too_many_cells_goes_round_and_loses_none(site):
    first = site.bring([ANN, BOB, RUFUS])

    (row,) = report_rows(site, first)[1:]
    assert row == [
        *("Rufus", "Marsh", " Jr.", "4/11/1961", f"Line 4: {BECAUSE}"),
        "rufus@b.example.org",
    ]
    (results,) = site.lane().parent.glob("results/*/BulkError.csv")
    assert results.read_bytes() == site.pipeline.reports.read(first)
    (notice,) = [m for m in site.mail() if "Bulk" in m["Subject"]]
    (attached,) = notice.iter_attachments()
    assert attached.get_content().encode("utf-8") == results.read_bytes()

    again = bring_report(site, first)
    assert messages(site, again) == [
        f"Line 2 of BulkError.csv (line 4 of staff.csv): {BECAUSE}{MOVE}"
    ]
    assert report_rows(site, again)[1][:4] == row[:4]
    assert report_rows(site, again)[1][5:] == row[5:]

    third = bring_report(
        site, again, lambda row: ["Rufus", "Marsh Jr.", row[3], row[5], *row[4:]]
    )
    assert site.upload(third).loaded == 1
    assert site.upload(third).origin.lines == {2: 4}


def test_the_line_of_the_first_file_is_told_however_often_a_report_is_dropped(site):
    upload_id = site.bring([ANN, BAD, BOB, BAD], file_name="May.csv")
    for _ in range(3):
        upload_id = bring_report(site, upload_id)

    told = [message.split(": ")[0] for message in messages(site, upload_id)]
    assert told == [
        "Line 2 of BulkError.csv (line 3 of May.csv)",
        "Line 3 of BulkError.csv (line 5 of May.csv)",
    ]


def test_a_corrected_row_and_a_new_one_do_not_hide_the_origin_of_the_others(site):
    first = site.bring([BAD, "Dee#,Lee,3/4/1991,dee@b.example.org"])
    header, cy, dee = report_rows(site, first)
    cy[1:3] = ["Lee", "1/2/1991"]
    new = ["Eve", "", "1/2/1991", "eve@b.example.org", ""]

    again = site.bring(written([header, cy, dee, new]), file_name="fixed.csv")

    assert [message.split(": ")[0] for message in messages(site, again)] == [
        "Line 3 of fixed.csv (line 3 of staff.csv)",
        "Line 4",
    ]


def test_the_same_file_dropped_twice_is_one_origin(site):
    first, _ = site.bring([BAD]), site.bring([BAD])

    again = bring_report(site, first)

    assert messages(site, again)[0].startswith(
        "Line 2 of BulkError.csv (line 2 of staff.csv): "
    )


def is_unknown(site, upload_id):
    is_plain = all(text.startswith("Line 2: ") for text in messages(site, upload_id))
    return is_plain and site.upload(upload_id).origin is None


def test_the_same_rows_in_files_of_two_names_have_no_certain_origin(site):
    first, _ = site.bring([BAD]), site.bring([BAD], file_name="other.csv")

    assert is_unknown(site, bring_report(site, first))


def test_a_report_of_two_uploads_has_no_certain_origin(site):
    header, cy = report_rows(site, site.bring([BAD]))
    _, dee = report_rows(site, site.bring([ANN, BOB, "Dee,,3/4/1991,dee@b.org"]))

    again = site.bring(written([header, cy, dee]))

    assert site.upload(again).origin is None
    assert messages(site, again)[1].startswith("Line 3: ")


def test_a_changed_error_has_no_certain_origin(site):
    first = site.bring([BAD])

    again = bring_report(site, first, lambda row: [*row[:4], "Line 2: what is this?"])

    assert is_unknown(site, again)


def test_other_people_with_the_same_error_have_no_certain_origin(site):
    first = site.bring([BAD])

    again = bring_report(site, first, lambda row: ["Zoe", "", "", "z@b.org", row[4]])

    assert is_unknown(site, again)


def test_a_report_of_another_provider_has_no_certain_origin(site):
    site.add_provider("county")
    header, row = report_rows(site, site.bring([BAD], slug="county"))

    assert is_unknown(site, site.bring(written([header, row])))


def test_lines_of_loaded_rows_are_told_twice_in_the_receipt(site):
    site.bring([ANN])
    first = site.bring([BOB, "Ann,Lee,1/2/1990,new@"])
    corrected = "new@b.example.org"

    again = bring_report(site, first, lambda row: [*row[:3], corrected, row[4]])

    assert site.upload(again).updated == 1
    assert (
        "Line 2 of BulkError.csv (line 3 of staff.csv): the earlier address was"
        in " ".join(site.receipt(again).split())
    )
