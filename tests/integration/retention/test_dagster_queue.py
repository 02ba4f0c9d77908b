"""How many runs wait, read from Dagster's tables as Dagster itself writes them."""

import celery
import dagster as dg
import pytest
from dagster._core import remote_origin
from dagster._core.scheduler import instigation
from installations import ANN

from cvms_pipeline import definitions
from cvms_pipeline.database import dagster_tables
from cvms_pipeline.settings import loading

# kombu's own models, which SQLAlchemy 2.1 finds old.
_OF_KOMBU = "ignore:The ``noload`` loader strategy is deprecated"

Status = dg.DagsterRunStatus
STOPPED = instigation.InstigatorStatus.STOPPED
NO_WORKER = {Status.NOT_STARTED, Status.QUEUED, Status.SUSPENDED}
AT_WORK = {Status.STARTING, Status.STARTED, Status.CANCELING}
OVER = {Status.SUCCESS, Status.FAILURE, Status.CANCELED, Status.MANAGED}


def test_every_run_that_dagster_has_not_ended_is_counted(dagster):
    upload_id = dagster.received([ANN])
    for status in set(Status) - {Status.QUEUED}:
        dagster.add_run(upload_id, "process_upload", status)
    place = remote_origin.RegisteredCodeLocationOrigin("cvms_pipeline")
    repository = remote_origin.RemoteRepositoryOrigin(place, "__repository__")
    queued = dg.DagsterRun(
        job_name="process_upload",
        status=Status.QUEUED,
        remote_job_origin=remote_origin.RemoteJobOrigin(repository, "process_upload"),
    )
    dagster.instance.add_run(queued)

    with dagster.site.pipeline.store.begin() as conn:
        queue = dagster_tables.count_queue(conn)

    assert (queue.queued, queue.running) == (len(NO_WORKER), len(AT_WORK))


def test_every_status_that_dagster_knows_is_one_of_these():
    assert set(Status) == NO_WORKER | AT_WORK | OVER


def test_a_broker_outside_of_this_database_is_not_counted(bare):
    with bare.begin() as conn:
        queue = dagster_tables.count_queue(conn)

    assert queue == dagster_tables.QueueCounts(
        queued=None, running=None, broker_messages=None, is_retention_failed=None
    )


def change_state(instance, location, name, status):
    """Do to a sensor what Dagster does when a person starts or stops it."""
    place = remote_origin.RegisteredCodeLocationOrigin(location)
    repository = remote_origin.RemoteRepositoryOrigin(place, "__repository__")
    origin = remote_origin.RemoteInstigatorOrigin(repository, name)
    state = instigation.InstigatorState(
        origin, instigation.InstigatorType.SENSOR, status
    )
    if instance.get_instigator_state(origin.get_id(), state.selector_id):
        instance.update_instigator_state(state)
    else:
        instance.add_instigator_state(state)


# What was done to a sensor of which code location, one after another, and whether the
# sensor is stopped at the end.
CHANGES = [
    ([("cvms", "DECLARED_IN_CODE")], False),
    ([("cvms", "STOPPED")], True),
    ([("cvms", "STOPPED"), ("cvms", "RUNNING")], False),
    ([("cvms", "STOPPED"), ("cvms", "DECLARED_IN_CODE")], False),
    ([("cvms", "RUNNING"), ("cvms", "STOPPED")], True),
    ([("old-name", "STOPPED"), ("cvms", "DECLARED_IN_CODE")], False),
    ([("old-name", "DECLARED_IN_CODE"), ("cvms", "STOPPED")], True),
]


@pytest.mark.parametrize(("changes", "is_stopped"), CHANGES)
def test_a_sensor_that_a_person_has_stopped_is_named(dagster, changes, is_stopped):
    for location, status in changes:
        change_state(
            dagster.instance, location, "overview", instigation.InstigatorStatus(status)
        )

    with dagster.site.pipeline.store.begin() as conn:
        stopped = dagster_tables.count_queue(conn).stopped

    assert stopped == (["overview"] if is_stopped else [])


def test_each_of_our_sensors_and_schedules_is_named_and_no_other(dagster):
    repository = definitions.defs().get_repository_def()
    automations = [*repository.sensor_defs, *repository.schedule_defs]
    names = {each.name for each in automations}
    for name in {*names, "a_sensor_of_an_older_version"}:
        change_state(dagster.instance, "cvms", name, STOPPED)

    with dagster.site.pipeline.store.begin() as conn:
        stopped = dagster_tables.count_queue(conn).stopped

    assert stopped == sorted(names)
    assert {each.default_status.value for each in automations} == {"RUNNING"}


def test_it_is_the_last_run_of_retention_that_counts(dagster):
    told = []
    for status in (Status.SUCCESS, Status.FAILURE, Status.STARTED, Status.SUCCESS):
        dagster.instance.add_run(dg.DagsterRun(job_name="retention", status=status))
        with dagster.site.pipeline.store.begin() as conn:
            told.append(dagster_tables.count_queue(conn).is_retention_failed)

    assert told == [False, True, True, False]


@pytest.mark.filterwarnings(_OF_KOMBU)
def test_tasks_that_no_worker_has_taken_are_counted(site):
    app = celery.Celery("test", broker=loading.load().urls.broker)
    with app.connection_for_write() as connection:
        queue = connection.SimpleQueue("dagster")
        for name in ("first", "second", "third"):
            queue.put(name)
        queue.get(timeout=5).ack()
        queue.close()

    with site.pipeline.store.begin() as conn:
        found = dagster_tables.count_queue(conn)

    assert found.broker_messages == 2
