"""An installation, a Dagster instance in memory, and the real definitions on both."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import dagster_operations
import installations
import pytest

from cvms_pipeline.defs import recovery, sensors

_HERE = Path(__file__).parent
# Dagster's own, on every look at a resource.
_OF_DAGSTER = "ignore:The `__fields__` attribute is deprecated"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings(_OF_DAGSTER))


@pytest.fixture(autouse=True)
def without_waiting(monkeypatch):
    """Retries come at once, and sensors look once."""
    monkeypatch.setattr(recovery, "_STEP_FIRST_WAIT", dt.timedelta())
    monkeypatch.setattr(sensors, "_WAIT_SECONDS", 0)
    monkeypatch.setattr(sensors, "_MESSAGES_PAUSE_SECONDS", 0)


@pytest.fixture
def site(tmp_path, database_url, monkeypatch) -> Iterator[installations.Installation]:
    opened = installations.opened(tmp_path, database_url, monkeypatch)
    yield opened
    opened.pipeline.close()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture
def server() -> Iterator[installations.MailServer]:
    """A mail server that runs and can be stopped and started."""
    running = installations.MailServer(installations.Mailbox())
    running.start()
    yield running
    running.stop()


@pytest.fixture
def desk(site, instance) -> dagster_operations.Desk:
    return dagster_operations.at(site, instance)


@pytest.fixture
def by_smtp(site, instance, server) -> Iterator[dagster_operations.Desk]:
    """The same desk, with messages sent by SMTP."""
    opened = site.by_smtp(server.port)
    yield dagster_operations.at(opened, instance)
    opened.pipeline.mailer.close()
