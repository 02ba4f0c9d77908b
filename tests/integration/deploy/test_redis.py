"""The Redis of compose.yaml asks for a password, and tells it to nobody."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import machines
import psutil
import pytest
import redis
import yaml

HEALTHY = ["CMD", "redis-cli", "-e", "ping"]


@pytest.fixture
def url(tmp_path) -> Iterator[str]:
    with machines.redis(tmp_path, machines.find_redis()) as settings:
        yield settings["broker_url"]


def test_who_knows_the_password_is_answered(url):
    with redis.Redis.from_url(url) as client:
        assert client.ping()


@pytest.mark.parametrize("password", ["", ":guess@"])
def test_nobody_else_is_answered(url, password):
    without = url.replace(f":{machines.REDIS_PASSWORD}@", password)

    with (
        redis.Redis.from_url(without) as client,
        pytest.raises(redis.exceptions.AuthenticationError),
    ):
        client.ping()


def test_no_process_list_and_no_file_has_the_password(url, tmp_path):
    with redis.Redis.from_url(url) as client:
        client.set("key", "value")
        server = psutil.Process(client.info("server")["process_id"])

    words = " ".join(server.cmdline())
    assert "redis-server" in words
    assert machines.REDIS_PASSWORD not in words
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert machines.REDIS_PASSWORD.encode() not in path.read_bytes()


@pytest.mark.parametrize(("password", "code"), [(machines.REDIS_PASSWORD, 0), ("", 1)])
def test_the_health_check_logs_in_by_the_same_variable(url, password, code):
    compose = yaml.safe_load(Path(machines.ROOT / "compose.yaml").read_text("utf-8"))
    _, program, *words = compose["services"]["redis"]["healthcheck"]["test"]
    port = url.rpartition(":")[2].partition("/")[0]
    found = shutil.which(program) or program

    ended = subprocess.run(  # noqa: S603 # of the project's own file
        [found, "-p", port, *words],
        env={**os.environ, "REDISCLI_AUTH": password},
        capture_output=True,
        check=False,
    )

    assert ended.returncode == code
