"""Rejected rows that come back: which upload brings them, and what is outstanding."""

import csv
import io
import random
import shutil

import pytest
from installations import ANN, BAD, BOB, HEADER

from cvms_pipeline import errors
from cvms_pipeline.maintenance import retention
from cvms_pipeline.use_cases import process
from cvms_pipeline.use_cases.provider_actions import outstanding, withdraw

CY = "Cy,Lee,12/1/1991,cy@b.example.org"  # BAD, corrected
DEE = "Dee#,Lee,3/4/1991,dee@b.example.org"
DEE_CORRECTED = DEE.replace("#", "")


def report_rows(site, upload_id):
    data = site.pipeline.reports.read(upload_id)
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def written(rows):
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def counts(site, upload_id):
    """Return how many rows are outstanding and dismissed, counted in both places."""
    found = site.upload(upload_id)
    rows = states(site, upload_id).values()
    told = found.outstanding, found.dismissed
    assert told == tuple(map(list(rows).count, ("outstanding", "dismissed")))
    return told


def words(text):
    return " ".join(text.split())


def states(site, upload_id):
    found = outstanding.read_states(site.pipeline, site.upload(upload_id))
    return {line: state.describe() for line, state in found.items()}


def test_every_rejected_row_is_outstanding_but_those_of_people_who_are_loaded(site):
    upload_id = site.bring([ANN, BAD, ANN, DEE])

    assert counts(site, upload_id) == (2, 0)
    assert states(site, upload_id) == {
        3: "outstanding", 4: "nothing to do", 5: "outstanding",
    }  # fmt: skip


def test_a_corrected_row_without_its_error_is_settled_and_the_others_are_not(site):
    first = site.bring([ANN, BAD, DEE])

    second = site.bring([BOB, CY], file_name="more.csv")

    assert counts(site, first) == (1, 0)
    assert site.upload(second).parents == (first,)
    assert site.upload(first).children == (second,)
    assert states(site, first) == {3: "brought back", 4: "outstanding"}
    (relative,) = outstanding.list_relatives(site.pipeline, site.upload(second))
    assert (relative.rows, relative.loaded, relative.outstanding) == (1, 1, 1)


def test_a_row_that_is_rejected_again_is_outstanding_once(site):
    first = site.bring([BAD, DEE])
    header, cy, dee = report_rows(site, first)
    cy[1:3] = ["Lee", "12/1/1991"]

    second = site.bring(written([header, cy, dee]), file_name="BulkError.csv")

    assert (counts(site, first), counts(site, second)) == ((0, 0), (1, 0))
    third = site.bring([DEE_CORRECTED])
    assert counts(site, second) == (0, 0)
    assert site.upload(third).parents == (second,)


def test_a_report_that_is_corrected_where_it_lies_is_a_child(site):
    first = site.bring([ANN, BAD])
    (report,) = site.lane().parent.glob("results/*/BulkError.csv")
    report.write_text(report.read_text("utf-8-sig").replace('""', '"Lee"', 1), "utf-8")

    (taken,) = site.take_in()
    site.process(taken.id)

    assert site.upload(taken.id).parents == (first,)
    assert (counts(site, first), counts(site, taken.id)) == ((0, 0), (1, 0))


def test_the_same_file_again_replaces_its_rejected_rows(site):
    first, second = site.bring([BAD]), site.bring([BAD])

    assert (counts(site, first), counts(site, second)) == ((0, 0), (1, 0))


def test_rows_of_several_uploads_have_several_parents(site):
    first, second = site.bring([BAD]), site.bring([DEE])

    child = site.bring([CY, DEE_CORRECTED])

    assert site.upload(child).parents == tuple(sorted((first, second)))


def test_another_provider_brings_nothing_back(site):
    site.add_provider("county")
    first = site.bring([BAD])

    child = site.bring([CY], slug="county")

    assert counts(site, first) == (1, 0)
    assert site.upload(child).parents == ()


def test_a_repeated_run_settles_nothing_twice(site):
    first = site.bring([BAD, DEE])
    child = site.bring([CY])
    before = site.everything(), counts(site, first)
    dismissed = site.bring([BAD.replace("Cy", "Di").replace("cy@", "di@")])
    outstanding.dismiss(site.pipeline, dismissed, why="left")

    for upload_id in (first, child, dismissed):
        site.process(upload_id, "again")

    assert counts(site, first) == before[1]
    assert site.upload(first).children == (child,)
    assert counts(site, dismissed) == (0, 1)


def test_a_run_that_fails_while_it_loads_settles_nothing(site, monkeypatch):
    first = site.bring([BAD])
    child = site.receive([CY])
    read = process.read_rows(site.pipeline, child, "run").sheet
    planned = process.find_duplicates(
        site.pipeline, child, process.validate_rows(site.pipeline, child, read)
    )
    with monkeypatch.context() as broken:
        broken.setattr(process.loading, "_record", _fail)
        with pytest.raises(errors.TransientError):
            process.load(site.pipeline, child, planned)
    assert counts(site, first) == (1, 0)

    site.process(child)

    assert counts(site, first) == (0, 0)


