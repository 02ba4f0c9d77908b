"""What a long history costs: one more upload, and the pages of the Dagster UI.

    python -m benchmarks.growth [--quick] [--json]

Three installations on one Postgres server, with 0, 10,000 and 100,000 uploads behind
them as retention leaves them, take turns: each brings one more upload of 100 rows, all
the way to its notice, and then opens an asset's page.
"""

import contextlib
import dataclasses
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from benchmarks import (
    asset_page,
    chart,
    database,
    history,
    installed,
    measuring,
    sample_rows,
    showing,
)
from cvms_pipeline.defs import partitions
from cvms_pipeline.maintenance import retention

HISTORIES = (0, 10_000, 100_000)
ROWS = 100
REJECTED_PERCENT = 10
GOAL_RATIO = 1.2
GOAL_PAGE_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured.

    Attributes:
        live: How many partitions retention leaves.
        people: How many recipients each upload of the history has loaded.
        turns: How often each installation brings an upload.
        removed: How many uploads retention removes while it is timed.
    """

    live: int
    people: int
    turns: int
    removed: int


FULL = Size(live=5_000, people=10, turns=21, removed=200)
QUICK = Size(live=1_000, people=0, turns=4, removed=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The seconds of each turn by length of history, and what retention takes."""

    uploads: Mapping[int, Sequence[float]]
    pages: Mapping[int, Sequence[float]]
    removal: float

    def ratio(self, count: int) -> measuring.Spread:
        """Return how many times as long as without a history one more upload took."""
        return measuring.ratios(self.uploads[count], self.uploads[0])


def measure(size: Size) -> Measured:
    """Make the histories and take the turns."""
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory("-cvms-growth")))
        urls = _with_histories(stack.enter_context(database.throw_away()), home, size)
        sites = {
            count: stack.enter_context(installed.installed(home / str(count), url))
            for count, url in urls.items()
        }
        seconds = _take_turns(stack, sites, size)
        return Measured(
            uploads={count: seconds[f"upload {count}"] for count in sites},
            pages={count: seconds[f"page {count}"] for count in sites},
            removal=_time_retention(sites[HISTORIES[-1]], size),
        )


def _with_histories(url: str, home: Path, size: Size) -> dict[int, str]:
    """Make a database for each history, one from the other; return their URLs."""
    with installed.installed(home / "model", url) as site:
        model = _model(site)
    made = {0: url}
    before = 0
    for count in HISTORIES[1:]:
        showing.progress(f"Making a history of {count:,} uploads …")
        made[count] = _copied(made[before], f"history_{count}")
        with _connected(made[count]) as conn:
            history.in_our_tables(
                conn, model, first=before + 1, last=count, people=size.people
            )
            if not before:
                history.in_dagster(conn, model, count=size.live)
        before = count
    for each in made.values():
        with _connected(each, isolation_level="AUTOCOMMIT") as conn:
            conn.exec_driver_sql("VACUUM ANALYZE")
    with _connected(url, isolation_level="AUTOCOMMIT") as conn:
        conn.exec_driver_sql("CHECKPOINT")
    return made


def _model(site: installed.Installed) -> history.Model:
    """Bring the upload that histories are made of."""
    upload_id = site.bring(_upload(0))
    site.invite(upload_id)
    runs = site.instance.get_runs()
    assert all(run.tags[partitions.PARTITION_TAG] == upload_id for run in runs)
    return history.Model(upload=upload_id, runs=tuple(run.run_id for run in runs))


def _upload(seed: int) -> bytes:
    return sample_rows.upload(ROWS, rejected_percent=REJECTED_PERCENT, seed=seed)


@contextlib.contextmanager
def _connected(url: str, **options: str) -> Iterator[sa.Connection]:
    opened = sa.create_engine(url, **options)
    with opened.begin() as conn:
        yield conn
    opened.dispose()


def _copied(url: str, name: str) -> str:
    """Copy a whole database, to which nobody may be connected, beside itself."""
    parsed = sa.make_url(url)
    name = f"{parsed.database}_{name}"
    beside = parsed.set(database="postgres").render_as_string(hide_password=False)
    with _connected(beside, isolation_level="AUTOCOMMIT") as conn:
        conn.execute(
            sa.text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = :name AND pid <> pg_backend_pid()"
            ),
            {"name": parsed.database},
        )
        conn.exec_driver_sql(f'CREATE DATABASE "{name}" TEMPLATE "{parsed.database}"')
    return parsed.set(database=name).render_as_string(hide_password=False)


