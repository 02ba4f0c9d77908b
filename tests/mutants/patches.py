"""Small breaks of the code: what they replace, found by its meaning.

Each is in one of the files `*.toml` here: a text that must occur exactly once in a
function (or, without `place`, in the file), wherever that function is in its file and
however far it is indented.
"""

import ast
import textwrap
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


class OutdatedPatchError(Exception):
    """What a patch replaces is not found exactly once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """A break of the code that one of the `tests` of a promise has to notice.

    Attributes:
        promise: How the promise in docs/guarantees.md begins.
        place: The function, such as `Store.begin`; "" for the whole file.
        tests: Names of test files with or without a test: `test_x.py::test_that`.
        is_quick: Whether it is one of the few that CI tries.
    """

    name: str
    promise: str
    file: str
    place: str
    old: str
    new: str
    tests: Sequence[str]
    is_quick: bool


def load() -> list[Patch]:
    """Return all patches."""
    files = sorted(HERE.glob("*.toml"))
    tables = [tomllib.loads(path.read_text("utf-8")) for path in files]
    return [
        Patch(
            name=each["name"],
            promise=each["promise"],
            file=each["file"],
            place=each.get("place", ""),
            old=each["old"].strip("\n"),
            new=each["new"].strip("\n"),
            tests=each["tests"],
            is_quick=each.get("quick", False),
        )
        for table in tables
        for each in table["mutant"]
    ]


def apply(patch: Patch, text: str) -> str:
    """Return the text of the file with the patch applied.

    Raises:
        OutdatedPatchError: If what it replaces is not there exactly once.
    """
    lines = text.splitlines(keepends=True)
    first, last = _find_lines(patch, text) if patch.place else (0, len(lines))
    old = textwrap.dedent(patch.old).splitlines()
    place = "".join(lines[first:last])
    if len(old) == 1:
        _check(patch, place.count(patch.old.strip()))
        place = place.replace(patch.old.strip(), patch.new.strip())
    else:
        start, indent = _find_block(patch, lines[first:last], old)
        new = textwrap.indent(textwrap.dedent(patch.new), indent) + "\n"
        rest = lines[first + start + len(old) : last]
        place = "".join([*lines[first : first + start], new, *rest])
    changed = "".join([*lines[:first], place, *lines[last:]])
    if patch.file.endswith(".py"):
        compile(changed, patch.file, "exec")
    return changed


def _find_lines(patch: Patch, text: str) -> tuple[int, int]:
    """Return the first line of a function, and the one after its last."""
    found = [node for name, node in _walk(ast.parse(text), "") if name == patch.place]
    _check(patch, len(found))
    return found[0].lineno - 1, found[0].end_lineno or 0


def _walk(
    parent: ast.AST, above: str
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]]:
    for node in ast.iter_child_nodes(parent):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield f"{above}{node.name}", node
            yield from _walk(node, f"{above}{node.name}.")


def _find_block(
    patch: Patch, lines: Sequence[str], old: Sequence[str]
) -> tuple[int, str]:
    """Return the line at which a block of lines begins, and how it is indented."""
    found = []
    for start in range(len(lines) - len(old) + 1):
        block = [line.rstrip("\n") for line in lines[start : start + len(old)]]
        indent = block[0][: len(block[0]) - len(block[0].lstrip())]
        if block == [f"{indent}{line}" if line else "" for line in old]:
            found.append((start, indent))
    _check(patch, len(found))
    return found[0]


def _check(patch: Patch, count: int) -> None:
    if count != 1:
        where = f"{patch.file} ({patch.place})" if patch.place else patch.file
        raise OutdatedPatchError(
            f"{patch.name}: what it replaces is {count} times in {where}. Write the"
            " patch again in tests/mutants, so that it breaks the same promise."
        )
