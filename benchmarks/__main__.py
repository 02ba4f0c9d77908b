"""All benchmarks, or the one that is named: `python -m benchmarks [NAME] [OPTIONS]`."""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence

NAMES = (
    "core",
    "orchestration",
    "backlog",
    "growth",
    "peers",
    "hostile",
    "letters",
    "portal",
)


def main(given: Sequence[str] | None = None) -> int:
    """Run each in a process of its own; return whether one of them failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", nargs="?", default="all", choices=[*NAMES, "all"])
    parser.add_argument(
        "--quick", action="store_true", help="in less than a minute each"
    )
    parser.add_argument("--json", action="store_true", help="one object, no table")
    chosen, more = parser.parse_known_args(given)
    flags = [flag for flag in ("--quick", "--json") if getattr(chosen, flag[2:])]
    names = NAMES if chosen.name == "all" else (chosen.name,)
    ended = [_run(name, [*flags, *more], is_kept=chosen.json) for name in names]
    if chosen.json:
        objects = {name: one for name, one in zip(names, ended, strict=True) if one}
        found = objects if chosen.name == "all" else objects.get(chosen.name)
        print(json.dumps(found))
    return int(None in ended)


def _run(name: str, flags: Sequence[str], *, is_kept: bool) -> object:
    """Run one benchmark; return its object if it `is_kept`, and None if it failed."""
    command = [sys.executable, "-m", f"benchmarks.{name}", *flags]
    ended = subprocess.run(command, stdout=subprocess.PIPE if is_kept else None)
    if ended.returncode:
        print(f"The benchmark {name} has failed.", file=sys.stderr)
        return None
    return json.loads(ended.stdout) if is_kept else {}


if __name__ == "__main__":
    sys.exit(main())
