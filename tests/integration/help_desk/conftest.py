"""An installation with a help desk, and its people."""

from collections.abc import Iterator
from dataclasses import replace

import help_desks
import installations
import pytest


@pytest.fixture
def site(tmp_path, database_url, monkeypatch) -> Iterator[installations.Installation]:
    opened = installations.opened(tmp_path, database_url, monkeypatch)
    with_desk = replace(opened.pipeline, help_desk=help_desks.ADDRESS)
    yield replace(opened, pipeline=with_desk)
    opened.pipeline.close()


@pytest.fixture
def mailbox() -> installations.Mailbox:
    return installations.Mailbox()


@pytest.fixture
def server(mailbox) -> Iterator[installations.MailServer]:
    """A mail server that runs and can be stopped and started."""
    running = installations.MailServer(mailbox)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def by_smtp(site, server) -> Iterator[installations.Installation]:
    """The same installation, its messages sent by SMTP."""
    opened = site.by_smtp(server.port)
    yield opened
    opened.pipeline.mailer.close()
