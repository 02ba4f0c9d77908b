"""The benchmarks: how they compare and print figures, without measuring any."""

import importlib
import pathlib
import socket

import pytest

from benchmarks import (
    __main__,
    backlog,
    chart,
    core,
    measuring,
    peers,
    portal,
    portal_processes,
    ports,
    redis_server,
    sample_rows,
)
from cvms_pipeline.domain.reading import reader
from cvms_pipeline.domain.validation import row_schema
from cvms_pipeline.domain.vocabulary import upload

ROOT = pathlib.Path(__file__).parents[3]

SECONDS = {
    "core, 10 %": [2.0, 3.0, 4.0],
    "limit": [1.0, 2.0, 2.0],
    "core, 100 %": [2.0, 6.0, 4.0],
}
STEPS = {"read": 0.1, "load": 0.2}


def measured():
    return core.Measured(seconds=SECONDS, steps=STEPS)


def test_alternatives_run_in_turns_and_the_first_turn_does_not_count():
    taken = []

    def way(name):
        return lambda nth: taken.append(name) or float(nth)

    seconds = measuring.interleaved({"a": way("a"), "b": way("b")}, repetitions=2)

    assert taken == ["a", "b", "a", "b", "a", "b"]
    assert seconds == {"a": [1.0, 2.0], "b": [1.0, 2.0]}


def test_at_least_one_turn_counts_when_the_time_is_over():
    seconds = measuring.interleaved({"a": float}, repetitions=9, seconds=0)

    assert seconds == {"a": [1.0]}


def test_figures_are_compared_turn_by_turn():
    ratio = measuring.ratios([2.0, 6.0, 5.0], [1.0, 2.0, 5.0])

    assert ratio.median == 2.0


def test_one_figure_has_no_spread():
    assert str(measuring.spread([0.5])) == "0.5 (0.5 to 0.5)"


def test_the_benchmark_of_the_core_prints_the_documented_figures():
    said = core.summary({0: measured(), 1_000_000: measured()}, peak=123.4)

    assert said["ratio_to_limit"] == {"0": 2.0, "1000000": 2.0}
    assert said["all_rejected_ratio"] == 1.0
    assert said["peak_mb"] == 123
    assert said["steps_ms"]["0"] == {"read": 100.0, "load": 200.0}


def test_the_figures_of_the_portal_are_listed_with_their_goals():
    found = {
        "page_p95_ms": {"uploads": 37.0},
        "review_100_ms": 120,
        "concurrent": {"users": 50, "errors": 0, "p95_s": 0.5},
        "refused_log_in_ms": {"known": {"median": 80.0, "p95": 95.5}},
    }

    assert portal.list_rows(found) == [
        ("page_p95_ms: uploads", "37.0", "≤ 100"),
        ("review_100_ms", "120", "≤ 150"),
        ("concurrent: users", "50", ""),
        ("concurrent: errors", "0", "≤ 0"),
        ("concurrent: p95_s", "0.5", "≤ 1.0"),
        ("refused_log_in_ms: known", "median 80.0, p95 95.5", ""),
    ]


def test_server_times_are_read_from_the_log_of_the_portal():
    log = (
        "2026-11-29 19:00:00,000 GET recipients 200 34 ms\n"
        "2026-11-29 19:00:01,000 POST bulk 302 120 ms\n"
        "2026-11-29 19:00:02,000 GET unknown page 404 3 ms\n"
    )

    assert portal_processes.LINE.findall(log) == [("recipients", "34"), ("bulk", "120")]


def test_the_other_tools_are_listed_by_name_without_ours():
    seconds = {"ours, warm": [0.5], "ours, cold": [1.0], "dlt": [2.0]}

    said = peers.summary(seconds)

    assert said["warm_speedup"] == {"dlt": 4.0}
    assert said["cold_speedup"] == {"dlt": 2.0}


