import datetime as dt
import os
import threading

import pytest
from installations import ANN, BOB, HIGH, LOW

from cvms_pipeline import errors
from cvms_pipeline.domain.vocabulary import upload
from cvms_pipeline.files import claims
from cvms_pipeline.store import uploads
from cvms_pipeline.use_cases import deliver, receive


class CrashError(BaseException):
    """The process has died here."""


def test_a_dropped_file_becomes_an_upload_whose_bytes_are_in_the_archive(site):
    path = site.drop([ANN], file_name="My staff.csv")
    data = path.read_bytes()

    (taken,) = site.take_in()

    assert (taken.provider, taken.lane, taken.file_name) == (
        "mercy",
        LOW,
        "My staff.csv",
    )
    assert (taken.size, taken.sha256) == (len(data), upload.compute_sha256(data))
    assert taken.status is upload.UploadStatus.RECEIVED
    assert site.pipeline.archive.read(taken.id) == data
    assert not path.exists()


def test_the_same_bytes_again_are_another_upload_that_names_the_first(site):
    first = site.bring([ANN])

    second = site.receive([ANN])

    assert site.upload(second).parent_upload == first


def test_a_file_that_is_open_for_writing_is_not_claimed(site):
    path = site.lane() / "staff.csv"
    with path.open("wb") as writer:
        writer.write(b"First name,")
        writer.flush()

        look = receive.receive(site.pipeline)

        assert not look.is_complete
        assert path.exists()
    assert len(site.take_in()) == 1


# Whose folder it is, and whether the provider is known.
NOT_LET_IN = [("stranger", False), ("gone", True)]


@pytest.mark.parametrize(("slug", "is_known"), NOT_LET_IN)
def test_a_file_of_no_enabled_provider_is_kept_in_quarantine(site, slug, is_known):
    if is_known:
        site.add_provider(slug, is_enabled=False)

    upload_id = site.bring([ANN], slug=slug)

    taken = site.upload(upload_id)
    assert (taken.provider, taken.folder) == (None, slug)
    assert taken.refusal.code == "provider-unknown"
    assert list((site.pipeline.folders.quarantine / upload_id).iterdir())
    deliver.send_alerts(site.pipeline)
    (alert,) = site.mail()
    assert alert["To"] == "data-ops@example.org"
    told = alert.get_body(("plain",)).get_content()
    assert slug in told
    assert f"/assets/upload?view=partitions&partition={upload_id}" in told


# What kind of thing it is, made without being a file.
NOT_FILES = {
    "link": lambda path: path.symlink_to("/etc/passwd"),
    "pipe": os.mkfifo,
    "folder": lambda path: path.mkdir(),
}


@pytest.mark.parametrize("kind", NOT_FILES)
def test_links_pipes_and_folders_are_refused_without_being_opened(site, kind):
    NOT_FILES[kind](site.lane() / "staff.csv")

    (taken,) = site.take_in()
    site.process(taken.id)

    assert site.upload(taken.id).refusal.code == "not-a-file"
    assert (taken.sha256, taken.size) == (None, None)


# Where the process dies: before each effect that follows the claim.
DEATHS = [
    (claims, "finish"),  # claimed, nothing kept yet
    (uploads, "register"),  # kept, not registered
    (claims, "discard"),  # registered, the claim still there
]


@pytest.mark.parametrize(("module", "name"), DEATHS)
def test_the_next_scan_finishes_what_a_crash_interrupted(
    site, monkeypatch, module, name
):
    path = site.drop([ANN])
    data = path.read_bytes()

    def die(*arguments, **options):
        raise CrashError

    with monkeypatch.context() as patch:
        patch.setattr(module, name, die)
        with pytest.raises(CrashError):
            site.take_in()
    assert not path.exists()
    (taken,) = site.take_in()

    assert site.pipeline.archive.read(taken.id) == data
    assert site.column("SELECT count(*) FROM cvms.uploads") == [1]
    assert not claims.list_open_claims(
        site.pipeline.folders, now=dt.datetime.now(dt.UTC), limit=99
    )


def test_a_file_that_cannot_be_claimed_delays_no_other(site, monkeypatch):
    site.drop([ANN], file_name="first.csv")
    site.drop([BOB], file_name="second.csv")
    keep = site.pipeline.archive.write
    calls = iter([errors.TransientError("The disk is full."), None])

    def sometimes(archive, upload_id, data):
        if (error := next(calls)) is not None:
            raise error
        keep(upload_id, data)

    monkeypatch.setattr(type(site.pipeline.archive), "write", sometimes)
    taken = receive.wait_for_uploads(site.pipeline, seconds=0)

    assert len(taken) == 1


def test_a_transient_problem_is_raised_if_there_is_no_other_work(site, monkeypatch):
    site.drop([ANN])

    def refuse(*arguments):
        raise errors.TransientError("The disk is full.")

    monkeypatch.setattr(type(site.pipeline.archive), "write", refuse)

    with pytest.raises(errors.TransientError, match="disk is full"):
        receive.wait_for_uploads(site.pipeline, seconds=0)


def test_low_volume_has_priority_over_high_volume(site):
    for number, lane in enumerate([HIGH, LOW, HIGH]):
        site.drop([ANN], lane=lane, file_name=f"{number}.csv")

    taken = site.take_in()

    assert [each.lane for each in taken] == [LOW, HIGH, HIGH]


def test_a_run_is_requested_once_and_again_if_it_never_begins(site):
    upload_id = site.receive([ANN])

    assert receive.request_runs(site.pipeline).uploads == []
    site.clock.forward(minutes=3)
    assert [each.id for each in receive.request_runs(site.pipeline).uploads] == [
        upload_id
    ]
    site.clock.forward(minutes=3)
    site.process(upload_id)
    assert receive.request_runs(site.pipeline).uploads == []


def test_waiting_ends_without_a_file(site):
    assert receive.wait_for_uploads(site.pipeline, seconds=0.2) == []


def test_waiting_ends_with_a_file(site):
    dropped = threading.Timer(0.3, site.drop, [[ANN]])
    dropped.start()

    taken = receive.wait_for_uploads(site.pipeline, seconds=60)

    dropped.join()
    assert len(taken) == 1
