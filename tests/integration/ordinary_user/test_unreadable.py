"""What the service's user may not read or remove: it is refused, and harms no other."""

import time
from pathlib import Path

import pytest
from installations import ANN

from cvms_pipeline.files import pauses
from cvms_pipeline.maintenance import file_retention, retention
from cvms_pipeline.store import audit
from cvms_pipeline.use_cases import deliver, receive

LIMITS = retention.Limits(
    live_partitions=10_000,
    run_days=1,
    rejected_rows_days=365,
    removed_days=365,
    draft_days=90,
    archive_days=365,
    case_days=365,
    work_days=7,
)
MESSAGE = (
    "The permissions of the file do not allow us to read it. Upload it again with"
    " permission for everybody in its group to read it."
)


@pytest.fixture
def drop_closed(site, as_provider):
    """Drop a file that only its provider may read."""

    def drop(name: str = "closed.csv") -> None:
        with as_provider():
            path = site.lane() / name
            path.write_bytes(b"First name")
            path.chmod(0o600)

    return drop


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def paused(site) -> list[str]:
    return [path.parent.name for path in site.pipeline.folders.claims.glob("*/paused")]


def receive_after(site, seconds: float) -> list[str]:
    site.clock.forward(seconds=seconds)
    assert receive.receive(site.pipeline).error is None
    return [each.id for each in receive.request_runs(site.pipeline).uploads]


def test_a_file_that_may_not_be_read_is_paused_and_is_no_error(site, drop_closed):
    drop_closed()

    received = receive.receive(site.pipeline)

    assert (received.is_complete, received.error) == (True, None)
    assert len(paused(site)) == 1
    assert names(site.lane()) == []


def test_it_is_not_tried_again_before_its_pause_is_over(site, drop_closed, monkeypatch):
    drop_closed()
    receive.receive(site.pipeline)
    tried = []
    real = pauses.is_readable
    monkeypatch.setattr(
        pauses, "is_readable", lambda *a, **named: tried.append(a) or real(*a, **named)
    )

    for _ in range(200):
        receive_after(site, 0.5)

    assert 4 <= len(tried) <= 8  # after 1, 2, 4, 8, 16, 32 and 64 seconds


def test_a_file_that_becomes_readable_meanwhile_is_an_upload(
    site, drop_closed, as_provider, as_root
):
    drop_closed()
    receive.receive(site.pipeline)
    (original,) = site.pipeline.folders.claims.glob("*/original")
    with as_root():
        original.chmod(0o644)

    (upload_id,) = receive_after(site, 2)

    assert site.upload(upload_id).claim_refusal is None
    assert site.pipeline.archive.read(upload_id) == b"First name"
    assert paused(site) == []


@pytest.mark.parametrize(("seconds", "is_refused"), [(118, False), (121, True)])
def test_it_is_refused_after_two_minutes(site, drop_closed, seconds, is_refused):
    drop_closed()
    receive.receive(site.pipeline)

    assert bool(receive_after(site, seconds)) == is_refused


def test_provider_and_data_ops_are_told_that_it_may_not_be_read(site, drop_closed):
    drop_closed()
    receive.receive(site.pipeline)
    (upload_id,) = receive_after(site, 121)

    site.process(upload_id)
    deliver.send_alerts(site.pipeline)

    refusal = site.upload(upload_id).refusal
    assert (refusal.code, refusal.message) == ("not-readable", MESSAGE)
    alert, notice = site.mail()
    assert alert["Subject"] == "CVMS upload: A file may not be read"
    assert "'mercy'" in alert.get_body(("plain",)).get_content()
    assert MESSAGE in " ".join(notice.get_body(("plain",)).get_content().split())
    assert (site.pipeline.folders.quarantine / upload_id / "original").exists()


def test_data_ops_are_told_once_a_day_for_each_provider(site, drop_closed):
    for number in range(3):
        drop_closed(f"{number}.csv")
    receive.receive(site.pipeline)
    for upload_id in receive_after(site, 121):
        site.process(upload_id)

    deliver.send_alerts(site.pipeline)

    assert [each["To"] for each in site.mail()].count("data-ops@example.org") == 1


def test_many_files_that_may_not_be_read_delay_no_other(site, drop_closed):
    for number in range(300):
        drop_closed(f"{number}.csv")
    while not receive.receive(site.pipeline).is_complete:
        pass
    assert len(paused(site)) == 300
    site.clock.forward(seconds=60)  # now all of them are due

    site.drop([ANN], slug="mercy", file_name="good.csv")
    began = time.process_time()
    receive.receive(site.pipeline)
    seconds = time.process_time() - began

    (taken,) = receive.request_runs(site.pipeline).uploads
    assert taken.file_name == "good.csv"
    assert seconds < 1


def test_a_closed_folder_in_a_lane_is_refused_once_and_stays(site, as_provider):
    with as_provider():
        (site.lane() / "closed").mkdir(mode=0o700)
    site.drop([ANN])

    taken = site.take_in()
    for _ in range(3):
        assert receive.receive(site.pipeline).error is None

    assert {each.file_name for each in taken} == {"closed", "staff.csv"}
    (closed,) = (each.id for each in taken if each.file_name == "closed")
    site.process(closed)
    assert site.upload(closed).refusal.code == "not-a-file"
    assert names(site.lane()) == ["closed"]
    assert len(site.column("SELECT id FROM cvms.uploads")) == 2


@pytest.fixture
def nested(site, as_provider) -> str:
    """A refused folder with a closed one in it, and a readable one, both old."""
    with as_provider():
        for name in ("outer", "fine"):
            (site.lane() / name).mkdir()
            (site.lane() / name).chmod(0o777)
        (site.lane() / "outer" / "closed").mkdir(mode=0o700)
        (site.lane() / "outer" / "closed" / "file").touch()
        (site.lane() / "fine" / "file").touch()
    taken = {each.file_name: each.id for each in site.take_in()}
    for upload_id in taken.values():
        site.process(upload_id)
    site.clock.forward(days=366)
    return taken["outer"]


def removals(site) -> list[str]:
    with site.pipeline.store.begin() as conn:
        found = audit.list_entries(conn, limit=1000)
    return [each.upload_id for each in found if each.event == "file-removed"]


def test_retention_passes_over_what_it_cannot_remove_and_reports_it_once(site, nested):
    counts = []
    for _ in range(3):
        results = file_retention.remove_files(site.pipeline, LIMITS, dry_run=False)
        counts += [(each.found, each.removed) for each in results[1:2]]

    deliver.send_alerts(site.pipeline)
    assert counts == [(2, 1), (0, 0), (0, 0)]
    assert len(removals(site)) == 1
    assert nested not in removals(site)
    aside = site.pipeline.folders.quarantine / ".not-removed"
    assert names(aside) == [nested]
    alerts = [each for each in site.mail() if each["To"] == "data-ops@example.org"]
    assert [each["Subject"] for each in alerts] == [
        "CVMS upload: Files in quarantine cannot be removed"
    ]
    assert str(aside) in alerts[0].get_body(("plain",)).get_content().replace("\n", "")
