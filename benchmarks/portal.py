"""How fast the portal's pages, its review and its uploads are, and what it takes.

    python -m benchmarks.portal [--quick] [--json]

One `cvms up` on the embedded default, with a provider that has loaded a million
recipients by a hundred thousand uploads, and a smaller one that searches its own among
them (`portal_store`).  Times of pages are those of the server, from the portal's own
log; all others are those of the person who waits.
"""

import re
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks import (
    desk_pages,
    logging_in,
    measuring,
    portal_processes,
    portal_store,
    running,
    sample_rows,
    showing,
    visitors,
)

GOALS = {
    "page_p95_ms": 100,
    "review_100_ms": 150,
    "create_to_alert_p50_s": 1.5,
    "banner_5000_ms": 500,
    "concurrent.errors": 0,
    "concurrent.p95_s": 1.0,
    "logging_in.errors": 0,
    "logging_in.most_mb": 300,
    "idle_cores": 0.02,
    "rss_mb": 300,
    "page_kb": 60,
}
"""The most that each figure may be."""

_SEARCHED = "recipients, searched by a smaller provider"
_PAUSE_SECONDS = (1.0, 5.0)  # between two things that a person does
_LOG_INS_A_MINUTE = 200


FULL = portal_store.Size(
    recipients=1_000_000,
    of_smaller=25_000,
    uploads=100_000,
    rounds=40,
    reviews=20,
    users=50,
    together_seconds=120,
    idle_seconds=30,
    cases=100_000,
    recipients_with_password=400,
    log_in_seconds=120,
    refused_each=50,
)
QUICK = portal_store.Size(
    recipients=20_000,
    of_smaller=5_000,
    uploads=2_000,
    rounds=5,
    reviews=4,
    users=6,
    together_seconds=5,
    idle_seconds=2,
    cases=2_000,
    recipients_with_password=20,
    log_in_seconds=6,
    refused_each=4,
)


def main() -> int:
    """Measure and print."""
    chosen = showing.options(__doc__, None)
    size = QUICK if chosen.quick else FULL
    with running.started(CVMS_REQUIRE_SECOND_FACTOR="false") as installation:
        found = measure(installation, size)
    table = showing.table(
        f"The portal, with {size.recipients:,} recipients and {size.uploads:,} uploads",
        ("figure", "measured", "goal"),
        list(list_rows(found)),
        showing.on(measuring.machine()),
    )
    showing.result(found, as_json=chosen.json, table=table)
    return 0


def measure(
    installation: running.Installation, size: portal_store.Size
) -> dict[str, Any]:
    """Return the figures, by the names that the JSON object has."""
    showing.progress("Recipients and uploads ...")
    for provider in portal_store.PROVIDERS:
        installation.cvms(
            *("providers", "add", provider, "--name", "Bench"),
            *("--pin", "VAC2021", "--email", "bench@example.org"),
        )
    portal_store.fill(installation, size)
    *people, of_smaller = portal_store.make_visitors(installation, size.users)
    first = people[0]
    first.log_in()
    of_smaller.log_in()
    idle, memory = _rest(installation, size.idle_seconds)
    showing.progress("Reviews, uploads ...")
    sent = _send(first, size)
    showing.progress("Pages ...")
    pages = _browse(installation, first, size.rounds)
    pages[_SEARCHED] = _search(installation, of_smaller, size.rounds)
    weights = {name: round(first.weigh(p), 1) for name, p in _list_weighed()}
    showing.progress("The help desk ...")
    pages |= _open_desk(installation, size)
    showing.progress(f"{size.users} people at once ...")
    together = _work_together(people, size)
    showing.progress(f"{_LOG_INS_A_MINUTE} log-ins a minute ...")
    log_ins = _log_in(installation, people, size)
    showing.progress("Refused log-ins ...")
    refused = logging_in.compare_refused(
        first.url, portal_store.make_refused(installation, size.refused_each)
    )
    return {
        "page_p95_ms": pages,
        **sent,
        "concurrent": together,
        "logging_in": log_ins,
        "refused_log_in_ms": refused,
        "idle_cores": round(idle, 4),
        "rss_mb": round(max(memory, portal_processes.measure_memory(installation))),
        "page_kb": weights,
    }


def _rest(installation: running.Installation, seconds: float) -> tuple[float, float]:
    """Return the cores that the portal takes while nobody asks, and its memory."""
    before = portal_processes.measure_processor(installation)
    time.sleep(seconds)
    spent = portal_processes.measure_processor(installation) - before
    return spent / seconds, portal_processes.measure_memory(installation)


