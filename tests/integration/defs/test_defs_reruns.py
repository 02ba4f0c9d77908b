"""A run that repeats an earlier one is in the audit, also if the store was away."""

import types

import dagster as dg
import pytest
from installations import ANN
from test_defs_alerts import told

from cvms_pipeline.defs import resources
from cvms_pipeline.ingest import standing
from cvms_pipeline.store import engine

RERUNS = "SELECT run_id FROM cvms.audit WHERE event = 'upload-rerun'"


@pytest.fixture
def again(desk) -> dg.DagsterRun:
    """A run that goes on with an earlier one, from a later step."""
    run = dg.DagsterRun(
        job_name="process_upload",
        parent_run_id="earlier",
        root_run_id="earlier",
        tags={"dagster/partition": desk.bring([ANN])},
        status=dg.DagsterRunStatus.FAILURE,
    )
    desk.instance.add_run(run)
    return run


@pytest.fixture
def away(monkeypatch) -> types.SimpleNamespace:
    """How often the audit still finds the store away."""
    found = types.SimpleNamespace(times=1, asked=0)
    note_rerun = standing.note_rerun

    def note(*arguments, **options):
        found.asked += 1
        if found.asked <= found.times:
            raise engine.StoreAway
        note_rerun(*arguments, **options)

    monkeypatch.setattr(standing, "note_rerun", note)
    return found


@pytest.fixture
def working(desk, again, monkeypatch):
    """Return what is open while the steps of the run work."""
    monkeypatch.setattr(resources, "_open_in_process", lambda _: desk.site.pipeline)
    context = types.SimpleNamespace(run=again)
    return lambda: resources.PipelineResource().yield_for_execution(context)


def test_it_is_told_when_the_store_is_back_by_the_end_of_the_run(
    desk, again, away, working
):
    with working():
        assert desk.site.column(RERUNS) == []

    assert desk.site.column(RERUNS) == [again.run_id]


def test_it_is_told_though_the_run_goes_wrong(desk, again, away, working):
    with pytest.raises(ZeroDivisionError), working():
        raise ZeroDivisionError

    assert desk.site.column(RERUNS) == [again.run_id]


def test_it_is_told_once_where_the_store_is_there(desk, again, away, working):
    away.times = 0

    with working():
        assert desk.site.column(RERUNS) == [again.run_id]

    assert away.asked == 1


def test_it_is_told_when_a_run_is_seen_to_have_failed_that_never_reached_the_store(
    desk, again, away, working
):
    away.times = 2
    with working():
        pass
    assert desk.site.column(RERUNS) == []

    for _ in range(2):
        told(desk, again)

    assert desk.site.column(RERUNS) == [again.run_id]
