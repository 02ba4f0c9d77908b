"""How tests run: in which process, and how many may be retried."""

import re
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

WHERE_IT_RUNS = """
import os
import pytest

@pytest.mark.parametrize("number", range(10))
def test_it(number):
    with open("workers", "a") as file:
        file.write(os.environ["PYTEST_XDIST_WORKER"] + "\\n")
"""


def run(
    pytester: pytest.Pytester, folder: str, text: str, *options: str
) -> pytest.RunResult:
    shared = Path(__file__).parents[1] / "conftest.py"
    pytester.makeconftest(shared.read_text())
    tests = pytester.mkdir(folder) / "test_it.py"
    tests.write_text(text)
    return pytester.runpytest_subprocess("-raR", *options)


def test_a_retry_within_the_budget_is_listed_and_passes(pytester):
    result = run(pytester, "acceptance", RETRIED.format(count=2), "-n2")

    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["*RERUN*test_it*", "2 retried; more than 2 fail"])


def test_more_retries_than_the_budget_fail_the_session(pytester):
    result = run(pytester, "acceptance", RETRIED.format(count=3), "-n2")

    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_only_an_acceptance_test_may_be_retried(pytester):
    result = run(pytester, "integration", RETRIED.format(count=1))

    assert result.ret == pytest.ExitCode.USAGE_ERROR


@pytest.mark.parametrize(("folder", "processes"), [("browser", 1), ("store", 2)])
def test_the_tests_of_one_installation_run_in_one_process(pytester, folder, processes):
    result = run(pytester, folder, WHERE_IT_RUNS, "-n2", "--dist", "loadgroup")

    assert result.ret == pytest.ExitCode.OK
    workers = (pytester.path / "workers").read_text().split()
    assert len(workers) == 10
    assert len(set(workers)) == processes


def test_a_test_with_a_long_text_has_a_short_name(pytester):
    text = (
        "import pytest\n"
        "@pytest.mark.parametrize('data', [b'\\xff' * 900, 'y' * 900, 'short'])\n"
        "def test_it(data): pass\n"
    )

    result = run(pytester, "files", text, "-v")

    names = re.findall(r"test_it\[(.*)\] PASSED", result.stdout.str())
    assert names == [40 * r"\xff" + "... (900)", 40 * "y" + "... (900)", "short"]
