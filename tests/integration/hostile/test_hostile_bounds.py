"""Memory of a process that reads hostile files.

How long each takes is measured by `python -m benchmarks hostile`.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from benchmarks import filling, hostile_shapes

ROOT = Path(__file__).parents[3]

MAX_PEAK_MB = 400
KILLED_AFTER_SECONDS = 120  # a hundred times what it takes


@pytest.fixture
def url(store, database_url):
    with store.begin() as conn:
        filling.register_provider(conn)
    return database_url


@pytest.mark.parametrize("name", hostile_shapes.WORST)
def test_the_worst_files_need_less_memory_than_the_limit(url, name):
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.hostile"]
    ended = subprocess.run(  # noqa: S603 # our own words
        [*command, "--one", name, "--url", url],
        capture_output=True,
        text=True,
        timeout=KILLED_AFTER_SECONDS,
        cwd=ROOT,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["peak_mb"] <= MAX_PEAK_MB


def test_the_test_of_limits_fails_for_a_process_beyond_them(url):
    hungry = (
        "import json; from benchmarks import memory; kept = b'x' * 500_000_000;"
        "print(json.dumps({'peak_mb': memory.peak_of_this_process()}))"
    )

    ended = subprocess.run(  # noqa: S603 # our own words
        [sys.executable, "-c", hungry], capture_output=True, cwd=ROOT, check=True
    )

    assert json.loads(ended.stdout)["peak_mb"] > MAX_PEAK_MB


def test_the_measured_process_has_stored_its_rows(store, url):
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.hostile"]
    subprocess.run(  # noqa: S603 # our own words
        [*command, "--one", "5,000 long rows", "--url", url], cwd=ROOT, check=True
    )

    with store.begin() as conn:
        rejected = sa.text(
            "SELECT count(*) FROM cvms.rejected_rows WHERE upload_id LIKE 'hostile-%'"
        )
        assert conn.scalar(rejected) == 5_000
