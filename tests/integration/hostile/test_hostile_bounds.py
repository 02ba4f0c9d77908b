"""Memory of a process that takes files which nobody writes by hand.

How long each takes is measured by `python -m benchmarks hostile`.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

ROOT = Path(__file__).parents[3]
sys.path.append(str(ROOT))

from benchmarks import filling, hostile_shapes  # noqa: E402

MAX_PEAK_MB = 400
KILLED_AFTER_SECONDS = 120  # a hundred times what it takes


@pytest.fixture
def url(store, database_url):
    with store.begin() as conn:
        filling.register_provider(conn)
    return database_url


@pytest.mark.parametrize("name", hostile_shapes.WORST)
def test_the_worst_files_from_bytes_to_report_stay_below_the_limit(url, name):
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


def test_the_limit_would_be_noticed(url):
    hungry = (
        "import json; from benchmarks import memory; kept = b'x' * 500_000_000;"
        "print(json.dumps({'peak_mb': memory.peak_of_this_process()}))"
    )

    ended = subprocess.run(  # noqa: S603 # our own words
        [sys.executable, "-c", hungry], capture_output=True, cwd=ROOT, check=True
    )

    assert json.loads(ended.stdout)["peak_mb"] > MAX_PEAK_MB


def test_what_the_child_did_is_in_the_store(store, url):
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.hostile"]
    subprocess.run(  # noqa: S603 # our own words
        [*command, "--one", "5,000 long rows", "--url", url], cwd=ROOT, check=True
    )

    with store.begin() as conn:
        rejected = sa.text(
            "SELECT count(*) FROM cvms.rejected_rows WHERE upload_id LIKE 'hostile-%'"
        )
        assert conn.scalar(rejected) == 5_000