def _take_turns(
    stack: contextlib.ExitStack, sites: Mapping[int, installed.Installed], size: Size
) -> Mapping[str, Sequence[float]]:
    """Bring uploads and open pages in turn."""
    socket = stack.enter_context(asset_page.code_server())
    ways: dict[str, measuring.Way] = {}
    for count, site in sites.items():
        page = stack.enter_context(asset_page.workspace(site.instance, socket))
        ways[f"upload {count}"] = _bringing(site)
        ways[f"page {count}"] = _opening(page)
    showing.progress("Bringing one more upload to each, in turns …")
    return measuring.interleaved(ways, repetitions=size.turns)


def _bringing(site: installed.Installed) -> measuring.Way:
    def bring(turn: int) -> float:
        data = _upload(1 + turn)
        started = time.perf_counter()
        site.bring(data)
        return time.perf_counter() - started

    return bring


def _opening(page: asset_page.Workspace) -> measuring.Way:
    def open_page(_: int) -> float:
        return asset_page.seconds(page)

    return open_page


def _time_retention(site: installed.Installed, size: Size) -> float:
    """Return the seconds that it takes to remove an upload from Dagster."""
    live = len(site.instance.get_dynamic_partitions(partitions.NAME))
    limits = dataclasses.replace(site.limits, live_partitions=live)
    empty = _seconds(site, limits)
    fewer = dataclasses.replace(limits, live_partitions=live - size.removed)
    return (_seconds(site, fewer) - empty) / size.removed


def _seconds(site: installed.Installed, limits: retention.Limits) -> float:
    started = time.perf_counter()
    site.retain(limits)
    return time.perf_counter() - started


def summary(found: Measured, size: Size) -> dict[str, object]:
    """Return the object that `--json` prints."""
    ratios = {count: found.ratio(count) for count in HISTORIES[1:]}
    uploads = {count: measuring.spread(s) for count, s in found.uploads.items()}
    pages = {count: measuring.spread(s) for count, s in found.pages.items()}
    return {
        "cost_ratio": {str(k): round(v.median, 2) for k, v in ratios.items()},
        "asset_page_s": {str(k): round(v.median, 3) for k, v in pages.items()},
        "spread": {
            str(k): [round(v.low, 2), round(v.high, 2)] for k, v in ratios.items()
        },
        "upload_s": {str(k): round(v.median, 3) for k, v in uploads.items()},
        "retention_s_per_upload": round(found.removal, 4),
        "live_partitions": size.live,
        "machine": measuring.machine(),
    }


def main(given: Sequence[str] | None = None) -> None:
    """Measure and print."""
    chosen = showing.options(__doc__, given)
    size = QUICK if chosen.quick else FULL
    found = measure(size)
    if chosen.chart:
        chart.write(chosen.chart, _TITLE, _bars(found), unit="times empty")
    table = _table(found, size)
    showing.result(summary(found, size), as_json=chosen.json, table=table)


_TITLE = f"One more upload of {ROWS} rows after a long history"


def _bars(found: Measured) -> list[chart.Bar]:
    return [
        chart.Bar(
            label=f"{count:,} uploads before",
            value=found.ratio(count).median,
            is_ours=True,
            goal=GOAL_RATIO,
        )
        for count in HISTORIES[1:]
    ]


def _table(found: Measured, size: Size) -> object:
    rows = [
        [
            f"{count:,}",
            str(measuring.spread(found.uploads[count])),
            str(found.ratio(count)) if count else "",
            str(measuring.spread(found.pages[count])),
            f"≤ {GOAL_RATIO}, page ≤ {GOAL_PAGE_S} s" if count else "",
        ]
        for count in HISTORIES
    ]
    caption = (
        f"Retention keeps {size.live:,} of them in Dagster and takes"
        f" {1000 * found.removal:.0f} ms to remove one.\n"
        f"Medians (quartiles). {showing.on(measuring.machine())}"
    )
    header = ["uploads before", "one more, s", "times empty", "asset page, s", "goal"]
    return showing.table(_TITLE, header, rows, caption)


if __name__ == "__main__":
    main()
