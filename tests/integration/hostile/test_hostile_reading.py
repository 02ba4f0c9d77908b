"""What must hold for every file holds for hostile and odd ones, small as they are."""

import sys
from pathlib import Path

import pytest

from cvms_pipeline.domain import wording

sys.path.append(str(Path(__file__).parents[3]))

from benchmarks import hostile_shapes
from tests.fuzz import holding, running


@pytest.mark.parametrize("name", hostile_shapes.SHAPES)
def test_what_must_hold_for_every_file_holds_for_a_hostile_one(name):
    holding.hold(hostile_shapes.made(name, 40_000))


def test_odd_files_break_no_promise():
    found = running.run(seconds=60, seed=20261123, files=60)

    assert found.files == 60
    assert found.broken == []


def test_a_broken_promise_would_be_noticed(monkeypatch):
    monkeypatch.setattr(wording, "BROKEN_QUOTES", "x" * 500)

    found = running.run(seconds=60, seed=1, files=40)

    assert {each["what"] for each in found.broken} == {
        "BrokenPromiseError: a reason is too long"
    }
