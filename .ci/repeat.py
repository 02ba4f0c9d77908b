"""Run the tiers with real processes again and again, and count what failed.

A test that fails once in twenty runs is a fault of the code or of the test.  Each run
that fails leaves its whole output in `data/repeat-<number>.log`.  The exit code is 0
only if every run has passed.
"""

import argparse
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
TIERS = ("tests/acceptance", "tests/chaos")

_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)


def main() -> int:
    """Run, print the result and return the exit code."""
    parser = argparse.ArgumentParser(prog=".ci/repeat.py")
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("tests", nargs="*", default=TIERS)
    chosen = parser.parse_args()
    failed: Counter[str] = Counter()
    bad_runs = 0
    for number in range(1, chosen.times + 1):
        began = time.monotonic()
        code, output = _run(chosen.tests)
        seconds = time.monotonic() - began
        print(f"{number:>3} {'passed' if code == 0 else 'FAILED'} {seconds:6.0f} s")
        if code != 0:
            bad_runs += 1
            failed.update(_FAILED.findall(output) or [f"pytest ended with {code}"])
            (ROOT / "data" / f"repeat-{number}.log").write_text(output, "utf-8")
    print(f"{chosen.times - bad_runs} of {chosen.times} runs passed.")
    for name, count in failed.most_common():
        print(f"  {count} times: {name}")
    return int(bad_runs > 0)


def _run(tests: Sequence[str]) -> tuple[int, str]:
    options = ["-q", "--numprocesses", "2", "--dist", "loadgroup"]
    ended = subprocess.run(  # noqa: S603  # our own words
        [sys.executable, "-m", "pytest", *options, *tests],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    return ended.returncode, ended.stdout


if __name__ == "__main__":
    sys.exit(main())
