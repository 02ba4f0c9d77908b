"""The breaks of tests/mutants: each applies, and each promise has one."""

import pytest

from tests.mutants import __main__ as mutants
from tests.mutants import patches, promises, runs

PATCHES = patches.load()
PROMISES = promises.read_promises(runs.ROOT)


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.name)
def test_every_break_applies_and_its_promise_names_its_tests(patch):
    text = (runs.ROOT / patch.file).read_text("utf-8")

    assert patches.apply(patch, text) != text
    assert mutants.find_tests(patch)


@pytest.mark.parametrize("promise", PROMISES)
def test_every_promise_has_a_break(promise):
    broken = {promises.find_promise(PROMISES, patch.promise) for patch in PATCHES}

    assert promise in broken


def test_names_are_unique_and_ten_are_quick():
    assert len({patch.name for patch in PATCHES}) == len(PATCHES)
    assert sum(patch.is_quick for patch in PATCHES) == 10


CODE = """
def first():
    return 1

class Second:
    def third(self):
        if True:
            one()
            two()
        return 1
"""


def patch(**facts):
    usual = {"name": "x", "promise": "x", "file": "x.py", "place": "", "tests": []}
    return patches.Patch(**{**usual, "is_quick": False, **facts})


def test_a_function_is_found_by_its_name():
    changed = patches.apply(patch(place="first", old="return 1", new="return 2"), CODE)

    assert changed == CODE.replace("return 1", "return 2", 1)


def test_lines_are_found_however_far_they_are_indented():
    swapped = patch(place="Second.third", old="one()\ntwo()", new="two()\none()")

    assert "            two()\n            one()\n" in patches.apply(swapped, CODE)


# What is not found exactly once.
OUTDATED = [
    {"old": "return 1", "new": "return 2"},  # twice in the file
    {"old": "return 3", "new": "return 2"},
    {"place": "third", "old": "return 1", "new": "return 2"},  # of a class
    {"place": "first", "old": "one()\ntwo()", "new": "two()\none()"},
]


@pytest.mark.parametrize("facts", OUTDATED)
def test_a_break_that_is_outdated_says_so(facts):
    with pytest.raises(patches.OutdatedPatchError, match="Write the patch again"):
        patches.apply(patch(**facts), CODE)
