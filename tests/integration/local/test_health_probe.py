"""Asking an installation from outside how it is, and serving that to Prometheus."""

import contextlib
import datetime as dt
import os
import re
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import installations
import psutil
import pytest

from cvms_pipeline.local import health_probe, metrics, processes
from cvms_pipeline.maintenance import health, inspection
from cvms_pipeline.settings import loading

ROOT = Path(__file__).parents[3]
PROVIDER = "mercy"
AN_HOUR_AGO = "received_at - interval '1 hour'"


@pytest.fixture
def site(tmp_path, database_url, monkeypatch) -> Iterator[installations.Installation]:
    opened = installations.opened(tmp_path, database_url, monkeypatch)
    yield opened
    opened.pipeline.close()


@pytest.fixture
def take_snapshot(site):
    """Takes a snapshot of the site when it is called."""
    probe = new_probe()
    yield probe.take_snapshot
    probe.close()


def new_probe():
    return health_probe.open_probe(loading.load(), has_processes=True)


@pytest.fixture
def prometheus(site, monkeypatch) -> Iterator[str]:
    """The address of a metrics server that runs."""
    monkeypatch.setenv("CVMS_METRICS_PORT", "0")  # a free one
    with serving() as address:
        yield address


@contextlib.contextmanager
def serving(**other) -> Iterator[str]:
    """Serve metrics; yield the address."""
    server, thread = metrics.start(loading.load(), **other)
    with server:
        yield f"http://{server.server_address[0]}:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def read_samples(address: str, path: str = "/metrics") -> dict[str, float]:
    """Return the value of each sample."""
    with urllib.request.urlopen(address + path, timeout=30) as answer:  # noqa: S310 # ours
        lines = answer.read().decode().splitlines()
    pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name: float(value) for name, _, value in pairs}


def test_files_that_wait_are_counted_and_their_age_is_known(site, take_snapshot):
    path = site.drop([installations.ANN])
    since = dt.datetime.fromtimestamp(path.stat().st_ctime, dt.UTC)
    (site.lane() / "half.csv.part").touch()
    (site.lane().parent / "results" / "old.csv").touch()

    found = take_snapshot().incoming

    assert found == health.IncomingCounts(files=1, oldest_at=since)


def test_a_claim_that_is_not_finished_is_a_file_that_waits(site, take_snapshot):
    site.pipeline.folders.claims.mkdir(exist_ok=True)
    (site.pipeline.folders.claims / "20260102-030405-abcdefgh").mkdir()

    assert take_snapshot().incoming.files == 1


# Where a file may lie that is never taken in.
MISPLACED = [
    "staff.csv",  # in no provider's folder
    "mercy/staff.csv",
    "mercy/low_volume ",  # a file called almost like a lane
    "mercy/2026/january/new/staff.csv",
    "low_volume/staff.csv",  # a lane without a provider
    "mercy/results.csv",
    b"mercy/\xff\n.csv",  # neither UTF-8 nor one line
]

# What is no misplaced file.
IN_PLACE = [
    "mercy/low_volume/staff.csv",
    "mercy/Low Volume/staff.csv",  # waits in its lane, too
    "mercy/low_volume/staff.csv.bak",  # is left there
    "mercy/@eaDir/staff.csv",
    "mercy/results/20260102/receipt.txt",
    "mercy/half.csv.part",
    ".DS_Store",
    "mercy/.hidden/staff.csv",
    ".quarantine/20260102-030405-abcdefgh/original",
    "mercy/Low_Volume/Thumbs.db",
]


def put(root, path):
    file = Path(os.fsdecode(os.path.join(os.fsencode(root), os.fsencode(path))))  # noqa: PTH118 # bytes
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()


def test_files_in_no_lane_are_counted_and_not_moved(site, take_snapshot):
    root = site.pipeline.folders.root
    for path in (*MISPLACED, *IN_PLACE):
        put(root, path)
    (root / "link.csv").symlink_to(root / "staff.csv")
    before = sorted(root.rglob("*"))

    found = take_snapshot().incoming

    assert found.misplaced == len(MISPLACED) + 1
    assert found.files == 2
    assert found.oldest_misplaced_at is not None
    assert sorted(root.rglob("*")) == before


def test_no_more_misplaced_files_are_counted_than_matter(
    site, take_snapshot, monkeypatch
):
    monkeypatch.setattr(inspection, "_MAX_MISPLACED", 2)
    for name in ("a.csv", "b.csv", "c.csv"):
        put(site.pipeline.folders.root, name)

    assert take_snapshot().incoming.misplaced == 2


def test_an_unavailable_incoming_folder_is_critical(site, take_snapshot):
    root = site.pipeline.folders.root
    root.rename(root.with_name("elsewhere"))

    found = take_snapshot()

    assert found.incoming is None
    assert [f"{root} cannot be reached" in fault for fault in found.failures] == [True]


def test_an_unreachable_database_is_critical_and_the_rest_is_reported(
    site, monkeypatch
):
    monkeypatch.setenv("CVMS_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")

    found = new_probe().take_snapshot()

    assert found.backlog is None
    assert found.queue is None
    assert "cannot be reached" in (found.database_failure or "")
    assert found.incoming is not None


