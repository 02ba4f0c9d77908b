"""The promises of docs/guarantees.md, and the tests that attack each of them."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

_ROW = re.compile(r"\| (?P<promise>[^|]+) \|.*\| (?P<attacks>[^|]*tests/[^|]*) \|")
_PATH = re.compile(r"`(tests/[\w/]+\.py)`")


def read_promises(root: Path) -> Mapping[str, Sequence[str]]:
    """Return the paths of the tests of each promise, by its sentence."""
    lines = (root / "docs" / "guarantees.md").read_text("utf-8").splitlines()
    rows = [found for line in lines if (found := _ROW.fullmatch(line))]
    return {row["promise"]: _PATH.findall(row["attacks"]) for row in rows}


def find_promise(promises: Mapping[str, Sequence[str]], beginning: str) -> str:
    """Return the promise that is, or alone begins with, these words.

    Raises:
        LookupError: If there is none, or more than one.
    """
    found = [each for each in promises if each.startswith(beginning)]
    if beginning in found:
        return beginning
    if len(found) != 1:
        raise LookupError(f"{len(found)} promises begin with: {beginning}")
    return found[0]
