"""Many people who log in while a file is loaded, and log-ins that are refused.

Each has a browser of their own, and an address of their own, as people behind a proxy
have.  What is measured, `portal` says.
"""

import itertools
import re
import statistics
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import requests

from benchmarks import measuring, sample_rows, visitors

_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_LOOK_SECONDS = 0.5
_PATH = "/accounts/login/"
_LONGEST_SECONDS = 60
_addresses = itertools.count(1)

Groups = Mapping[str, tuple[Sequence[str], str]]
"""Usernames, as many in each group, and the password that is typed for them."""


@dataclass(kw_only=True)
class Watched:
    """What was seen: how long each log-in took, what went wrong, the most memory."""

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    most_mb: float = 0.0
    uploads: int = 0


def log_in(url: str, username: str, password: str) -> tuple[float, requests.Response]:
    """Return how long a log-in in a new browser takes, and the answer to it.

    The answer is the one to the form; what it leads to is not asked for.
    """
    nth = next(_addresses)
    place = f"10.{nth >> 16 & 255}.{nth >> 8 & 255}.{nth & 255}"
    headers = {"X-Forwarded-For": place, "Referer": url + _PATH}
    with requests.Session() as session:
        session.headers.update(headers)
        page = session.get(url + _PATH, timeout=_LONGEST_SECONDS)
        token = _TOKEN.search(page.text)
        if token is None:
            raise visitors.PortalError(f"no form to log in: {page.status_code}")
        typed = {"login": username, "password": password}
        began = time.perf_counter()
        answer = session.post(
            url + _PATH,
            data={"csrfmiddlewaretoken": token[1], **typed},
            timeout=_LONGEST_SECONDS,
            allow_redirects=False,
        )
        return time.perf_counter() - began, answer


def work(
    url: str,
    usernames: Sequence[str],
    uploader: visitors.Visitor,
    *,
    a_minute: float,
    seconds: float,
    measure_memory: Callable[[], float],
) -> dict[str, Any]:
    """Let so many people a minute log in while uploads run; return the figures."""
    seen = Watched()
    is_over = threading.Event()
    beside = [
        threading.Thread(target=_upload, args=(uploader, seen, is_over)),
        threading.Thread(target=_look, args=(measure_memory, seen, is_over)),
    ]
    for each in beside:
        each.start()
    people = _begin(url, itertools.cycle(usernames), seen, 60 / a_minute, seconds)
    for each in people:
        each.join()
    is_over.set()
    for each in beside:
        each.join()
    return {
        "log_ins": len(seen.seconds),
        "errors": len(seen.errors),
        "p95_s": round(measuring.p95(seen.seconds), 3),
        "uploads_meanwhile": seen.uploads,
        "most_mb": round(seen.most_mb),
        "what": sorted(set(seen.errors)),
    }


def _begin(
    url: str, names: "itertools.cycle[str]", seen: Watched, pause: float, seconds: float
) -> list[threading.Thread]:
    """Begin one log-in after each pause, however long the earlier ones take."""
    began = time.monotonic()
    people = []
    for nth in range(max(1, round(seconds / pause))):
        time.sleep(max(0.0, began + nth * pause - time.monotonic()))
        one = threading.Thread(target=_log_in_once, args=(url, next(names), seen))
        one.start()
        people.append(one)
    return people


def _log_in_once(url: str, username: str, seen: Watched) -> None:
    try:
        took, answer = log_in(url, username, visitors.PASSWORD)
    except (visitors.PortalError, requests.RequestException) as error:
        seen.errors.append(f"{type(error).__name__}: {error}")
        return
    seen.seconds.append(took)
    if answer.status_code != 302:
        seen.errors.append(f"{answer.status_code} at the log-in")


def _upload(
    uploader: visitors.Visitor, seen: Watched, is_over: threading.Event
) -> None:
    """Send one file of 5,000 rows after another, each as soon as one was taken in."""
    for nth in itertools.count():
        if is_over.is_set():
            return
        rows = sample_rows.upload(5_000, rejected_percent=10, seed=30_000 + nth)
        try:
            uploader.timed_banner(rows)
            seen.uploads += 1
        except (visitors.PortalError, requests.RequestException) as error:
            seen.errors.append(f"upload: {type(error).__name__}: {error}")
        is_over.wait(_UPLOAD_PAUSE)


_UPLOAD_PAUSE = 3.0
"""About as long as an upload of 5,000 rows takes, so that one is always running; more
than 60 an hour are refused, so the pause is not shorter."""


def _look(
    measure_memory: Callable[[], float], seen: Watched, is_over: threading.Event
) -> None:
    while not is_over.wait(_LOOK_SECONDS):
        seen.most_mb = max(seen.most_mb, measure_memory())


def compare_refused(url: str, groups: Groups) -> dict[str, dict[str, float]]:
    """Return by group how long refused log-ins take, in ms: half, and 95 %.

    The groups take turns, so that whatever slows the machine slows all of them.

    Raises:
        PortalError: If the answers of two groups differ.
    """
    taken: dict[str, list[float]] = {name: [] for name in groups}
    answers = set()
    for nth in range(len(next(iter(groups.values()))[0])):
        for group, (names, password) in groups.items():
            username = names[nth]
            took, answer = log_in(url, username, password)
            taken[group].append(1000 * took)
            answers.add((answer.status_code, _leave_out(answer.text, username)))
    if len(answers) > 1:
        raise visitors.PortalError("refused log-ins are answered in different ways")
    return {
        name: {
            "median": round(statistics.median(each), 1),
            "p95": round(measuring.p95(each), 1),
        }
        for name, each in taken.items()
    }


def _leave_out(page: str, username: str) -> str:
    """Return a page without what is different in each: token and what was typed."""
    return _TOKEN.sub("", page).replace(username, "")
