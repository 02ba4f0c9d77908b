"""Tasks go through a broker in Postgres, and looking for them costs one statement."""

import queue
from collections.abc import Iterator

import kombu
import kombu.transport.sqlalchemy
import kombu.transport.virtual
import pytest
import sqlalchemy as sa

from cvms_pipeline import settings
from cvms_pipeline.defs import broker

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")
Transport = kombu.transport.sqlalchemy.Transport


@pytest.fixture(autouse=True)
def looking(monkeypatch):
    monkeypatch.setattr(Transport, "polling_interval", 1.0)
    monkeypatch.setattr(Transport, "Channel", kombu.transport.sqlalchemy.Channel)
    broker.look_often_and_cheaply()


@pytest.fixture
def connection(tmp_path, database_url) -> Iterator[kombu.Connection]:
    chosen = settings.load(home=tmp_path, database_url=database_url)
    with kombu.Connection(chosen.celery_broker) as opened:
        yield opened


@pytest.fixture
def channel(connection) -> Iterator[broker.Channel]:
    opened = connection.default_channel
    opened.queue_declare("dagster")
    yield opened
    opened._open()[0].dispose()


def put(channel, body: str) -> None:
    kombu.Producer(channel).publish(body, routing_key="dagster")


def body(message) -> str:
    return message.decode()


def test_messages_are_taken_once_each_and_in_their_order(channel):
    put(channel, "first")
    put(channel, "second")

    taken = [channel.basic_get("dagster", no_ack=True) for _ in range(3)]

    assert [body(each) for each in taken if each] == ["first", "second"]


def test_an_empty_queue_costs_one_statement(channel):
    heard = []
    sa.event.listen(
        channel._open()[0], "before_cursor_execute", lambda *said: heard.append(said[2])
    )

    with pytest.raises(queue.Empty):
        channel._get("dagster")

    assert len(heard) == 1
    assert "FROM kombu_message WHERE visible LIMIT 1" in heard[0]


def test_a_message_that_was_not_acknowledged_comes_again(channel):
    put(channel, "the-run")
    taken = channel.basic_get("dagster")
    channel.basic_reject(taken.delivery_tag, requeue=True)

    again = channel.basic_get("dagster", no_ack=True)

    assert body(again) == "the-run"


def test_a_worker_s_transport_looks_so_and_so_often(connection):
    assert kombu.transport.virtual.Transport.polling_interval == 1.0
    assert isinstance(connection.default_channel, broker.Channel)
    assert connection.transport.polling_interval == broker.POLL_SECONDS


def test_kombu_still_takes_a_message_by_the_method_that_looks_first():
    theirs = kombu.transport.sqlalchemy.Channel

    assert set(theirs._get.__code__.co_names) >= {"_get_or_create", "Empty"}
    assert broker.Channel._get is not theirs._get
