"""Two machines with a worker each, on either broker."""

import os
from collections.abc import Iterator

import machines
import pytest


@pytest.fixture(params=["postgres", "redis"])
def broker(request, tmp_path) -> Iterator[dict[str, str]]:
    """The settings that name the broker: none for the same Postgres."""
    if request.param == "postgres":
        yield {}
        return
    with machines.redis(tmp_path, machines.find_redis()) as settings:
        yield settings


@pytest.fixture
def cluster(tmp_path, database_url, broker, monkeypatch) -> Iterator[machines.Cluster]:
    for name in [name for name in os.environ if name.startswith("CVMS_")]:
        monkeypatch.delenv(name)
    with machines.cluster(tmp_path, database_url, broker) as made:
        yield made