def _fail(*_facts, **_chained):
    raise errors.TransientError("away")


def test_notice_and_receipt_tell_of_the_chain(site):
    first = site.bring([ANN, BAD, DEE])
    child = site.bring([CY, BOB], file_name="fixed.csv")

    told = (
        f"1 row of this file is a rejected row of staff.csv (upload {first}): 1 loaded,"
        " 0 rejected again. 1 rejected row of staff.csv is still outstanding."
    )
    assert told in words(site.receipt(child))
    notices = [m for m in site.mail() if "Upload" in m["Subject"]]
    assert any(told in words(m.get_body(("plain",)).get_content()) for m in notices)
    assert (
        f"1 rejected row of this file came back in fixed.csv (upload {child}): 1"
        " loaded, 0 rejected again. 1 rejected row of this file is still outstanding."
    ) in words(site.receipt(first))


def folder_of(site, upload_id):
    (folder,) = site.lane().parent.glob(f"results/*{upload_id}")
    return folder


def test_the_receipt_of_the_parent_is_brought_up_to_date_by_each_child(site):
    first = site.bring([ANN, BAD, DEE, BAD.replace("Cy", "Di").replace("cy@", "di@")])
    before = site.receipt(first)

    child = site.bring([CY, DEE_CORRECTED], file_name="fixed.csv")
    one_left = site.receipt(first)
    site.bring([BAD.replace("Cy", "Di").replace("cy@", "di@")], file_name="again.csv")
    none_left = site.receipt(first)

    assert "outstanding" not in before
    assert "1 rejected row of this file is still outstanding." in words(one_left)
    assert "1 rejected row of this file came back in again.csv" in words(none_left)
    assert "No rejected row of this file is outstanding any more." in words(none_left)
    names = {each.name for each in folder_of(site, first).iterdir()}
    assert names == {"receipt.txt", "BulkError.csv"}
    site.process(child, "again")
    site.process(first, "again")
    assert site.receipt(first) == none_left


def test_the_receipt_of_the_parent_follows_dismissals_and_withdrawals(site):
    first = site.bring([BAD, DEE])
    child = site.bring([CY], file_name="fixed.csv")

    outstanding.dismiss(site.pipeline, first, why="left")
    dismissed = words(site.receipt(first))
    withdraw.withdraw(site.pipeline, child, why="by mistake")

    assert "No rejected row of this file is outstanding any more." in dismissed
    assert "fixed.csv" not in site.receipt(first)


# What a provider may have done to the receipt of the parent before the child comes.
def remove_receipt(folder):
    (folder / "receipt.txt").unlink()


def rename_receipt(folder):
    (folder / "receipt.txt").rename(folder / "my receipt.txt")


def change_receipt(folder):
    (folder / "receipt.txt").write_text("My own notes.")


def remove_folder(folder):
    shutil.rmtree(folder)


def put_a_link_in_its_place(folder):
    folder.rename(folder.with_name("elsewhere"))
    folder.symlink_to(folder.with_name("elsewhere"))


def put_a_folder_in_its_place(folder):
    (folder / "receipt.txt").unlink()
    (folder / "receipt.txt").mkdir()


@pytest.mark.parametrize(
    "change",
    [
        *(remove_receipt, rename_receipt, change_receipt, remove_folder),
        *(put_a_link_in_its_place, put_a_folder_in_its_place),
    ],
)
def test_what_a_provider_has_done_to_the_receipt_stays_and_fails_nothing(site, change):
    first = site.bring([BAD, DEE])
    change(folder_of(site, first))
    results = site.lane().parent / "results"
    before = {path: path.is_file() and path.read_bytes() for path in results.rglob("*")}

    child = site.bring([CY], file_name="fixed.csv")

    new = {path for path in results.rglob("*") if child in str(path)}
    after = {path: path.is_file() and path.read_bytes() for path in results.rglob("*")}
    assert {path: after[path] for path in after.keys() - new} == before
    assert site.upload(child).status == "completed"


def test_a_receipt_whose_file_retention_has_removed_is_left(site):
    first = site.bring([BAD, DEE])
    before = site.receipt(first)
    site.pipeline.archive.remove(first)

    site.bring([CY])

    assert site.receipt(first) == before


def test_when_all_came_back_none_is_outstanding_any_more(site):
    first = site.bring([BAD, DEE])
    child = site.bring([CY, DEE_CORRECTED], file_name="fixed.csv")

    assert (
        f"2 rows of this file are rejected rows of staff.csv (upload {first}): 2"
        " loaded, 0 rejected again. No rejected row of staff.csv is outstanding any"
        " more."
    ) in words(site.receipt(child))


def test_outstanding_rows_are_listed_by_upload_latest_first(site):
    site.add_provider("county")
    first, second = site.bring([ANN, BAD, DEE]), site.bring([BAD], slug="county")

    everything = outstanding.list_outstanding(site.pipeline, limit=9)
    mercys = outstanding.list_outstanding(site.pipeline, provider="mercy", limit=9)

    assert [each.upload_id for each in everything] == [second, first]
    assert [each.lines for each in mercys] == [
        {3: ["required-missing", "birth-date-invalid"], 4: ["name-characters"]}
    ]
    assert outstanding.count_outstanding(site.pipeline, "mercy") == 2


