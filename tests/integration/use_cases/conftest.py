"""An installation for every test of the use cases."""

from collections.abc import Iterator

import installations
import pytest


@pytest.fixture
def site(tmp_path, database_url, monkeypatch) -> Iterator[installations.Installation]:
    opened = installations.opened(tmp_path, database_url, monkeypatch)
    yield opened
    opened.pipeline.close()
