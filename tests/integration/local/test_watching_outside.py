"""Looking at an installation from outside, and telling Prometheus of it."""

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

from cvms_pipeline import settings
from cvms_pipeline.files import space, unclaimed
from cvms_pipeline.local import metrics, processes, watching

ROOT = Path(__file__).parents[3]
PROVIDER = "mercy"
AN_HOUR_AGO = "received_at - interval '1 hour'"


@pytest.fixture
def site(tmp_path, database_url, monkeypatch) -> Iterator[installations.Installation]:
    opened = installations.opened(tmp_path, database_url, monkeypatch)
    yield opened
    opened.pipeline.close()


@pytest.fixture
def seen(site):
    """What is seen of the site when it is asked for."""
    watcher = watching.Watcher(settings.load())
    yield watcher.look
    watcher.close()


@pytest.fixture
def prometheus(site, monkeypatch) -> Iterator[str]:
    """The address of a metrics server that runs."""
    monkeypatch.setattr(processes, "metrics_port", lambda _: 0)  # a free one
    with metrics.server(settings.load()) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def told(address: str, path: str = "/metrics") -> dict[str, float]:
    """Return the value of each sample."""
    with urllib.request.urlopen(address + path, timeout=30) as answer:  # noqa: S310 # ours
        lines = answer.read().decode().splitlines()
    pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name: float(value) for name, _, value in pairs}


def test_files_that_wait_are_counted_and_their_age_is_known(site, seen):
    path = site.drop([installations.ANN])
    since = dt.datetime.fromtimestamp(path.stat().st_ctime, dt.UTC)
    (site.lane() / "half.csv.part").touch()
    (site.lane().parent / "results" / "old.csv").touch()

    found = seen().unclaimed

    assert found == unclaimed.Unclaimed(files=1, oldest_at=since)


def test_a_claim_that_is_not_finished_is_a_file_that_waits(site, seen):
    site.pipeline.folders.claims.mkdir(exist_ok=True)
    (site.pipeline.folders.claims / "20260102-030405-abcdefgh").mkdir()

    assert seen().unclaimed.files == 1


# Where a file may lie that nobody takes in.
ASTRAY = [
    "staff.csv",  # in no provider's folder
    "mercy/staff.csv",
    "mercy/Low_Volume/staff.csv",
    "mercy/low_volume ",  # a file called almost like a lane
    "mercy/2026/january/new/staff.csv",
    "low_volume/staff.csv",  # a lane without a provider
    "mercy/results.csv",
    b"mercy/\xff\n.csv",  # neither UTF-8 nor one line
]

