import os

import pytest
from dagster_installations import LIMITS, finished
from installations import ANN, BAD, BOB

from cvms_pipeline.files import archive, claims
from cvms_pipeline.maintenance import file_retention
from cvms_pipeline.use_cases import process
from cvms_pipeline.use_cases.provider_actions import review

ARCHIVE, QUARANTINE, WORK = (
    "Files in the archive",
    "Files in quarantine",
    "Work folders",
)


def sweep(site, *, dry_run: bool = False) -> dict[str, tuple[int, int]]:
    results = file_retention.remove_files(site.pipeline, LIMITS, dry_run=dry_run)
    return {each.what: (each.found, each.removed) for each in results}


@pytest.fixture
def old(site) -> str:
    """An upload that finished long ago."""
    upload_id = finished(site, [ANN, BAD])
    site.clock.forward(days=366)
    return upload_id


def test_a_received_file_is_removed_after_its_days(site, old):
    assert sweep(site)[ARCHIVE] == (1, 1)

    assert not site.pipeline.archive.has(old)


def test_a_received_file_is_kept_until_it_is_old_enough(site):
    upload_id = finished(site, [ANN])
    site.clock.forward(days=364)

    assert sweep(site)[ARCHIVE] == (0, 0)
    assert site.pipeline.archive.has(upload_id)


def test_a_dry_run_counts_and_removes_no_file(site, old):
    site.pipeline.work.write(old, "step", b"left")

    assert sweep(site, dry_run=True)[ARCHIVE] == (1, 0)

    assert site.pipeline.archive.has(old)
    assert site.pipeline.work.path(old, "step").exists()


def test_a_file_that_waits_for_its_review_is_removed_after_a_day(site):
    shown = review.begin(
        site.pipeline, b"\n".join([b"First name,Last name,Date of birth,Email",
                                   ANN.encode()]),
        file_name="a.csv", provider="mercy", sent_by="7c3f",
    )  # fmt: skip
    folder = site.pipeline.reviews.root / shown.file.id

    assert sweep(site)["Reviews in the portal"] == (0, 0)
    site.clock.forward(hours=25)
    assert sweep(site, dry_run=True)["Reviews in the portal"] == (1, 0)
    assert folder.exists()
    assert sweep(site)["Reviews in the portal"] == (1, 1)

    assert not folder.exists()


# Why an upload may not lose its file, however old it is.
_STILL_NEEDED = [
    pytest.param(
        "UPDATE cvms.uploads SET status = 'failed', failed_at = now(),"
        " finished_at = NULL",
        id="it has failed",
    ),
    pytest.param(
        "UPDATE cvms.uploads SET status = 'processing', finished_at = NULL",
        id="it is being worked on",
    ),
    pytest.param(
        "UPDATE cvms.messages SET status = 'waiting', sent_at = NULL"
        " WHERE kind = 'notice'",
        id="its notice is still to go",
    ),
]


@pytest.mark.parametrize("state", _STILL_NEEDED)
def test_a_file_that_may_still_be_needed_is_kept(site, old, state):
    site.execute(state)

    assert sweep(site)[ARCHIVE] == (0, 0)
    assert site.pipeline.archive.has(old)


def test_a_file_of_no_known_upload_is_kept(site):
    site.pipeline.archive.write("20200101-000000-aaaaaaaa", b"claimed, not registered")

    assert sweep(site)[ARCHIVE] == (0, 0)


def test_a_quarantined_file_is_removed_after_the_same_days(site):
    (site.pipeline.folders.root / "stranger" / "low_volume").mkdir(parents=True)
    upload_id = site.bring([ANN], slug="stranger")
    kept = claims.quarantine_path(site.pipeline.folders, upload_id)
    assert kept.exists()
    site.execute("UPDATE cvms.messages SET status = 'sent', sent_at = now()")
    site.clock.forward(days=366)

    assert sweep(site)[QUARANTINE] == (1, 1)
    assert not kept.parent.exists()


def test_no_link_in_quarantine_is_followed(site, tmp_path):
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").touch()
    (site.lane() / "link").symlink_to(precious)
    (taken,) = site.take_in()
    site.process(taken.id)
    site.clock.forward(days=366)

    assert sweep(site)[QUARANTINE] == (1, 1)
    assert (precious / "file").exists()


def test_a_work_folder_that_has_not_changed_for_days_is_removed(site):
    upload_id = site.receive([ANN])
    site.pipeline.work.write(upload_id, "step", b"left")
    site.clock.forward(days=8)

    assert sweep(site)[WORK] == (1, 1)
    assert site.pipeline.work.list_ids() == []


def test_a_work_folder_with_a_recent_change_is_kept(site):
    upload_id = site.receive([ANN])
    site.pipeline.work.write(upload_id, "step", b"left")
    folder = site.pipeline.work.root / upload_id
    os.utime(folder, (0, 0))

    assert sweep(site)[WORK] == (0, 0)
    assert folder.exists()


def test_running_an_upload_again_without_its_file_changes_nothing(site, old):
    sweep(site)
    before = site.everything()

    loaded = site.process(old)

    assert (loaded.outcome.rows, loaded.accounted_for) == (2, 2)
    assert process.read_rows(site.pipeline, old, "again").is_file_removed
    assert site.everything() == before


def test_an_unfinished_upload_does_not_count_as_purged(site):
    upload_id = site.receive([BOB])
    site.pipeline.archive.remove(upload_id)

    with pytest.raises(archive.ArchiveMissing):
        process.read_rows(site.pipeline, upload_id, "run")
