"""How many runs wait, read from Dagster's tables as Dagster itself writes them."""

import celery
import dagster as dg
import pytest
from dagster._core import remote_origin
from installations import ANN

from cvms_pipeline import settings
from cvms_pipeline.store import neighbours

# kombu's own models, which SQLAlchemy 2.1 finds old.
_OF_KOMBU = "ignore:The ``noload`` loader strategy is deprecated"

Status = dg.DagsterRunStatus
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
        queue = neighbours.queue(conn)

    assert (queue.queued, queue.running) == (len(NO_WORKER), len(AT_WORK))


def test_every_status_that_dagster_knows_is_one_of_these():
    assert set(Status) == NO_WORKER | AT_WORK | OVER


def test_what_is_not_in_this_database_is_not_counted(bare):
    with bare.begin() as conn:
        queue = neighbours.queue(conn)

    assert queue == neighbours.Queue(
        queued=None, running=None, broker_messages=None, is_retention_failed=None
    )


def test_it_is_the_last_run_of_retention_that_counts(dagster):
    told = []
    for status in (Status.SUCCESS, Status.FAILURE, Status.STARTED, Status.SUCCESS):
        dagster.instance.add_run(dg.DagsterRun(job_name="retention", status=status))
        with dagster.site.pipeline.store.begin() as conn:
            told.append(neighbours.queue(conn).is_retention_failed)

    assert told == [False, True, True, False]


@pytest.mark.filterwarnings(_OF_KOMBU)
def test_tasks_that_no_worker_has_taken_are_counted(site):
    app = celery.Celery("test", broker=settings.load().celery_broker)
    with app.connection_for_write() as connection:
        queue = connection.SimpleQueue("dagster")
        for name in ("first", "second", "third"):
            queue.put(name)
        queue.get(timeout=5).ack()
        queue.close()

    with site.pipeline.store.begin() as conn:
        found = neighbours.queue(conn)

    assert found.broker_messages == 2