# What is no misplaced file.
AT_HOME = [
    "mercy/low_volume/staff.csv",
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


def test_files_in_no_lane_are_counted_and_left_alone(site, seen):
    root = site.pipeline.folders.root
    for path in (*ASTRAY, *AT_HOME):
        put(root, path)
    (root / "link.csv").symlink_to(root / "staff.csv")
    before = sorted(root.rglob("*"))

    found = seen().unclaimed

    assert found.misplaced == len(ASTRAY) + 1
    assert found.files == 1
    assert found.oldest_misplaced_at is not None
    assert sorted(root.rglob("*")) == before


def test_no_more_misplaced_files_are_counted_than_matter(site, seen, monkeypatch):
    monkeypatch.setattr(unclaimed, "MOST_MISPLACED", 2)
    for name in ("a.csv", "b.csv", "c.csv"):
        put(site.pipeline.folders.root, name)

    assert seen().unclaimed.misplaced == 2


def test_an_incoming_folder_that_is_away_is_a_fault(site, seen):
    root = site.pipeline.folders.root
    root.rename(root.with_name("elsewhere"))

    found = seen()

    assert found.unclaimed is None
    assert [f"{root} cannot be reached" in fault for fault in found.faults] == [True]


def test_a_database_that_is_away_is_a_fault_and_the_rest_is_told(site, monkeypatch):
    monkeypatch.setenv("CVMS_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")

    found = watching.Watcher(settings.load()).look()

    assert found.backlog is None
    assert found.queue is None
    assert "cannot be reached" in found.faults[0]
    assert found.unclaimed is not None


def test_a_database_that_does_not_answer_is_not_waited_for(site, monkeypatch):
    monkeypatch.setattr(watching, "_PATIENCE_SECONDS", 0.01)
    released = threading.Event()
    watcher = watching.Watcher(settings.load())
    monkeypatch.setattr(watcher, "_waiting", lambda: released.wait(30))

    found = watcher.look()
    released.set()

    assert "The database does not answer" in found.faults[0]


def test_without_a_supervisor_every_process_is_not_running(seen):
    found = seen().processes

    assert {each.state for each in found} == {"not running"}
    assert [p.name for p in found] == [
        "code",
        "daemon",
        "webserver",
        "worker",
        "metrics",
    ]


def test_the_room_on_a_disk_is_that_of_the_nearest_folder(tmp_path):
    there = space.of("data", tmp_path)
    not_yet = space.of("data", tmp_path / "not" / "yet")

    assert there.size_bytes == not_yet.size_bytes
    assert 0 < there.free_percent <= 100


def test_prometheus_gets_the_numbers_that_there_are(site, prometheus):
    site.bring([installations.ANN, installations.BAD])
    site.receive([installations.BOB])
    site.drop([installations.ANN])
    site.execute(
        "UPDATE cvms.uploads SET received_at = received_at - interval '1 hour'"
    )

    found = told(prometheus)

    assert found["cvms_uploads_waiting"] == 1
    assert found["cvms_oldest_waiting_upload_age_seconds"] > 3599
    assert found["cvms_uploads_failed"] == 0
    assert found["cvms_messages_unsent"] == 1  # the invitation
    assert found['cvms_messages_refused{kind="notice"}'] == 0
    assert found["cvms_incoming_files"] == 1
    assert found["cvms_misplaced_files"] == 0
    assert found["cvms_database_up"] == 1
    assert found["cvms_health"] == 2
    assert found['cvms_process_up{name="worker"}'] == 0
    assert found['cvms_disk_free_bytes{folder="archive"}'] > 0


def test_every_metric_that_is_documented_is_told(site, prometheus):
    text = (ROOT / "docs" / "operating.md").read_text("utf-8")
    section = text.partition("## Monitoring\n")[2].partition("\n## ")[0]
    documented = set(re.findall(r"\bcvms_[a-z_]+", section))

    names = {name.partition("{")[0] for name in told(prometheus)}

    of_a_running_one = {
        *("cvms_process_uptime_seconds", "cvms_runs_queued", "cvms_runs_running"),
        *("cvms_broker_messages", "cvms_retention_failed"),
    }
    assert names <= documented
    assert documented - names == of_a_running_one


def test_numbers_that_nobody_knows_are_left_out(prometheus, site, monkeypatch):
    monkeypatch.setattr(watching.Watcher, "_waiting", lambda _: None)

    found = told(prometheus)

    assert found["cvms_database_up"] == 0
    assert "cvms_uploads_waiting" not in found


def test_no_label_names_a_provider_or_a_file(site, prometheus):
    site.drop([installations.ANN], file_name="Canarywood.csv")

    with urllib.request.urlopen(prometheus, timeout=30) as answer:  # noqa: S310 # ours
        text = answer.read().decode()

    assert not [word for word in ("Canarywood", PROVIDER, "staff") if word in text]


def test_whether_it_works_is_asked_without_looking(prometheus, monkeypatch):
    looks = []
    monkeypatch.setattr(watching.Watcher, "look", lambda _: looks.append(1))

    told(prometheus, "/-/healthy")

    assert looks == []


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


def test_the_metrics_are_elsewhere_only_where_that_is_said(site, monkeypatch):
    monkeypatch.setenv("CVMS_METRICS_HOST", "127.0.0.2")
    programs = {each.name: each for each in processes.services(settings.load())}
    monkeypatch.setattr(processes, "metrics_port", lambda _: 0)  # a free one

    with metrics.server(settings.load()) as server:
        assert listening(f":{server.server_address[1]}") == ["127.0.0.2"]

    assert programs["metrics"].address.host == "127.0.0.2"


def test_where_something_else_runs_the_processes_they_are_not_told_as_broken(
    site, monkeypatch
):
    monkeypatch.setattr(processes, "metrics_port", lambda _: 0)  # a free one
    with metrics.server(settings.load(), own=False) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        found = told(f"http://127.0.0.1:{server.server_address[1]}")
        server.shutdown()
        thread.join()

    assert found["cvms_health"] == 0
    assert not [name for name in found if name.startswith("cvms_process")]
