"""`python -m tests.fuzz`: unusual files for a number of seconds.

Exit code 0 only if nothing that must hold for every file was broken.
"""

import argparse
import json
import sys

from tests.fuzz import running


def main() -> int:
    """Run, print the result and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="one object, no sentences")
    chosen = parser.parse_args()
    found = running.run(seconds=chosen.seconds, seed=chosen.seed)
    summary = {"files": found.files, "bytes": found.bytes, "seed": chosen.seed}
    if chosen.json:
        print(json.dumps({**summary, "broken": found.broken}))  # noqa: T201 # its result
    else:
        print(f"{found.files:,} files, {len(found.broken)} broke a promise.")  # noqa: T201 # its result
        for broken in found.broken[:20]:
            print(f"  {broken['what']}\n    {broken['file']}")  # noqa: T201 # its result
    return int(bool(found.broken))


if __name__ == "__main__":
    sys.exit(main())
