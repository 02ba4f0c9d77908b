"""The real portal in a thread, on a database of the test's own, and a real browser.

Whatever a test does, it fails when a page breaks the content policy, logs an error, or
asks another server for anything.
"""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright import sync_api

from tests.browser import visits
from tests.integration.conftest import postgres, template
from tests.integration.portal.conftest import (
    _cheap_hashes,
    portal_template,
    portal_url,
    settings_,
    site,
)

__all__ = [
    "_cheap_hashes",
    "portal_template",
    "portal_url",
    "postgres",
    "settings_",
    "site",
    "template",
]

_NO_BROWSER = (
    "NOT TESTED WITH A BROWSER: there is no chromium on the PATH; on Debian: apt-get"
    " install chromium, or name one by CVMS_TEST_BROWSER"
)

_MILLISECONDS = 30_000
_OPTIONS = ("--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu")


def _find_browser(driver: sync_api.Playwright) -> str:
    """Return the program: the one that is named, the system's, or Playwright's own."""
    named = os.environ.get("CVMS_TEST_BROWSER") or shutil.which("chromium")
    own = driver.chromium.executable_path
    if named is None and not Path(own).exists():
        pytest.skip(_NO_BROWSER)
    return named or own


@pytest.fixture(scope="module")
def chromium() -> Iterator[sync_api.Browser]:
    """One browser for the tests of a module; each gets profiles of its own.

    It ends with the module: while it is there, the thread has a running loop, and
    neither Dagster nor asyncio can start another one in it.
    """
    patch = pytest.MonkeyPatch()
    # Playwright runs a loop in this thread, and Django takes its own work for async.
    patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_api.sync_playwright() as driver:
        program = _find_browser(driver)
        browser = driver.chromium.launch(executable_path=program, args=list(_OPTIONS))
        yield browser
        browser.close()
    patch.undo()


@pytest.fixture
def address(chromium: sync_api.Browser, site: Any) -> Iterator[str]:
    """Where the portal answers: our application, as gunicorn serves it."""
    from django.core.servers import basehttp
    from django.core.wsgi import get_wsgi_application

    class Handler(basehttp.WSGIRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = basehttp.ThreadedWSGIServer(("127.0.0.1", 0), Handler)
    server.set_app(get_wsgi_application())
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def visitor(
    chromium: sync_api.Browser, address: str, site: Any
) -> Iterator[Callable[..., visits.Visitor]]:
    """Open a new browser profile; what is wrong with its pages fails the test."""
    made: list[visits.Visitor] = []

    def visit(
        account: Any = None, *, base: str = address, **options: Any
    ) -> visits.Visitor:
        context = chromium.new_context(base_url=base, **options)
        context.set_default_timeout(_MILLISECONDS)
        visitor = visits.Visitor(context=context, address=base)
        made.append(visitor)
        if account is not None:
            visitor.log_in_by_cookie(site, account)
        return visitor

    yield visit
    for each in made:
        each.context.close()
    assert [problem for each in made for problem in each.problems] == []
