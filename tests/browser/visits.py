"""Somebody with a browser: one profile, and all that was wrong with its pages."""

from dataclasses import dataclass, field
from typing import Any

from playwright import sync_api

_A_STATUS = "Failed to load resource: the server responded with a status of"


@dataclass(kw_only=True)
class Visitor:
    """A browser profile.

    Attributes:
        problems: Violations of the content policy, errors of scripts and of the
            console, requests to other servers; any of them fails the test.
        requests: All that pages have asked for.
    """

    context: sync_api.BrowserContext
    address: str
    problems: list[str] = field(default_factory=list)
    requests: list[sync_api.Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.context.on("console", self._read_console)
        self.context.on("weberror", lambda e: self.problems.append(str(e.error)))
        self.context.on("request", self._look_at)
        self.page = self.context.new_page()

    def _read_console(self, message: sync_api.ConsoleMessage) -> None:
        """Keep errors, but not that a page itself was answered with an error."""
        page = message.page
        is_page = page is not None and message.location.get("url") == page.url
        if message.type not in ("error", "warning"):
            return
        if not (is_page and message.text.startswith(_A_STATUS)):
            self.problems.append(f"{message.type}: {message.text}")

    def _look_at(self, request: sync_api.Request) -> None:
        self.requests.append(request)
        if not request.url.startswith((f"{self.address}/", "data:")):
            self.problems.append(f"a request to {request.url}")

    def log_in_by_cookie(self, site: Any, account: Any) -> None:
        """Log somebody in without the pages of the log-in, which have their tests."""
        cookie = site.browser_of(account).cookies["cvms_session"]
        self.context.add_cookies(
            [{"name": cookie.key, "value": cookie.value, "url": self.address}]
        )

    def open(self, path: str) -> sync_api.Response:
        """Open a page."""
        answer = self.page.goto(path)
        assert answer is not None
        return answer

    def press(self, name: str) -> None:
        """Press a button, and wait until its page is there."""
        self.page.get_by_role("button", name=name, exact=True).click()
        self.page.wait_for_load_state()

    def fill(self, /, **typed: str) -> None:
        """Type into fields, which are named as in the form."""
        for name, value in typed.items():
            self.page.locator(f"[name={name}]").fill(value)

    @property
    def heading(self) -> str:
        """The first heading of the page."""
        return self.page.locator("h1").inner_text()
