"""Retried tests: counted, and too many of them fail the session."""

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

RETRIED = """
import pytest
seen = set()

@pytest.mark.flaky(reruns=1)
@pytest.mark.parametrize("number", range({count}))
def test_it(number):
    is_first = number not in seen
    seen.add(number)
    assert not is_first
"""


def run(
    pytester: pytest.Pytester, folder: str, count: int, *options: str
) -> pytest.RunResult:
    shared = Path(__file__).parents[1] / "conftest.py"
    pytester.makeconftest(shared.read_text())
    tests = pytester.mkdir(folder) / "test_it.py"
    tests.write_text(RETRIED.format(count=count))
    return pytester.runpytest_subprocess("-raR", *options)


def test_a_retry_within_the_budget_is_listed_and_passes(pytester):
    result = run(pytester, "acceptance", 2, "-n2")

    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["*RERUN*test_it*", "2 retried; more than 2 fail"])


def test_more_retries_than_the_budget_fail_the_session(pytester):
    result = run(pytester, "acceptance", 3, "-n2")

    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_only_an_acceptance_test_may_be_retried(pytester):
    result = run(pytester, "integration", 1)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
