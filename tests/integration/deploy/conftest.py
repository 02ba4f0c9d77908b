"""Two machines with a worker each, on either broker."""

import os
import shutil
from collections.abc import Iterator

import machines
import pytest


@pytest.fixture(params=["postgres", "redis"])
def broker(request, tmp_path) -> Iterator[dict[str, str]]:
    """The settings that name the broker: none for the same Postgres."""
    if request.param == "postgres":
        yield {}
        return
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip(
            "NOT TESTED WITH REDIS: there is no redis-server on the PATH;"
            " on Debian: apt-get install redis-server"
        )
    with machines.redis(tmp_path, program) as settings:
        yield settings


@pytest.fixture
def cluster(tmp_path, database_url, broker, monkeypatch) -> Iterator[machines.Cluster]:
    for name in [name for name in os.environ if name.startswith("CVMS_")]:
        monkeypatch.delenv(name)
    with machines.cluster(tmp_path, database_url, broker) as made:
        yield made