@pytest.mark.parametrize("percent", [0, 10, 100])
def test_an_invented_upload_has_exactly_the_requested_number_of_wrong_rows(percent):
    data = sample_rows.upload(200, rejected_percent=percent, seed=7)

    read = reader.read_sheet(data, lane=upload.Lane.HIGH_VOLUME)
    judged = row_schema.validate_rows(read, today=core.uploading.NOW.date())

    assert len(read.values) == 200
    assert judged.rejections["line"].nunique() == 2 * percent


def test_the_same_seed_gives_the_same_people_and_another_seed_others():
    people = sample_rows.people(5, seed=1)

    assert sample_rows.people(5, seed=1) == people
    assert not set(sample_rows.people(5, seed=2)) & set(people)


def test_a_chart_has_each_bar_with_its_figure_and_its_goal():
    bars = [
        chart.Bar(label="a < b", value=2.0, is_ours=True, goal=4.0),
        chart.Bar(label="c", value=1.0),
    ]

    drawn = chart.svg("Title", bars, unit="s")

    assert "a &lt; b" in drawn
    assert "2 s" in drawn
    assert drawn.count('class="goal"') == 1


def looked(seconds, done, *, cpu):
    return backlog.Look(
        seconds=seconds,
        done=done,
        waiting=4 - done,
        queued=max(0, 2 - done),
        unsent=done,
        cpu_seconds=cpu,
    )


def test_the_benchmark_of_a_backlog_prints_the_documented_figures():
    watched = backlog.Watched(
        began=100.0,
        late={"late-0.csv": 104.0, "late-1.csv": 106.0},
        looks=[looked(0, 0, cpu=10), looked(4, 2, cpu=13), looked(8, 4, cpu=14)],
        pages=[0.1, 0.3],
        heartbeats=[20.0, 31.0],
    )

    said = backlog.summary(
        watched,
        many={"many-0.csv": 103.0, "many-1.csv": 106.0},
        late={"late-0.csv": 105.0, "late-1.csv": 109.0},
        pauses=[0.2, 0.7],
    )

    assert (said["files"], said["files_per_minute"]) == (2, 20.0)
    assert said["late_small_file_p50_s"] == 2.0
    assert said["late_small_file_max_s"] == 3.0
    assert said["webserver_p95_s"] == 0.3
    assert said["daemon_lag_max_s"] == 0.7
    assert said["daemon_heartbeat_age_max_s"] == 31.0
    assert said["cpu_s_per_file"] == 1.0
    assert [part["cpu_s_per_file"] for part in said["over_time"]] == [1.5, 0.5]


def test_without_redis_the_benchmark_reports_it(monkeypatch):
    monkeypatch.setenv("PATH", "")

    with (
        pytest.raises(redis_server.RedisMissingError, match="not on the PATH"),
        redis_server.running(),
    ):
        pass


def test_every_benchmark_has_a_line_in_the_readme():
    readme = (ROOT / "benchmarks" / "README.md").read_text("utf-8")

    named = [
        name for name in __main__.NAMES if f"`python -m benchmarks {name}" in readme
    ]

    assert named == list(__main__.NAMES)


@pytest.mark.parametrize("name", ["core", "orchestration", "backlog", "peers"])
def test_every_benchmark_is_a_command_with_a_line_in_the_readme(name):
    readme = (ROOT / "benchmarks" / "README.md").read_text("utf-8")

    assert callable(importlib.import_module(f"benchmarks.{name}").main)
    assert f"`python -m benchmarks {name}`" in readme


def test_ports_are_those_that_no_outgoing_connection_gets():
    lowest_of_connections = int(
        pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0]
    )

    found = [ports.find_free() for _ in range(20)]

    assert len(set(found)) == 20
    assert max(found) + 2 < lowest_of_connections


def test_a_port_whose_neighbour_is_taken_is_not_offered(monkeypatch):
    chosen = ports.find_free()
    with socket.create_server(("127.0.0.1", chosen + 2)):
        offers = iter([chosen, chosen + 3])
        monkeypatch.setattr(ports.random, "randrange", lambda *_: next(offers))
        monkeypatch.setattr(ports, "_given", set())

        assert ports.find_free() == chosen + 3
