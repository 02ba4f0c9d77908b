import os
import types

import pytest

from cvms_pipeline.defs import deaths


@pytest.fixture
def ended(monkeypatch):
    """What is ended instead of ourselves and other processes."""
    found = []
    monkeypatch.setattr(os, "kill", lambda pid, number: found.append(pid))
    monkeypatch.setattr(os, "_exit", lambda code: found.append("ourselves"))
    return found


POOL = types.SimpleNamespace(_pool=[types.SimpleNamespace(pid=7)])


def test_a_worker_ends_with_a_child_that_was_killed(ended):
    deaths.end_with(POOL, types.SimpleNamespace(exitcode=-9))

    assert ended == [7, "ourselves"]


@pytest.mark.parametrize("exit_code", [0, 1, 155])  # 155: told to make room for another
def test_a_child_that_ends_in_order_is_replaced_only(ended, exit_code):
    deaths.end_with(POOL, types.SimpleNamespace(exitcode=exit_code))

    assert ended == []
