"""What all tiers share: which tests must not be spread over processes."""

import gc

import pytest

_ONE_INSTALLATION = {
    "acceptance": "acceptance",
    "chaos": "acceptance",  # and so never beside it
    "deploy": "deploy",
}


@pytest.hookimpl(tryfirst=True)  # before xdist looks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of one running installation in one process, one after another."""
    for item in items:
        for folder in _ONE_INSTALLATION.keys() & set(item.path.parts):
            item.add_marker(pytest.mark.xdist_group(_ONE_INSTALLATION[folder]))


def pytest_sessionstart() -> None:
    """Leave the garbage collector out of the imports: they leave none behind."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Let it look through what tests make, not through all libraries each time."""
    gc.freeze()
    gc.enable()
