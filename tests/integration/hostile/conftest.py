"""An installation and a mail server for hostile files."""

from collections.abc import Iterator

import installations
import pytest


@pytest.fixture
def site(tmp_path, database_url, monkeypatch) -> Iterator[installations.Installation]:
    opened = installations.opened(tmp_path, database_url, monkeypatch)
    yield opened
    opened.pipeline.close()


@pytest.fixture
def mailbox() -> installations.Mailbox:
    return installations.Mailbox()


@pytest.fixture
def by_smtp(site, mailbox) -> Iterator[installations.Installation]:
    """The same installation, its messages sent by SMTP."""
    server = installations.MailServer(mailbox)
    server.start()
    opened = site.by_smtp(server.port)
    yield opened
    opened.pipeline.mailer.close()
    server.stop()
