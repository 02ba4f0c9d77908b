import os

import pytest
from installations import ANN, BAD, BOB
from sites import LIMITS, finished

from cvms_pipeline.files import claims
from cvms_pipeline.ingest import judge, retention

ARCHIVE, QUARANTINE, WORK = (
    "Files in the archive",
    "Files in quarantine",
    "Work folders",
)


def sweep(site, *, dry_run: bool = False) -> dict[str, tuple[int, int]]:
    swept = retention.remove_files(site.pipeline, LIMITS, dry_run=dry_run)
    return {each.what: (each.found, each.removed) for each in swept}


@pytest.fixture
def old(site) -> str:
    """An upload that finished long ago."""
    upload_id = finished(site, [ANN, BAD])
    site.clock.forward(days=366)
    return upload_id


def test_a_received_file_goes_after_its_days(site, old):
    assert sweep(site)[ARCHIVE] == (1, 1)

    assert not site.pipeline.archive.has(old)


def test_a_received_file_that_is_not_old_enough_stays(site):
    upload_id = finished(site, [ANN])
    site.clock.forward(days=364)

    assert sweep(site)[ARCHIVE] == (0, 0)
    assert site.pipeline.archive.has(upload_id)


def test_a_dry_run_counts_and_removes_no_file(site, old):
    site.pipeline.work.write(old, "step", b"left")

    assert sweep(site, dry_run=True)[ARCHIVE] == (1, 0)

    assert site.pipeline.archive.has(old)
    assert site.pipeline.work.has(old, "step")


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
def test_a_file_that_may_still_be_needed_stays(site, old, state):
    site.execute(state)

    assert sweep(site)[ARCHIVE] == (0, 0)
    assert site.pipeline.archive.has(old)


def test_a_file_that_no_upload_is_known_of_stays(site):
    site.pipeline.archive.write("20200101-000000-aaaaaaaa", b"claimed, not registered")

    assert sweep(site)[ARCHIVE] == (0, 0)


def test_what_is_in_quarantine_goes_after_the_same_days(site):
    (site.pipeline.folders.root / "stranger" / "low_volume").mkdir(parents=True)
    upload_id = site.bring([ANN], slug="stranger")
    kept = claims.quarantined(site.pipeline.folders, upload_id)
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


def test_what_an_interrupted_run_left_goes_when_it_has_not_changed_for_days(site):
    upload_id = site.receive([ANN])
    site.pipeline.work.write(upload_id, "step", b"left")
    site.clock.forward(days=8)

    assert sweep(site)[WORK] == (1, 1)
    assert site.pipeline.work.ids() == []


def test_a_work_folder_in_which_anything_has_changed_stays(site):
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
    assert judge.is_forgotten(site.pipeline, old)
    assert site.everything() == before


def test_an_upload_that_was_never_decided_is_not_taken_for_forgotten(site):
    upload_id = site.receive([BOB])
    site.pipeline.archive.remove(upload_id)

    assert not judge.is_forgotten(site.pipeline, upload_id)
