"""The promises for every file hold for hostile and unusual ones."""

import pytest

from benchmarks import hostile_shapes
from cvms_pipeline.domain.vocabulary import wording
from tests.fuzz import invariants, running


@pytest.mark.parametrize("name", hostile_shapes.SHAPES)
def test_the_invariants_hold_for_every_hostile_file(name):
    invariants.hold(hostile_shapes.made(name, 40_000))


def test_generated_files_break_no_invariant():
    found = running.run(seconds=60, seed=20261123, files=60)

    assert found.files == 60
    assert found.broken == []


def test_a_broken_invariant_is_noticed(monkeypatch):
    monkeypatch.setattr(wording, "BROKEN_QUOTES", "x" * 500)

    found = running.run(seconds=60, seed=1, files=40)

    assert {each["what"] for each in found.broken} == {
        "BrokenPromiseError: a reason is too long"
    }
