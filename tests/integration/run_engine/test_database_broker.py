"""A broker in Postgres: tasks come once; a killed child ends its worker."""

import os
import queue
import signal
import subprocess
import sys
from collections.abc import Iterator

import celery
import celery.concurrency
import kombu
import kombu.transport
import psutil
import pytest
import sqlalchemy as sa

from cvms_pipeline.run_engine import database_broker, worker

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")


@pytest.fixture
def connection(chosen, monkeypatch) -> Iterator[kombu.Connection]:
    monkeypatch.setitem(kombu.transport.TRANSPORT_ALIASES, "sqla", "replaced below")
    monkeypatch.setattr(kombu.transport, "_transport_cache", {})
    database_broker.register_transport()
    with kombu.Connection(chosen.urls.broker) as opened:
        yield opened


@pytest.fixture
def channel(connection) -> Iterator[database_broker.Channel]:
    opened = connection.default_channel
    opened.queue_declare("dagster")
    yield opened
    opened.session.get_bind().dispose()


def put(channel, body: str) -> None:
    kombu.Producer(channel).publish(body, routing_key="dagster")


def body(message) -> str:
    return message.decode()


def test_each_task_is_delivered_once_and_in_order(channel):
    put(channel, "first")
    put(channel, "second")

    taken = [channel.basic_get("dagster", no_ack=True) for _ in range(3)]

    assert [body(each) for each in taken if each] == ["first", "second"]


def test_an_empty_queue_costs_one_statement(channel):
    sent = []
    sa.event.listen(
        channel.session.get_bind(),
        "before_cursor_execute",
        lambda _conn, _cursor, statement, *_more: sent.append(statement),
    )

    with pytest.raises(queue.Empty):
        channel._get("dagster")

    assert len(sent) == 1


def test_a_task_that_was_not_acknowledged_is_delivered_again(channel):
    put(channel, "the-run")
    taken = channel.basic_get("dagster")
    channel.basic_reject(taken.delivery_tag, requeue=True)

    again = channel.basic_get("dagster", no_ack=True)

    assert body(again) == "the-run"


def test_a_database_is_polled_often_and_by_one_statement(connection):
    assert isinstance(connection.default_channel, database_broker.Channel)
    assert connection.transport.polling_interval == database_broker._POLL_SECONDS


POOL = """
import celery, time
from cvms_pipeline.run_engine import database_broker
app = celery.Celery()
pool = database_broker.TaskPool(2, app=app, threads=True, initargs=(app, "host"))
pool.start()
print("started", flush=True)
time.sleep(60)
"""


@pytest.fixture
def pool():
    """A process with the worker's pool of two children."""
    process = subprocess.Popen([sys.executable, "-c", POOL], stdout=subprocess.PIPE)  # noqa: S603 # our own words
    assert process.stdout is not None
    assert process.stdout.readline() == b"started\n"
    yield process
    process.stdout.close()
    process.kill()
    process.wait()


def test_a_worker_ends_with_its_children_when_one_of_them_is_killed(pool):
    one, other = psutil.Process(pool.pid).children()

    one.send_signal(signal.SIGKILL)

    assert pool.wait(20) == os.EX_SOFTWARE
    other.wait(20)


@pytest.mark.parametrize(
    "exit_code", [0, 1, 155]
)  # 155: a child that is to be replaced
def test_a_child_that_ends_in_order_is_only_replaced(exit_code):
    class Child:
        exitcode = exit_code

    database_broker._end_if_killed(Child())  # we are still here


def test_a_worker_has_the_pool_that_ends_with_its_children(chosen):
    app = worker.build_app(chosen)

    found = celery.concurrency.get_implementation(app.conf.worker_pool)

    assert found is database_broker.TaskPool
