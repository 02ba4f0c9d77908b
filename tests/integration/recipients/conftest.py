"""An installation with a help desk, whose recipients are invited."""

from collections.abc import Iterator
from dataclasses import replace

import installations
import pytest


@pytest.fixture
def site(tmp_path, database_url, monkeypatch) -> Iterator[installations.Installation]:
    opened = installations.opened(tmp_path, database_url, monkeypatch)
    with_desk = replace(opened.pipeline, help_desk="help-desk@example.org")
    yield replace(opened, pipeline=with_desk)
    opened.pipeline.close()