def test_a_database_that_does_not_answer_is_not_waited_for(site, monkeypatch):
    monkeypatch.setattr(inspection, "_ANSWER_SECONDS", 0.01)
    released = threading.Event()
    probe = new_probe()
    monkeypatch.setattr(probe, "_count_waiting", lambda: released.wait(30))

    found = probe.take_snapshot()
    released.set()

    assert "The database does not answer" in (found.database_failure or "")


def test_without_a_supervisor_every_process_is_not_running(take_snapshot):
    found = take_snapshot().processes

    assert {each.state for each in found} == {"not running"}
    assert [p.name for p in found] == [
        "code",
        "daemon",
        "webserver",
        "worker",
        "portal",
        "metrics",
    ]


def test_the_room_on_a_disk_is_that_of_the_nearest_folder(tmp_path):
    there = inspection.measure_space("data", tmp_path)
    not_yet = inspection.measure_space("data", tmp_path / "not" / "yet")

    assert there.size_bytes == not_yet.size_bytes
    assert 0 < there.free_percent <= 100


def test_prometheus_gets_the_numbers_that_are_known(site, prometheus):
    site.bring([installations.ANN, installations.BAD])
    site.receive([installations.BOB])
    site.drop([installations.ANN])
    site.execute(
        "UPDATE cvms.uploads SET received_at = received_at - interval '1 hour'"
    )

    found = read_samples(prometheus)

    assert found["cvms_uploads_waiting"] == 1
    assert found["cvms_oldest_waiting_upload_age_seconds"] > 3599
    assert found["cvms_uploads_failed"] == 0
    assert found["cvms_messages_unsent"] == 1  # the invitation
    assert found['cvms_messages_refused{kind="notice"}'] == 0
    assert found['cvms_recipients{step="loaded"}'] == 1
    assert found['cvms_recipients{step="invited"}'] == 0
    assert found['cvms_recipients{step="registered"}'] == 0
    assert found["cvms_addresses_denied"] == 0
    assert found["cvms_incoming_files"] == 1
    assert found["cvms_misplaced_files"] == 0
    assert found["cvms_database_up"] == 1
    assert found["cvms_health"] == 2
    assert found['cvms_process_up{name="worker"}'] == 0
    assert found['cvms_disk_free_bytes{folder="archive"}'] > 0


def test_every_documented_metric_is_served(site, prometheus):
    text = (ROOT / "docs" / "monitoring.md").read_text("utf-8")
    section = text.partition("## State and metrics\n")[2].partition("\n## ")[0]
    documented = set(re.findall(r"\bcvms_[a-z_]+", section))

    names = {name.partition("{")[0] for name in read_samples(prometheus)}

    of_a_running_one = {
        *("cvms_process_uptime_seconds", "cvms_runs_queued", "cvms_runs_running"),
        *("cvms_broker_messages", "cvms_retention_failed"),
        *("cvms_automations_stopped", "cvms_portal_answers_total"),
        "cvms_portal_log_ins_refused_total",
    }
    assert names <= documented
    assert documented - names == of_a_running_one


def test_unknown_numbers_are_left_out(prometheus, site, monkeypatch):
    monkeypatch.setattr(inspection.HealthProbe, "_count_waiting", lambda _: None)

    found = read_samples(prometheus)

    assert found["cvms_database_up"] == 0
    assert "cvms_uploads_waiting" not in found


def test_no_label_names_a_provider_or_a_file(site, prometheus):
    site.drop([installations.ANN], file_name="Canarywood.csv")

    with urllib.request.urlopen(prometheus, timeout=30) as answer:  # noqa: S310 # ours
        text = answer.read().decode()

    assert not [word for word in ("Canarywood", PROVIDER, "staff") if word in text]


def test_the_health_path_takes_no_snapshot(prometheus, monkeypatch):
    snapshots = []
    monkeypatch.setattr(inspection.HealthProbe, "take_snapshot", snapshots.append)

    read_samples(prometheus, "/-/healthy")

    assert snapshots == []


def listening(address: str) -> list[str]:
    """Return where this process listens on the port of an address."""
    port = int(address.rpartition(":")[2])
    return [
        each.laddr.ip
        for each in psutil.Process().net_connections("tcp")
        if each.status == psutil.CONN_LISTEN and each.laddr.port == port
    ]


def test_the_metrics_are_on_the_loopback_address_only(prometheus):
    assert listening(prometheus) == ["127.0.0.1"]


def test_the_metrics_listen_elsewhere_only_if_a_setting_says_so(site, monkeypatch):
    monkeypatch.setenv("CVMS_METRICS_HOST", "127.0.0.2")
    programs = {each.name: each for each in processes.prepare_services(loading.load())}
    monkeypatch.setenv("CVMS_METRICS_PORT", "0")  # a free one

    with serving() as address:
        assert listening(address) == ["127.0.0.2"]

    assert programs["metrics"].address.host == "127.0.0.2"


def test_processes_that_another_manager_runs_are_not_reported(site, monkeypatch):
    monkeypatch.setenv("CVMS_METRICS_PORT", "0")  # a free one
    with serving(has_processes=False) as address:
        found = read_samples(address)

    assert found["cvms_health"] == 0
    assert not [name for name in found if name.startswith("cvms_process")]
