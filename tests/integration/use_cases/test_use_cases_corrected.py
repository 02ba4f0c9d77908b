"""An error report that its provider corrects in `results`, and what is put back."""

import os
import shutil

import pytest
from installations import ANN, BAD, BOB, HIGH, LOW

from cvms_pipeline.domain.vocabulary import upload
from cvms_pipeline.files import claims, corrected
from cvms_pipeline.store import uploads
from cvms_pipeline.use_cases import publish, receive

GOOD = "Cy,Lee,12/1/1991,cy@b.example.org"


class CrashError(BaseException):
    """The process has died here."""


def find_report(site):
    (found,) = (site.lane().parent / "results").glob("staff-*/BulkError.csv")
    return found


@pytest.fixture
def report(site):
    """The error report, in the provider's results, of an upload with a rejected row."""
    site.bring([ANN, BAD])
    return find_report(site)


def list_claims(site):
    return claims.list_open_claims(site.pipeline.folders, now=site.clock(), limit=9)


def correct(path, rows=(GOOD,)):
    """Write rows in place of those of a report."""
    header = path.read_text("utf-8-sig").splitlines()[0]
    path.write_text("\r\n".join([header, *(f"{row}," for row in rows), ""]), "utf-8")


def test_a_report_that_is_corrected_in_results_becomes_an_upload(site, report):
    ours = report.read_bytes()
    correct(report)
    data = report.read_bytes()

    (taken,) = site.take_in()
    site.process(taken.id)

    assert (taken.provider, taken.lane, taken.file_name) == (
        "mercy",
        LOW,
        "BulkError.csv",
    )
    assert site.pipeline.archive.read(taken.id) == data
    assert site.upload(taken.id).loaded == 1
    assert report.read_bytes() == ours


def test_a_report_that_nobody_changed_is_not_taken_in(site, report):
    os.utime(report)  # opened and saved as it was

    assert site.take_in() == []
    assert site.take_in() == []
    assert report.exists()


def test_a_report_that_is_written_again_is_not_taken_in(site, report):
    (upload_id,) = site.column("SELECT id FROM cvms.uploads")
    publish.publish(site.pipeline, upload_id)

    assert site.take_in() == []


def test_a_report_that_is_replaced_by_a_rename_is_taken_in(site, report):
    other = report.with_name("new.csv")
    shutil.copy(report, other)
    correct(other)
    other.replace(report)

    assert len(site.take_in()) == 1


def test_an_earlier_copy_of_ours_is_no_correction(site, report):
    (upload_id,) = site.column("SELECT id FROM cvms.uploads")
    site.pipeline.reports.write(upload_id, b"rendered by a later version")

    assert site.take_in() == []


# The number of corrected rows, and the lane that takes them.
LANES = [(100, LOW), (101, HIGH), (5_000, HIGH)]


@pytest.mark.parametrize(("rows", "lane"), LANES)
def test_a_corrected_report_is_in_the_lane_that_its_rows_fit(site, report, rows, lane):
    names = ["".join(chr(97 + int(d)) for d in str(n)) for n in range(rows)]
    correct(report, [f"A{n},Lee,1/2/1990,{n}@b.example.org" for n in names])

    (taken,) = site.take_in()
    site.process(taken.id)

    assert taken.lane is lane
    assert site.upload(taken.id).loaded == rows


def test_blank_rows_do_not_move_a_corrected_report_to_the_larger_lane(site, report):
    correct(report, [GOOD, *[",,,"] * 500])

    (taken,) = site.take_in()

    assert taken.lane is LOW


def test_a_report_over_the_limit_is_refused_without_being_read(site, report):
    with report.open("r+b") as file:
        file.truncate(site.pipeline.max_bytes + 1)

    (taken,) = site.take_in()

    assert taken.claim_refusal == "file-too-large"
    assert report.stat().st_size < site.pipeline.max_bytes


def test_a_report_that_a_program_still_shows_is_left_for_ten_minutes(site, report):
    correct(report)
    report.with_name(".~lock.BulkError.csv#").touch()

    assert site.take_in() == []
    site.clock.forward(minutes=11)
    assert len(site.take_in()) == 1


def test_a_report_that_is_open_for_writing_is_not_taken_in(site, report):
    with report.open("ab") as file:
        file.write(b"x")
        file.flush()

        assert not receive.receive(site.pipeline).is_complete
        assert report.exists()


def put_away(report):
    shutil.rmtree(report.parent)


def link_folder(report):
    elsewhere = report.parent.with_name("elsewhere")
    report.parent.rename(elsewhere)
    report.parent.symlink_to(elsewhere)


def link_report(report):
    report.unlink()
    report.symlink_to("/etc/passwd")


def link_results(report):
    results = report.parent.parent
    shutil.rmtree(results)
    results.symlink_to("/etc")


def make_pipe(report):
    report.unlink()
    os.mkfifo(report)


def make_folder(report):
    report.unlink()
    report.mkdir()


# What a provider may do in its results.
DEEDS = [put_away, link_folder, link_report, link_results, make_pipe, make_folder]


@pytest.mark.parametrize("deed", DEEDS)
def test_whatever_a_provider_does_in_results_other_files_are_received(
    site, report, deed
):
    deed(report)
    site.drop([BOB], file_name="other.csv")

    taken = site.take_in()

    assert [each.file_name for each in taken] == ["other.csv"]


@pytest.mark.parametrize("deed", DEEDS)
def test_whatever_happens_to_the_folder_of_a_claimed_report_it_is_received(
    site, report, monkeypatch, deed
):
    correct(report)
    finish = claims.finish

    def finish_after_deed(*arguments, **options):
        report.touch()
        deed(report)
        return finish(*arguments, **options)

    monkeypatch.setattr(claims, "finish", finish_after_deed)

    assert len(site.take_in()) == 1
    assert not list_claims(site)


def test_what_is_saved_while_a_report_is_claimed_stays(site, report, monkeypatch):
    correct(report)
    finish = claims.finish

    def finish_after_saving(*arguments, **options):
        report.write_bytes(b"saved again")
        return finish(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(claims, "finish", finish_after_saving)
        assert receive.receive(site.pipeline).error is None

    assert report.read_bytes() == b"saved again"


# Where the process dies: before each effect that follows the claim.
DEATHS = [
    (claims, "finish"),
    (uploads, "register"),
    (corrected, "put_back"),
    (claims, "discard"),
]


@pytest.mark.parametrize(("module", "name"), DEATHS)
def test_after_a_crash_the_report_is_received_once_and_put_back(
    site, report, monkeypatch, module, name
):
    ours = report.read_bytes()
    correct(report)

    def die(*arguments, **options):
        raise CrashError

    with monkeypatch.context() as patch:
        patch.setattr(module, name, die)
        with pytest.raises(CrashError):
            site.take_in()
    site.take_in()

    assert report.read_bytes() == ours
    assert [each.name for each in report.parent.glob(".*")] == []
    assert site.column("SELECT count(*) FROM cvms.uploads") == [2]
    assert not list_claims(site)


def test_a_report_without_a_copy_of_ours_is_passed_over(site, report):
    (upload_id,) = site.column("SELECT id FROM cvms.uploads")
    site.pipeline.reports.remove(upload_id)
    correct(report)

    assert site.take_in() == []


def test_waiting_ends_with_a_corrected_report(site, report):
    assert receive.wait_for_uploads(site.pipeline, seconds=0) == []
    correct(report)

    (taken,) = receive.wait_for_uploads(site.pipeline, seconds=30)

    assert taken.file_name == upload.REPORT_NAME
