"""`python -m tests.mutants`: break the code in small ways; do the tests notice each?

For each break, the tests that docs/guarantees.md names for its promise are run in a
copy.  The exit code is 0 only if every break is noticed.
"""

import argparse
import contextlib
import queue
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from tests.mutants import patches, promises, runs

_PARALLEL = 2
_TOLD_LINES = 25


def main() -> int:
    """Run, print the result and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants")
    parser.add_argument("names", nargs="*", help="words of the names; default: all")
    parser.add_argument("--only", choices=["all", "quick"], default="all")
    parser.add_argument("--list", action="store_true", help="only list them")
    chosen = parser.parse_args()
    found = [
        patch
        for patch in patches.load()
        if (patch.is_quick or chosen.only == "all")
        and all(word in patch.name for word in chosen.names)
    ]
    if chosen.list:
        print("\n".join(f"{patch.name} ({patch.file})" for patch in found))
        return 0
    began = time.monotonic()
    if not chosen.names and chosen.only == "all" and not _pass_unbroken(found):
        return 2
    verdicts = _try_all(found)
    missed = [name for name, each in verdicts.items() if each != runs.Verdict.NOTICED]
    seconds = time.monotonic() - began
    print(
        f"{len(found)} breaks, {len(found) - len(missed)} noticed, in {seconds:.0f} s."
    )
    for name in missed:
        print(f"  {verdicts[name].value}: {name}")
    return int(bool(missed))


def _pass_unbroken(found: Sequence[patches.Patch]) -> bool:
    """Return whether all the tests pass without any break."""
    every = dict.fromkeys(test for patch in found for test in find_tests(patch))
    with runs.make_copy() as copy:
        verdict, output = runs.run_tests(copy, ["-n", str(_PARALLEL), *every])
    if verdict is not runs.Verdict.UNNOTICED:
        print(f"These tests do not pass without any break:\n{_shorten(output)}")
    return verdict is runs.Verdict.UNNOTICED


def find_tests(patch: patches.Patch) -> list[str]:
    """Return the paths of the tests for a patch, which its promise has to name.

    Raises:
        LookupError: If the promise does not exist, or does not name a test.
    """
    known = promises.read_promises(runs.ROOT)
    paths = known[promises.find_promise(known, patch.promise)]
    found = []
    for test in patch.tests:
        file, separator, name = test.partition("::")
        matching = [path for path in paths if Path(path).name == file]
        if len(matching) != 1:
            raise LookupError(f"docs/guarantees.md names no {file}: {patch.promise}")
        found.append(f"{matching[0]}{separator}{name}")
    return found


def _try_all(found: Sequence[patches.Patch]) -> dict[str, runs.Verdict]:
    waiting: queue.SimpleQueue[patches.Patch] = queue.SimpleQueue()
    for patch in found:
        waiting.put(patch)
    verdicts: dict[str, runs.Verdict] = {}
    threads = [
        threading.Thread(target=_try_some, args=[waiting, verdicts])
        for _ in range(_PARALLEL)
    ]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            thread.join()
    except KeyboardInterrupt:
        with contextlib.suppress(queue.Empty):  # what is being tried comes to its end
            while True:
                waiting.get_nowait()
        raise
    return verdicts


def _try_some(
    waiting: "queue.SimpleQueue[patches.Patch]", verdicts: dict[str, runs.Verdict]
) -> None:
    with runs.make_copy() as copy, contextlib.suppress(queue.Empty):
        while True:
            patch = waiting.get_nowait()
            began = time.monotonic()
            with runs.patched(copy, patch):
                verdict, output = runs.run_tests(copy, find_tests(patch))
            verdicts[patch.name] = verdict
            seconds = time.monotonic() - began
            print(f"{verdict.value:>9} {seconds:5.0f} s  {patch.name}", flush=True)
            if verdict is not runs.Verdict.NOTICED:
                print(_shorten(output), flush=True)


def _shorten(output: str) -> str:
    return "\n".join(f"    {line}" for line in output.splitlines()[-_TOLD_LINES:])


if __name__ == "__main__":
    sys.exit(main())
