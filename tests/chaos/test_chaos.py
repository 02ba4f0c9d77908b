"""Files and registrations under kills, for a moment; `make chaos` is the long form."""

import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[2]
FIRST = ["uploads", "rows", "kills", "lost", "doubled", "unfinished"]
# Other tests share the machine: how fast it is done is for the long one.
COMMAND = "-m tests.chaos --seconds 40 --uploads 16 --kills 10 --seed 5 --settle 240"


def test_nothing_is_lost_or_doubled_and_all_is_finished():
    ended = subprocess.run(
        [sys.executable, *COMMAND.split(), "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )

    assert ended.returncode == 0, ended.stderr + ended.stdout
    told = json.loads(ended.stdout)
    assert list(told)[: len(FIRST)] == FIRST
    assert (told["uploads"], told["kills"]) == (16, 10)
    assert told["rows"] > 0
    assert told["sent_in_portal"] > 0
    assert told["enrolled"] > 0
    assert (told["lost"], told["doubled"], told["unfinished"]) == (0, 0, 0)
