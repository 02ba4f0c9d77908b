"""An installation for every test of the use cases, and a mail server beside it."""

import socket
from collections.abc import Iterator

import installations
import pytest
from aiosmtpd import controller


@pytest.fixture
def site(tmp_path, database_url, monkeypatch) -> Iterator[installations.Installation]:
    opened = installations.opened(tmp_path, database_url, monkeypatch)
    yield opened
    opened.pipeline.close()


@pytest.fixture
def mailbox() -> installations.Mailbox:
    return installations.Mailbox()


@pytest.fixture
def server(mailbox) -> Iterator[controller.Controller]:
    """A mail server that runs and can be stopped and started."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    running = controller.Controller(mailbox, hostname="127.0.0.1", port=port)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def by_smtp(site, server) -> Iterator[installations.Installation]:
    """The same installation, its messages sent by SMTP."""
    opened = site.by_smtp(server.port)
    yield opened
    opened.pipeline.mailer.close()
