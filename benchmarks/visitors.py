"""People in the portal, as their browsers ask: log in, open pages, send files.

Only the questions and how long the answers take; what is measured, `portal` says.
"""

import random
import re
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import requests

from benchmarks import sample_rows

PASSWORD = "only for a benchmark that lives for minutes"
_LONGEST_SECONDS = 60
_FIRST_PAUSE, _PAUSE_GROWTH, _LONGEST_PAUSE = 0.4, 1.3, 5.0  # those of live.js
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_LINKED = re.compile(r'(?:href|src)="(/static/[^"]+)"')
_STILL_LIVE = re.compile(r'id="live"[^>]* data-live=')
_HEADER_BYTES = 4  # of a line: its colon, space and line break


class PortalError(Exception):
    """The portal has not answered as it should; `status` is that of the answer."""

    def __init__(self, what: str, status: int | None = None) -> None:
        """Say what it is."""
        super().__init__(what)
        self.status = status


@dataclass(kw_only=True)
class Visitor:
    """A browser in which somebody is logged in.

    Attributes:
        seconds: How long each answer has taken.
        errors: What has gone wrong.
    """

    url: str
    username: str
    session: requests.Session = field(default_factory=requests.Session)
    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def log_in(self) -> None:
        """Type username and password."""
        page = self.get("/accounts/login/")
        self.post("/accounts/login/", page, login=self.username, password=PASSWORD)

    def get(self, path: str) -> requests.Response:
        """Open a page."""
        return self._ask("GET", path)

    def search(self, **typed: str) -> requests.Response:
        """Search the loaded recipients; return the page that shows who matches."""
        page = self.get("/recipients/")
        return self.post("/recipients/", page, page="recipients", **typed)

    def review(self, content: bytes, name: str = "staff.csv") -> requests.Response:
        """Send a file to low volume; return the page of its review."""
        form = self.get("/bulk/")
        return self._send("/bulk/", form, content, name)

    def timed_review(self, content: bytes) -> tuple[float, requests.Response]:
        """Return how long it takes from sending a file until the review is there."""
        form = self.get("/bulk/")
        began = time.perf_counter()
        shown = self._send("/bulk/", form, content, "staff.csv")
        return time.perf_counter() - began, shown

    def timed_banner(self, content: bytes) -> float:
        """Return how long it takes from sending 5,000 rows until the banner."""
        form = self.get("/bulk/high-volume/")
        began = time.perf_counter()
        shown = self._send("/bulk/high-volume/", form, content, "many.csv")
        took = time.perf_counter() - began
        if "File submitted for processing" not in shown.text:
            raise PortalError("there is no banner")
        return took

    def timed_alert(self, review: requests.Response) -> float:
        """Press Create Records; return how long it takes until the alert.

        The page asks again after the same pauses as its script does.
        """
        began = time.perf_counter()
        seen = find_hidden(review, "seen")
        path = review.url.removeprefix(self.url)
        page = self.post(f"{path}create/", review, seen=seen or "")
        pause, path = _FIRST_PAUSE, page.url.removeprefix(self.url)
        while _STILL_LIVE.search(page.text):
            time.sleep(pause)
            pause = min(pause * _PAUSE_GROWTH, _LONGEST_PAUSE)
            page = self.get(f"{path}live/")
        return time.perf_counter() - began

    def weigh(self, path: str) -> float:
        """Return how many kB a first visit of a page takes on the wire."""
        page = self.get(path)
        linked = set(_LINKED.findall(page.text))
        return sum(map(self._weigh_one, [path, *linked])) / 1000

    def _weigh_one(self, path: str) -> int:
        with self.session.get(self.url + path, stream=True) as answer:
            lines = answer.headers.items()
            headers = sum(len(n) + len(v) + _HEADER_BYTES for n, v in lines)
            return headers + len(answer.raw.read(decode_content=False))

    def _send(
        self, path: str, form: requests.Response, content: bytes, name: str
    ) -> requests.Response:
        key = find_hidden(form, "key")
        files = {"file": (name, content, "text/csv")}
        return self.post(path, form, files=files, key=key or "")

    def post(
        self,
        path: str,
        form: requests.Response,
        *,
        files: object = None,
        **typed: str,
    ) -> requests.Response:
        """Send a form, with the token of the page that it is on."""
        token = _TOKEN.search(form.text)
        if token is None:
            raise PortalError(f"no form at {path}")
        data = {"csrfmiddlewaretoken": token[1], **typed}
        return self._ask("POST", path, data=data, files=files)

    def _ask(self, method: str, path: str, **more: object) -> requests.Response:
        began = time.perf_counter()
        answer = self.session.request(
            method,
            self.url + path,
            timeout=_LONGEST_SECONDS,
            headers={"Referer": self.url + path},
            **more,
        )
        self.seconds.append(time.perf_counter() - began)
        if answer.status_code >= 400:
            what = f"{answer.status_code} at {method} {path.split('/')[1]}"
            raise PortalError(what, answer.status_code)
        return answer


def find_hidden(page: requests.Response, name: str) -> str | None:
    """Return the value of a hidden field, or None if there is none."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    return found[1] if found else None


def work_together(
    visitors: Sequence[Visitor], *, seconds: float, pauses: tuple[float, float]
) -> None:
    """Let everybody browse and send files until the time is over."""
    until = time.monotonic() + seconds
    working = [
        threading.Thread(target=_work, args=(one, nth, until, pauses))
        for nth, one in enumerate(visitors)
    ]
    for each in working:
        each.start()
    for each in working:
        each.join()


def _work(
    visitor: Visitor, nth: int, until: float, pauses: tuple[float, float]
) -> None:
    dice = random.Random(nth)
    time.sleep(dice.uniform(0, pauses[1]))
    count = 0
    while time.monotonic() < until:
        count += 1
        try:
            _do_one_thing(visitor, dice, seed=1_000_000 * (nth + 1) + count)
        except (PortalError, requests.RequestException) as error:
            visitor.errors.append(f"{type(error).__name__}: {error}")
        time.sleep(dice.uniform(*pauses))


def _do_one_thing(visitor: Visitor, dice: random.Random, seed: int) -> None:
    if dice.random() < 0.25:
        rows = sample_rows.upload(20, rejected_percent=10, seed=seed)
        visitor.timed_alert(visitor.review(rows))
        return
    path = dice.choice(
        ["/bulk/", "/recipients/", "/recipients/?sort=email", "/uploads/", "/team/"]
    )
    visitor.get(path)
