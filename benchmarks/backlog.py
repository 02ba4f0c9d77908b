"""What a thousand files at once do to a small one that comes later, and to the UI.

    python -m benchmarks.backlog [--files 1000] [--quick] [--json]

One `cvms up` on the embedded default.  A provider drops many files of 100 rows at
once; while they are worked off, another drops a file of 10 rows now and then, and
somebody goes on opening pages of the UI.  Their cost is part of what is measured.
"""

import itertools
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from benchmarks import measuring, running, sample_rows, showing
from cvms_pipeline.database import dagster_tables
from cvms_pipeline.store import listing

ROWS = 100
LATE_ROWS = 10
REJECTED_PERCENT = 10
MANY, LATE = "many-", "late-"
MANY_FROM, LATE_FROM = running.PROVIDERS[:2]
_PARTS = 10
_LOOK_SECONDS = 1.0
_seeds = itertools.count(1)
_ASSET = "recipients"

_DONE = sa.text("SELECT count(*) FROM cvms.uploads WHERE decided_at IS NOT NULL")


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How many files at once; how often a late one comes, how often pages are opened.

    The times are in seconds, and the first late file comes after half of one.
    """

    files: int
    late_every: float
    pages_every: float


FULL = Size(files=1_000, late_every=10, pages_every=3)
QUICK = Size(files=20, late_every=4, pages_every=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was seen after so many seconds.

    Attributes:
        seconds: Since the files were dropped.
        done: Of these, and of the late ones, how many are decided.
        waiting: Uploads that are registered and not decided.
        queued: Runs that no worker has.
        unsent: Messages that still have to go out.
        cpu_seconds: Spent so far.
    """

    seconds: float
    done: int
    waiting: int
    queued: int
    unsent: int
    cpu_seconds: float


@dataclass(kw_only=True)
class Watched:
    """What happened while the files were worked off; times are of the clock."""

    began: float
    late: dict[str, float] = field(default_factory=dict)
    looks: list[Look] = field(default_factory=list)
    pages: list[float] = field(default_factory=list)
    heartbeats: list[float] = field(default_factory=list)


def main() -> int:
    """Measure and print."""
    more = ("--files", f"how many at once (default: {FULL.files})")
    chosen = showing.options(__doc__, None, more)
    size = QUICK if chosen.quick else FULL
    files = int(chosen.files or size.files)
    with running.started() as installation:
        watched = work_off(installation, size, files)
        found = summary(
            watched,
            many=installation.notices(MANY),
            late=installation.notices(LATE),
            pauses=installation.web.sensor_pauses(after=watched.began),
        )
    table = showing.table(
        f"{files:,} files of {ROWS} rows at once, and small ones that come later",
        ("figure", "measured"),
        [(name, str(found[name])) for name in found if name != "over_time"],
    )
    showing.result(found, as_json=chosen.json, table=table)
    if not chosen.json:
        showing.result({}, as_json=False, table=_over_time(found["over_time"]))
    return 0


def work_off(installation: running.Installation, size: Size, files: int) -> Watched:
    """Drop the files, and watch until each of them has been told of."""
    _warm(installation)
    contents = [_content(ROWS) for _ in range(files)]
    showing.progress(f"{files:,} files at once ...")
    watched = Watched(began=time.time())
    _look(installation, watched)
    for nth, content in enumerate(contents):
        installation.drop(content, slug=MANY_FROM, name=f"{MANY}{nth}.csv")
    next_late = time.time() + size.late_every / 2
    next_page = time.time()
    while watched.looks[-1].done < files + len(watched.late):
        if time.time() >= next_late and watched.looks[-1].done < files:
            next_late += size.late_every
            _drop_late(installation, watched)
        if time.time() >= next_page:
            next_page = time.time() + size.pages_every
            _open_pages(installation, watched)
        time.sleep(_LOOK_SECONDS)
        _look(installation, watched)
    while len(installation.notices("")) < files + len(watched.late) + 1:
        time.sleep(_LOOK_SECONDS)
    return watched


def _warm(installation: running.Installation) -> None:
    installation.drop(_content(ROWS), slug=LATE_FROM, name="warm.csv")
    while not installation.notices("warm") or not installation.is_quiet():
        time.sleep(_LOOK_SECONDS)