def test_a_dismissed_row_is_not_outstanding_and_the_audit_has_no_words(site):
    upload_id = site.bring([BAD, DEE])

    count = outstanding.dismiss(
        site.pipeline, upload_id, [3], why=" left \u200b Mercy "
    )

    assert (count, counts(site, upload_id)) == (1, (1, 1))
    assert states(site, upload_id) == {2: "outstanding", 3: "dismissed"}
    assert site.column(
        "SELECT dismissed_why FROM cvms.rejected_rows WHERE line = 3"
    ) == ["left Mercy"]
    entries = site.table(
        "SELECT upload_id, provider, details FROM cvms.audit"
        " WHERE event = 'rows-dismissed'"
    )
    assert entries.values.tolist() == [[upload_id, "mercy", {"rows": 1}]]
    assert outstanding.dismiss(site.pipeline, upload_id, why="gone") == 1


def test_a_dismissed_row_that_comes_back_is_a_new_row(site):
    first = site.bring([BAD])
    outstanding.dismiss(site.pipeline, first, why="left")

    child = site.bring([CY])

    assert counts(site, first) == (0, 1)
    assert site.upload(child).parents == ()


# Lines of which one is not outstanding, and what is said.
NOT_OUTSTANDING = [
    ([2, 99], "Line 99 of {0} is not outstanding, so nothing was dismissed. See `cvms"
              " upload {0}`."),
    ([4], "Line 4 of {0} is not outstanding, so nothing was dismissed. See `cvms upload"
          " {0}`."),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "told"), NOT_OUTSTANDING)
def test_lines_are_dismissed_all_or_none(site, lines, told):
    upload_id = site.bring([BAD, ANN, ANN])

    with pytest.raises(outstanding.NotOutstanding) as raised:
        outstanding.dismiss(site.pipeline, upload_id, lines, why="left")

    assert str(raised.value) == told.format(upload_id)
    assert counts(site, upload_id) == (1, 0)


def test_there_must_be_something_to_dismiss_and_a_word(site):
    upload_id = site.bring([ANN])

    with pytest.raises(outstanding.NotOutstanding) as raised:
        outstanding.dismiss(site.pipeline, upload_id, why="left")
    with pytest.raises(outstanding.WhyMissing, match="Say in a few words why"):
        outstanding.dismiss(site.pipeline, upload_id, why=" \u200b ")

    assert str(raised.value) == f"No row of {upload_id} is outstanding."


def test_rows_that_retention_has_removed_are_not_outstanding(site):
    first = site.bring([BAD])
    site.clock.forward(days=4000)

    with site.pipeline.store.begin() as conn:
        retention.rejected_rows.purge(
            conn, before=site.clock(), now=site.clock(), limit=9
        )

    assert counts(site, first) == (0, 0)
    assert site.upload(site.bring([CY])).parents == ()


@pytest.mark.parametrize("seed", range(3))
def test_however_rows_come_back_each_is_outstanding_at_most_once(site, seed):
    dice = random.Random(seed)  # noqa: S311 # repeatable
    people = [f"P{letter},Lee,{n + 1}/1/1990,p{n}@b.org" for n, letter in
              enumerate("abcdefgh")]  # fmt: skip
    loaded, wrong = set(), set(people)
    broken = {each: each.replace("P", "P#", 1) for each in people}
    site.bring(list(broken.values()))

    for _ in range(6):
        sent = dice.sample(people, dice.randint(1, 5))
        fixed = {each for each in sent if dice.random() < 0.5}
        rows = [each if each in fixed else broken[each] for each in sent]
        site.bring(rows)
        loaded |= fixed
        wrong = (wrong - fixed) | (set(sent) - fixed)

    rows = site.table(
        "SELECT first_name, count(*) FROM cvms.rejected_rows WHERE is_outstanding"
        " GROUP BY first_name"
    ).values.tolist()
    assert sorted(rows) == sorted([broken[each].split(",")[0], 1] for each in wrong)
    assert site.column("SELECT count(*) FROM cvms.recipients") == [len(loaded)]
    listed = outstanding.list_outstanding(site.pipeline, limit=99)
    assert sum(len(each.lines) for each in listed) == len(wrong)
    for upload_id in site.column("SELECT id FROM cvms.uploads"):
        counts(site, upload_id)


def test_without_a_header_of_errors_a_whole_report_is_recognised(site):
    first = site.bring([ANN, BAD, DEE])
    _, cy, dee = report_rows(site, first)
    cy[1:3], dee[0] = ["Lee", "12/1/1991"], "Dee"
    rows = [HEADER.split(","), cy[:4], dee[:4]]

    child = site.bring(written(rows), file_name="corrected.csv")

    assert site.upload(child).loaded == 2
    assert counts(site, first) == (0, 0)
