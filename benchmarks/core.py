"""The core against its limit: from bytes to committed rows and an error report.

In a warm process, 5,000 rows, with no, a million and ten million recipients stored;
each figure is taken in turns with the limit (see `limit`), on people who have not been
seen before.
"""

import gc
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks import (
    chart,
    database,
    filling,
    limit,
    measuring,
    memory,
    sample_rows,
    showing,
    uploading,
)
from cvms_pipeline.database import engine

ROWS = 5_000
SIZES, QUICK_SIZES = (0, 1_000_000, 10_000_000), (0, 100_000)
TURNS, QUICK_TURNS = 15, 6
QUICK_SECONDS = 10  # of turns, for each size of the store
GOALS = {0: 1.7, 1_000_000: 1.5, 10_000_000: 1.45}
GOAL_ALL_REJECTED, GOAL_PEAK_MB = 1.5, 250

_OURS, _NONE_REJECTED, _ALL_REJECTED = "core, 10 %", "core, 0 %", "core, 100 %"
_LIMIT, _SORTED_LIMIT = "limit", "limit, rows in order of key"


@dataclass(kw_only=True)
class Bench:
    """A store of one size, and what has been measured in it."""

    store: engine.Store
    stored: int
    numbers: Iterator[int]
    steps: list[Mapping[str, float]] = field(default_factory=list)

    def core(self, rejected_percent: int) -> measuring.Way:
        """Return the way of an upload of which so many per cent are rejected."""

        def run(_: int) -> float:
            upload_id, data = self._next(rejected_percent)
            done = uploading.run(self.store, upload_id, data)
            assert done.outcome.rejected == ROWS * rejected_percent // 100
            if rejected_percent == 10:
                self.steps.append(done.steps)
            return done.seconds

        return run

    def limit(self, order: str) -> measuring.Way:
        """Return the way of the limit, its rows inserted in `order`."""

        def run(_: int) -> float:
            upload_id, data = self._next(10)
            payload = limit.prepare(data)
            return limit.run(self.store, upload_id, payload, order=order)

        return run

    def _next(self, rejected_percent: int) -> tuple[str, bytes]:
        with self.store.begin() as conn:
            if not self.stored:
                filling.empty(conn)
            filling.bring_all_back(conn)
        seed = next(self.numbers)
        upload_id = f"measured-{seed}"
        uploading.register(self.store, upload_id)
        data = sample_rows.upload(ROWS, rejected_percent=rejected_percent, seed=seed)
        return upload_id, data


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was found for one size of the store: seconds of each way, and of steps."""

    seconds: Mapping[str, Sequence[float]]
    steps: Mapping[str, float]

    def ratio(self, way: str = _OURS, to: str = _LIMIT) -> measuring.Spread:
        """Return how many times as long as `to` the way took."""
        return measuring.ratios(self.seconds[way], self.seconds[to])


def measure(
    sizes: Sequence[int], turns: int, seconds: float | None = None
) -> tuple[dict[int, Measured], float]:
    """Return what was found for each of `sizes`, and a worker's peak in MB.

    A size that the disk has no room for is left out, and said to be.
    """
    found: dict[int, Measured] = {}
    numbers = itertools.count(1)
    with database.throw_away() as url:
        store = engine.Store(url)
        with store.begin() as conn:
            filling.register_provider(conn)
        peak = memory.peak_mb(url, rows=ROWS)
        with store.begin() as conn:
            filling.empty(conn)
        for before, size in itertools.pairwise((0, *sizes)):
            try:
                _fill(store, before, size)
            except filling.NoRoomError as problem:
                showing.progress(f"Left out {size:,} stored recipients: {problem}")
                break
            showing.progress(f"Measuring with {size:,} recipients stored …")
            found[size] = _measure(store, size, numbers, turns, seconds)
        store.close()
    return found, peak


def _fill(store: engine.Store, stored: int, wanted: int) -> None:
    if wanted > stored:
        showing.progress(f"Filling the store up to {wanted:,} recipients …")
    with store.begin() as conn:
        if stored == 0:
            filling.empty(conn)
        filling.fill(conn, stored=stored, wanted=wanted)
    autocommit = store.engine.execution_options(isolation_level="AUTOCOMMIT")
    with autocommit.connect() as conn:
        filling.settle(conn)


def _measure(
    store: engine.Store,
    size: int,
    numbers: Iterator[int],
    turns: int,
    seconds: float | None,
) -> Measured:
    bench = Bench(store=store, stored=size, numbers=numbers)
    ways = {
        _OURS: bench.core(10),
        _LIMIT: bench.limit(limit.IN_FILE_ORDER),
        _ALL_REJECTED: bench.core(100),
        _SORTED_LIMIT: bench.limit(limit.IN_KEY_ORDER),
        _NONE_REJECTED: bench.core(0),
    }
    spent = measuring.interleaved(ways, repetitions=turns, seconds=seconds)
    counted = bench.steps[-len(spent[_OURS]) :]
    steps = {
        step: measuring.spread([took[step] for took in counted]).median
        for step in uploading.STEPS
    }
    return Measured(seconds=spent, steps=steps)


def summary(found: Mapping[int, Measured], peak: float) -> dict[str, object]:
    """Return the object that `--json` prints; the worst size counts for rejected."""
    ratios = {size: one.ratio() for size, one in found.items()}
    rejected = [one.ratio(_ALL_REJECTED, to=_OURS).median for one in found.values()]
    return {
        "ratio_to_limit": {str(k): round(v.median, 2) for k, v in ratios.items()},
        "all_rejected_ratio": round(max(rejected), 2),
        "peak_mb": round(peak),
        "quartiles": {str(k): _quartiles(v) for k, v in ratios.items()},
        "steps_ms": {
            str(size): {step: round(1000 * s, 1) for step, s in one.steps.items()}
            for size, one in found.items()
        },
        "milliseconds": {
            str(size): {
                way: round(1000 * measuring.spread(seconds).median, 1)
                for way, seconds in one.seconds.items()
            }
            for size, one in found.items()
        },
        "machine": measuring.machine(),
    }


def _quartiles(figures: measuring.Spread) -> list[float]:
    return [round(figures.low, 2), round(figures.high, 2)]


def main(given: Sequence[str] | None = None) -> None:
    """Measure and print."""
    more = ("--stored", "sizes of the store, such as 0,1000000 (default: all)")
    chosen = showing.options(__doc__, given, more)
    sizes: Sequence[int] = QUICK_SIZES if chosen.quick else SIZES
    if chosen.stored:
        sizes = tuple(int(size) for size in chosen.stored.split(","))
    gc.freeze()  # as a worker does
    turns, seconds = (QUICK_TURNS, QUICK_SECONDS) if chosen.quick else (TURNS, None)
    found, peak = measure(sizes, turns, seconds)
    summarised = summary(found, peak)
    if chosen.chart:
        chart.write(chosen.chart, _TITLE, _bars(found), unit="times the limit")
    showing.result(summarised, as_json=chosen.json, table=_table(found, summarised))


_TITLE = f"{ROWS:,} rows from bytes to committed rows and report, as times the limit"


def _bars(found: Mapping[int, Measured]) -> list[chart.Bar]:
    bars = []
    for size, one in found.items():
        for way in (_OURS, _ALL_REJECTED):
            bars.append(
                chart.Bar(
                    label=f"{way} rejected, {size:,} stored",
                    value=one.ratio(way).median,
                    is_ours=True,
                    goal=GOALS.get(size) if way == _OURS else None,
                )
            )
    return bars


def _table(found: Mapping[int, Measured], summarised: Mapping[str, object]) -> object:
    rows = []
    for size, one in found.items():
        goal = f"≤ {GOALS[size]}" if size in GOALS else ""
        for way, seconds in one.seconds.items():
            spent = str(measuring.spread([1000 * s for s in seconds]))
            wanted = goal if way == _OURS else ""
            rows.append([f"{size:,}", way, spent, str(one.ratio(way)), wanted])
        steps = " · ".join(f"{k} {1000 * v:.0f}" for k, v in one.steps.items())
        rows.append(["", "steps of core, 10 %, ms", steps, "", ""])
    rejected, peak = summarised["all_rejected_ratio"], summarised["peak_mb"]
    caption = (
        f"100 % rejected takes {rejected} times the 10 % case (goal ≤"
        f" {GOAL_ALL_REJECTED}); a worker's peak is {peak} MB (goal ≤ {GOAL_PEAK_MB})."
        f"\nMedians (quartiles). {showing.on(measuring.machine())}"
    )
    header = ["stored", "what", "milliseconds", "times the limit", "goal"]
    return showing.table(_TITLE, header, rows, caption)


if __name__ == "__main__":
    main()
