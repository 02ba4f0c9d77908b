from dataclasses import replace

import dagster as dg
import pytest
from dagster_installations import counts
from installations import ANN, BAD, BOB

from cvms_pipeline.store import uploads

DAVE = "Dave,Lee,3/4/1961,dave@b.example.org"


@pytest.fixture
def four(dagster) -> list[str]:
    """Four finished uploads, of which two may stay."""
    return [dagster.finished([row]) for row in (ANN, BOB, BAD, DAVE)]


def test_the_oldest_finished_partitions_beyond_the_limit_are_removed_with_their_runs(
    dagster, four
):
    shown = dagster.retain(dry_run=False)

    assert dagster.live() == four[2:]
    assert [dagster.runs(upload_id) for upload_id in four[:2]] == [[], []]
    assert counts(shown["remove_partitions"]) == {
        "Partitions": 2,
        "Runs of these": 4,
        "Runs of no upload shown": 0,
    }


def test_removed_partitions_are_shown_with_their_uploads(dagster, four):
    shown = dagster.retain(dry_run=False)["remove_partitions"]

    rows = [row.data for row in shown["the oldest of them"].records]
    assert [(row["upload"], row["provider"], row["runs"]) for row in rows] == [
        (four[0], "mercy", 2),
        (four[1], "mercy", 2),
    ]


def test_by_default_nothing_is_removed_and_everything_is_shown(dagster, four):
    before = dagster.site.everything()

    shown = dagster.retain()["remove_partitions"]

    assert dagster.live() == four
    assert dagster.runs(four[0]) == ["send_invitations", "process_upload"]
    assert dagster.site.everything() == before
    assert counts(shown, "found")["Partitions"] == 2
    assert counts(shown)["Partitions"] == 0


def test_no_event_of_a_removed_run_is_left(dagster):
    dagster.limits = replace(dagster.limits, live_partitions=1)
    for row in (ANN, BAD):
        dagster.processed([row])

    dagster.retain(dry_run=False)

    left = dagster.site.table(
        "SELECT run_id FROM dagster.event_logs WHERE run_id <> ''"
        " AND run_id NOT IN (SELECT run_id FROM dagster.runs)"
    )
    assert left.empty


def test_a_failed_upload_is_kept_at_any_age(dagster, four):
    site = dagster.site
    with site.pipeline.store.begin() as conn:
        uploads.mark_failed(conn, four[0], now=site.clock())

    dagster.retain(dry_run=False)

    assert dagster.live() == [four[0], four[3]]


def test_an_upload_with_an_unsent_message_is_kept(dagster, four):
    dagster.site.execute(
        "UPDATE cvms.messages SET status = 'waiting', sent_at = NULL"
        " WHERE kind = 'invitation' AND upload_id ="
        " (SELECT id FROM cvms.uploads ORDER BY received_at LIMIT 1)"
    )

    dagster.retain(dry_run=False)

    assert dagster.live() == [four[0], four[3]]


def test_an_unfinished_upload_is_kept(dagster):
    waiting = dagster.received([ANN])
    dagster.limits = replace(dagster.limits, live_partitions=1)
    finished = dagster.finished([BOB])

    dagster.retain(dry_run=False)

    assert dagster.live() == [waiting]
    assert dagster.runs(finished) == []


def test_an_upload_that_is_run_again_is_kept(dagster, four):
    dagster.add_run(four[0], "process_upload", dg.DagsterRunStatus.STARTED)

    dagster.retain(dry_run=False)

    assert dagster.live() == [four[0], *four[2:]]
    assert len(dagster.runs(four[0])) == 3


def test_a_partition_that_belongs_to_no_upload_is_kept(dagster, four):
    dagster.instance.add_dynamic_partitions("uploads", ["by-hand"])

    dagster.retain(dry_run=False)

    assert set(dagster.live()) == {four[3], "by-hand"}


def test_runs_of_no_upload_are_removed_after_their_days(dagster):
    dagster.retain()
    dagster.limits = replace(dagster.limits, run_days=30)
    dagster.site.clock.forward(days=31)

    shown = dagster.retain(dry_run=False)

    assert counts(shown["remove_partitions"])["Runs of no upload shown"] == 1
    assert dagster.instance.get_runs_count() == 1


def test_the_runs_of_a_live_upload_are_kept_at_any_age(dagster):
    upload_id = dagster.finished([ANN])
    dagster.site.clock.forward(days=400)

    dagster.retain(dry_run=False)

    assert len(dagster.runs(upload_id)) == 2


def test_a_second_night_finds_nothing_more(dagster, four):
    dagster.retain(dry_run=False)

    shown = dagster.retain(dry_run=False)

    assert all(sum(counts(each).values()) == 0 for each in shown.values())