def _send(visitor: visitors.Visitor, size: portal_store.Size) -> dict[str, float]:
    """Return how long a review, Create Records and a high-volume upload take."""
    reviews, alerts, banners = [], [], []
    for nth in range(size.reviews + 1):  # the first one warms everything up
        rows = sample_rows.upload(100, rejected_percent=10, seed=10_000 + nth)
        took, shown = visitor.timed_review(rows)
        reviews.append(took)
        alerts.append(visitor.timed_alert(shown))
    for nth in range(max(2, size.reviews // 4) + 1):
        rows = sample_rows.upload(5_000, rejected_percent=10, seed=20_000 + nth)
        banners.append(visitor.timed_banner(rows))
    return {
        "review_100_ms": round(1000 * statistics.median(reviews[1:])),
        "create_to_alert_p50_s": round(statistics.median(alerts[1:]), 2),
        "banner_5000_ms": round(1000 * statistics.median(banners[1:])),
    }


def _browse(
    installation: running.Installation, visitor: visitors.Visitor, rounds: int
) -> dict[str, float]:
    """Open every page so often; return by page what 95 % of them do not exceed."""
    log = portal_processes.get_log(installation)
    paths = _list_paths(visitor)
    for path in paths:
        visitor.get(path)
    start = log.stat().st_size
    for _ in range(rounds):
        for path in paths:
            visitor.get(path)
    pages = portal_processes.read_times(log, start)
    return {name: measuring.p95(times) for name, times in sorted(pages.items())}


def _search(
    installation: running.Installation, visitor: visitors.Visitor, rounds: int
) -> float:
    """Return what 95 % of the pages do not exceed that show who matches a letter."""
    log = portal_processes.get_log(installation)
    start = log.stat().st_size
    for nth in range(rounds):
        letter = "abcdefghijklmnop"[nth % 16]
        visitor.search(**{("last_name", "first_name")[nth % 2]: letter})
    return measuring.p95(portal_processes.read_times(log, start)["recipients"])


def _list_paths(visitor: visitors.Visitor) -> Sequence[str]:
    """Return every page that is measured, in several orders and further on."""
    listed, history = visitor.get("/recipients/").text, visitor.get("/uploads/").text
    recipient = re.findall(r'href="(/recipients/[0-9a-f-]{36}/)"', listed)[-1]
    upload = re.findall(r'href="(/uploads/[^"/?]+/)"', history)[-1]
    person, file = recipient.split("/")[2], upload.split("/")[2]
    return [
        *(path for _, path in _list_weighed()),
        *(recipient, upload, f"{upload}receipt/"),
        "/recipients/?sort=birth_date",
        "/recipients/?sort=email&order=descending",
        "/recipients/?sort=loaded_at",
        f"/recipients/?sort=first_name&after={person}",
        f"/uploads/?after={file}",
    ]


def _list_weighed() -> Sequence[tuple[str, str]]:
    """Return the pages that a first visit may begin with: name and path."""
    return [
        ("bulk", "/bulk/"),
        ("bulk_high", "/bulk/high-volume/"),
        ("recipients", "/recipients/"),
        ("uploads", "/uploads/"),
        ("team", "/team/"),
        ("account", "/accounts/factors/"),
    ]


def _work_together(
    people: Sequence[visitors.Visitor], size: portal_store.Size
) -> dict[str, Any]:
    """Return how many errors there are, and how long answers take."""
    for person in people[1:]:
        person.log_in()
    for person in people:
        person.seconds.clear()
    visitors.work_together(people, seconds=size.together_seconds, pauses=_PAUSE_SECONDS)
    errors = [error for person in people for error in person.errors]
    for error in sorted(set(errors)):
        showing.progress(f"  {error}")
    seconds = [each for person in people for each in person.seconds]
    return {
        "users": len(people),
        "answers": len(seconds),
        "errors": len(errors),
        "p95_s": round(measuring.p95(seconds), 3),
    }


def _open_desk(
    installation: running.Installation, size: portal_store.Size
) -> dict[str, float]:
    """Open the pages of the help desk; return by page what 95 % do not exceed."""
    log = portal_processes.get_log(installation)
    visitor, account = portal_store.make_staff(installation)
    desk_pages.fill(installation, size.cases, account)
    visitor.log_in()
    pages: dict[str, list[float]] = {}
    for nth in range(size.rounds + 1):  # the first one warms everything up
        start = log.stat().st_size
        for name, answers in desk_pages.open_pages(visitor):
            times = portal_processes.wait_for_times(log, start, answers)
            start = log.stat().st_size
            if nth:
                pages.setdefault(f"help desk, {name}", []).append(times[-1])
    return {name: measuring.p95(times) for name, times in sorted(pages.items())}


def _log_in(
    installation: running.Installation,
    people: Sequence[visitors.Visitor],
    size: portal_store.Size,
) -> dict[str, Any]:
    """Let people log in beside uploads; say what went wrong."""
    uploader = people[-1]
    found = logging_in.work(
        uploader.url,
        portal_store.make_recipients(installation, size.recipients_with_password),
        uploader,
        a_minute=_LOG_INS_A_MINUTE,
        seconds=size.log_in_seconds,
        measure_memory=lambda: portal_processes.measure_memory(installation),
    )
    for error in found.pop("what"):
        showing.progress(f"  {error}")
    return found


def list_rows(found: Mapping[str, Any]) -> Sequence[tuple[str, str, str]]:
    """Return the figures one a row, with their goals."""
    rows = []
    for name, value in found.items():
        if not isinstance(value, Mapping):
            rows.append((name, str(value), f"≤ {GOALS[name]}"))
            continue
        for part, figure in value.items():
            goal = GOALS.get(name, GOALS.get(f"{name}.{part}"))
            words = "" if goal is None else f"≤ {goal}"
            if isinstance(figure, Mapping):
                figure = ", ".join(f"{key} {number}" for key, number in figure.items())
            rows.append((f"{name}: {part}", str(figure), words))
    return rows


if __name__ == "__main__":
    sys.exit(main())
