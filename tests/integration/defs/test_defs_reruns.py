"""A run that repeats or continues an earlier one is in the audit in any case."""

import types

import dagster as dg
import pytest
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution import api
from installations import ANN
from test_defs_sensors import record_failures

from cvms_pipeline.database import engine
from cvms_pipeline.use_cases import process

RERUNS = "SELECT run_id FROM cvms.audit WHERE event = 'upload-rerun'"
LATER_STEPS = ("error_report", "provider_notice")


def created(desk, upload_id, *assets) -> dg.DagsterRun:
    """Create a run as the UI does to re-execute one, from the start or from assets."""
    keys = frozenset(dg.AssetKey(name) for name in assets) or None
    job = desk.definitions.resolve_job_def("process_upload")
    return desk.instance.create_run_for_job(
        job.get_subset(asset_selection=keys) if keys else job,
        asset_selection=keys,
        tags={"dagster/partition": upload_id},
        parent_run_id="earlier",
        root_run_id="earlier",
    )


def executed(desk, run) -> list[dg.DagsterEvent]:
    job = desk.definitions.resolve_job_def("process_upload")
    if run.asset_selection:
        job = job.get_subset(asset_selection=run.asset_selection)
    result = api.execute_run(InMemoryJob(job), run, desk.instance, raise_on_error=False)
    return result.all_events


@pytest.fixture
def store_away(monkeypatch) -> types.SimpleNamespace:
    """How many more times the store is away when a re-run is to be noted."""
    left = types.SimpleNamespace(times=0)
    record_rerun = process.record_rerun

    def note(*arguments, **options):
        if left.times > 0:
            left.times -= 1
            raise engine.StoreAway
        record_rerun(*arguments, **options)

    monkeypatch.setattr(process, "record_rerun", note)
    return left


@pytest.mark.parametrize("assets", [(), LATER_STEPS], ids=["all", "later steps"])
def test_a_rerun_is_noted_once_from_whichever_step_it_starts(desk, assets):
    run = created(desk, desk.bring([ANN]), *assets)

    events = executed(desk, run)

    assert events[-1].is_job_success
    assert desk.site.column(RERUNS) == [run.run_id]


def test_a_rerun_is_recorded_before_its_first_step_does_anything(desk, store_away):
    run = created(desk, desk.bring([ANN]), *LATER_STEPS)
    store_away.times = 2

    events = executed(desk, run)

    retried = [e.step_key for e in events if e.is_step_up_for_retry]
    assert retried == ["error_report", "error_report"]
    assert desk.site.column(RERUNS) == [run.run_id]


def test_a_rerun_that_never_reached_the_store_is_recorded_when_its_failure_is(
    desk, store_away
):
    run = created(desk, desk.bring([ANN]), *LATER_STEPS)
    store_away.times = 10**9
    assert executed(desk, run)[-1].is_job_failure
    assert desk.site.column(RERUNS) == []
    store_away.times = 0

    for _ in range(2):
        record_failures(desk)

    assert desk.site.column(RERUNS) == [run.run_id]


def test_a_first_run_is_no_rerun(desk):
    desk.bring([ANN])

    assert desk.site.column(RERUNS) == []
