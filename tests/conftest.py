"""What all tiers share: which tests stay in one process, are measured, are retried.

No test is retried unless it is an acceptance test that says so by name, with
`@pytest.mark.flaky(reruns=1)` and the reason.  Each retry is listed at the end.
"""

import gc

import pytest

_MAX_NAME = 80
"""How many letters of a text, or bytes, are in the name of a test with it."""

_MAX_RERUNS = 2
"""How many retries a whole session may need before it counts as failed."""

_ONE_INSTALLATION = {
    "acceptance": "acceptance",
    "chaos": "acceptance",  # and so never beside it
    "deploy": "deploy",
    "browser": "browser",  # one browser is enough
}

_UNMEASURED = {
    *("acceptance", "browser", "chaos", "defs", "deploy", "hostile", "local"),
    *("mail", "ordinary_user", "portal", "run_engine", "tls"),
}
"""Folders of tests that need not show which lines of rules and SQL are tested: being
measured, they take half as long again."""


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name a test with a long text, such as a file, by its beginning and its length.

    Names go from process to process.  They must be the same in each, so a file that
    begins with the time of its making, such as a ZIP file, needs a name of its own.
    """
    if not isinstance(val, str | bytes) or len(val) <= _MAX_NAME:
        return None  # pytest names it
    text = val if isinstance(val, str) else val.decode("latin-1")
    return f"{ascii(text[: _MAX_NAME // 2])[1:-1]}... ({len(val)})"


@pytest.hookimpl(tryfirst=True)  # before xdist looks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of one running installation in one process, one after another."""
    for item in items:
        if item.get_closest_marker("flaky") and "acceptance" not in item.path.parts:
            raise pytest.UsageError(
                f"{item.nodeid}: only an acceptance test is retried"
            )
        if _UNMEASURED & set(item.path.parts):
            item.add_marker("no_cover")
        for folder in _ONE_INSTALLATION.keys() & set(item.path.parts):
            item.add_marker(pytest.mark.xdist_group(_ONE_INSTALLATION[folder]))


def pytest_sessionstart() -> None:
    """Leave the garbage collector out of the imports: they leave none behind."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Let it look through what tests make, not through all libraries each time."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(trylast=True)  # when all reports are in
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the session when it has needed more retries than its budget."""
    if _count_reruns(session.config) > _MAX_RERUNS and not session.exitstatus:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(trylast=True)  # below the list of them
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say how much of the budget was needed, if any."""
    if reruns := _count_reruns(config):
        terminalreporter.line(f"{reruns} retried; more than {_MAX_RERUNS} fail")


def _count_reruns(config: pytest.Config) -> int:
    reporter = config.pluginmanager.getplugin("terminalreporter")
    return 0 if reporter is None else len(reporter.stats.get("rerun", []))