def _drop_late(installation: running.Installation, watched: Watched) -> None:
    name = f"{LATE}{len(watched.late)}.csv"
    content = _content(LATE_ROWS)
    watched.late[name] = time.time()
    installation.drop(content, slug=LATE_FROM, name=name)


def _open_pages(installation: running.Installation, watched: Watched) -> None:
    watched.pages.append(installation.web.page_seconds(_ASSET))
    watched.heartbeats.append(installation.web.heartbeat_age())


def _look(installation: running.Installation, watched: Watched) -> None:
    """See how far it is."""
    with installation.store.begin() as conn:
        done = int(conn.execute(_DONE).scalar_one())
        backlog = listing.count_backlog(conn)
        queue = dagster_tables.count_queue(conn)
    watched.looks.append(
        Look(
            seconds=time.time() - watched.began,
            done=done - 1,  # without the one that has warmed everything up
            waiting=backlog.uploads_waiting,
            queued=queue.queued or 0,
            unsent=backlog.messages_unsent,
            cpu_seconds=installation.cpu_seconds(),
        )
    )


def _content(rows: int) -> bytes:
    return sample_rows.upload(
        rows, rejected_percent=REJECTED_PERCENT, seed=next(_seeds)
    )


def summary(
    watched: Watched,
    *,
    many: Mapping[str, float],
    late: Mapping[str, float],
    pauses: Sequence[float],
) -> dict[str, object]:
    """Return the figures, by the names that the JSON object has.

    Args:
        watched: What happened.
        many: When each of the many files was told of, by name.
        late: When each of the late ones was.
        pauses: How long nobody looked for files, from tick to tick.
    """
    waits = [late[name] - watched.late[name] for name in late]
    took = max(many.values()) - watched.began
    spent = watched.looks[-1].cpu_seconds - watched.looks[0].cpu_seconds
    return {
        "files": len(many),
        "files_per_minute": round(60 * len(many) / took, 1),
        "late_files": len(waits),
        "late_small_file_p50_s": round(statistics.median(waits), 3),
        "late_small_file_max_s": round(max(waits), 3),
        "webserver_p50_s": round(statistics.median(watched.pages), 3),
        "webserver_p95_s": round(measuring.p95(watched.pages), 3),
        "webserver_max_s": round(max(watched.pages), 3),
        "daemon_lag_max_s": round(max(pauses, default=0.0), 3),
        "daemon_heartbeat_age_max_s": round(max(watched.heartbeats), 1),
        "cpu_s_per_file": round(spent / (len(many) + len(late)), 3),
        "most_runs_queued": max(look.queued for look in watched.looks),
        "messages_unsent": watched.looks[-1].unsent,
        "over_time": _parts(watched.looks),
    }


def _parts(looks: Sequence[Look]) -> list[dict[str, float]]:
    """Return how it went in up to ten parts with as many files done in each."""
    ends = [looks[0]]
    for nth in range(1, _PARTS + 1):
        enough = looks[-1].done * nth / _PARTS
        look = next(each for each in looks if each.done >= enough)
        if look.done > ends[-1].done:
            ends.append(look)
    return [_part(earlier, later) for earlier, later in itertools.pairwise(ends)]


def _part(earlier: Look, later: Look) -> dict[str, float]:
    done, seconds = later.done - earlier.done, later.seconds - earlier.seconds
    spent = later.cpu_seconds - earlier.cpu_seconds
    return {
        "seconds": round(later.seconds, 1),
        "done": later.done,
        "waiting": later.waiting,
        "runs_queued": later.queued,
        "messages_unsent": later.unsent,
        "files_per_minute": round(60 * done / seconds, 1),
        "cpu_s_per_file": round(spent / done, 3),
    }


def _over_time(parts: Sequence[Mapping[str, float]]) -> object:
    return showing.table(
        "How it went",
        [name.replace("_", " ") for name in parts[0]],
        [[str(value) for value in part.values()] for part in parts],
        showing.on(measuring.machine()),
    )


if __name__ == "__main__":
    sys.exit(main())
