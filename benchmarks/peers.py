"""The product against what people use instead, on the same file and database.

Each peer in an environment of its own, as a whole process from start to exit, in turns
with ours: once as a cold process that takes one file through the core, once warm as in
a worker.  Where a peer does less, the table says so.
"""

import gc
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import sqlalchemy as sa

from benchmarks import (
    chart,
    database,
    filling,
    measuring,
    peer_list,
    sample_rows,
    showing,
    uploading,
)
from cvms_pipeline import errors
from cvms_pipeline.database import engine

ROWS, REJECTED_PERCENT, SEED = 5_000, 10, 1
TURNS, QUICK_TURNS = 7, 2
QUICK_INSTALL_SECONDS, QUICK_SECONDS = 15, 15
WARM_UP = 3
PATIENCE_SECONDS = 120
_FAILURES = (RuntimeError, OSError, subprocess.TimeoutExpired, errors.CvmsError)
_WARM, _COLD = "ours, warm", "ours, cold"


@dataclass(kw_only=True)
class Bench:
    """One file, one database, and a folder to work in."""

    store: engine.Store
    url: str
    file: Path
    folder: Path
    turn: int = 0

    def warm(self, _: int) -> float:
        """Return the seconds of one upload in this process."""
        upload_id = self._next()
        uploading.register(self.store, upload_id)
        return uploading.run(self.store, upload_id, self.file.read_bytes()).seconds

    def cold(self, _: int) -> float:
        """Return the seconds of a process that takes one file through the core."""
        self._next()
        command = [sys.executable, "-m", "benchmarks.cold", str(self.file)]
        return self._seconds([command])

    def peer(self, peer: peer_list.Peer, environment: Path) -> measuring.Way:
        """Return the way of a peer's process, or of its two that are piped."""

        def run(_: int) -> float:
            self._forget()
            folder = self.folder / peer.name.replace(" ", "-")
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            commands = peer.commands(environment / "bin", self.file, self.url, folder)
            spent = self._seconds(commands, folder)
            self._check(peer)
            return spent

        return run

    def _seconds(
        self, commands: Sequence[Sequence[str]], folder: Path | None = None
    ) -> float:
        """Return how long the commands took that are piped into one another."""
        given = {"PEER_DATABASE_URL": self.url, "PEER_FOLDER": str(folder)}
        environment = {**os.environ, **peer_list.ENVIRONMENT, **given}
        with tempfile.TemporaryFile() as told:
            start = time.perf_counter()
            processes = _started(commands, environment, told)
            try:
                ended = [process.wait(PATIENCE_SECONDS) for process in processes]
            finally:
                for process in processes:
                    process.kill()
            spent = time.perf_counter() - start
            if any(ended):
                told.seek(0)
                raise RuntimeError(told.read().decode("utf-8", "replace")[-2000:])
        return spent

    def _check(self, peer: peer_list.Peer) -> None:
        """See that a peer has stored the good rows, so that nobody wins by failing."""
        if peer.table is None:
            return
        with self.store.begin() as conn:
            count = conn.scalar(sa.text(f"SELECT count(*) FROM {peer.table}"))
        good = ROWS * (100 - REJECTED_PERCENT) // 100
        if count is None or count < good:
            raise RuntimeError(f"{peer.name} has stored {count} of {good} rows")

    def _next(self) -> str:
        self._forget()
        self.turn += 1
        return f"peer-{self.turn}"

    def _forget(self) -> None:
        with self.store.begin() as conn:
            filling.empty(conn)
            for schema in peer_list.SCHEMAS:
                conn.exec_driver_sql(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
            for peer in peer_list.PEERS:
                if peer.table and peer.table.startswith("public."):
                    conn.exec_driver_sql(f"DROP TABLE IF EXISTS {peer.table}")


def _started(
    commands: Sequence[Sequence[str]], environment: Mapping[str, str], told: IO[bytes]
) -> list[subprocess.Popen[bytes]]:
    """Start commands that are piped into one another; `told` takes what they say."""
    processes: list[subprocess.Popen[bytes]] = []
    for command in commands:
        before = processes[-1].stdout if processes else None
        is_last = command is commands[-1]
        processes.append(
            subprocess.Popen(
                command,
                stdin=before or subprocess.DEVNULL,
                stdout=told if is_last else subprocess.PIPE,
                stderr=told,
                env=environment,
            )
        )
        if before:
            before.close()  # so that it learns when its reader has ended
    return processes


def measure(
    environments: Mapping[peer_list.Peer, Path],
    *,
    turns: int,
    warm_up: int,
    limit: float | None = None,
) -> dict[str, list[float]]:
    """Return the seconds of each way; a peer that fails is left out, loudly."""
    with (
        database.throw_away() as url,
        tempfile.TemporaryDirectory(prefix="cvms-bench-file-") as name,
    ):
        file = Path(name) / "recipients.csv"
        file.write_bytes(
            sample_rows.upload(ROWS, rejected_percent=REJECTED_PERCENT, seed=SEED)
        )
        store = engine.Store(url)
        with store.begin() as conn:
            filling.register_provider(conn)
        bench = Bench(store=store, url=url, file=file, folder=Path(name))
        for nth in range(WARM_UP):
            bench.warm(nth)
        ways: dict[str, measuring.Way] = {_WARM: bench.warm, _COLD: bench.cold}
        for peer, environment in environments.items():
            way = bench.peer(peer, environment)
            if _works(peer, way):
                ways[peer.name] = way
        showing.progress("Measuring in turns …")
        seconds = measuring.interleaved(
            ways, repetitions=turns, warm_up=warm_up, seconds=limit
        )
        store.close()
    return seconds


def _works(peer: peer_list.Peer, way: measuring.Way) -> bool:
    showing.progress(f"Trying {peer.name} …")
    try:
        way(0)
    except _FAILURES as problem:
        showing.progress(f"LEFT OUT: {peer.name} does not work here: {problem}")
        return False
    return True


def summary(seconds: Mapping[str, Sequence[float]]) -> dict[str, object]:
    """Return the object that `--json` prints."""
    names = [name for name in seconds if name not in (_WARM, _COLD)]
    return {
        "warm_speedup": {n: _speedup(seconds, n, _WARM) for n in names},
        "cold_speedup": {n: _speedup(seconds, n, _COLD) for n in names},
        "seconds": {
            name: round(measuring.spread(spent).median, 3)
            for name, spent in seconds.items()
        },
        "machine": measuring.machine(),
    }


def _speedup(seconds: Mapping[str, Sequence[float]], name: str, ours: str) -> float:
    return round(measuring.ratios(seconds[name], seconds[ours]).median, 2)


def main(given: Sequence[str] | None = None) -> None:
    """Install, measure and print."""
    more = ("--peers-dir", "where the peers are installed (default: a temporary one)")
    chosen = showing.options(__doc__, given, more)
    gc.freeze()  # as a worker does
    folder = Path(chosen.peers_dir or Path(tempfile.gettempdir()) / "cvms-bench-peers")
    environments = peer_list.install(
        folder, seconds=QUICK_INSTALL_SECONDS if chosen.quick else None
    )
    seconds = measure(
        environments,
        turns=QUICK_TURNS if chosen.quick else TURNS,
        warm_up=0 if chosen.quick else 1,
        limit=QUICK_SECONDS if chosen.quick else None,
    )
    if chosen.chart:
        chart.write(chosen.chart, _TITLE, _bars(seconds), unit="s")
    showing.result(summary(seconds), as_json=chosen.json, table=_table(seconds))


_TITLE = f"{ROWS:,} rows, {REJECTED_PERCENT} % rejected, into an empty store"


def _bars(seconds: Mapping[str, Sequence[float]]) -> list[chart.Bar]:
    return [
        chart.Bar(
            label=name,
            value=measuring.spread(spent).median,
            is_ours=name in (_WARM, _COLD),
        )
        for name, spent in seconds.items()
    ]


def _table(seconds: Mapping[str, Sequence[float]]) -> object:
    less = {peer.name: peer.less for peer in peer_list.PEERS}
    rows = []
    for name, spent in seconds.items():
        warm = measuring.ratios(spent, seconds[_WARM])
        cold = measuring.ratios(spent, seconds[_COLD])
        figures = [str(measuring.spread(spent)), str(warm), str(cold)]
        rows.append([name, *figures, less.get(name, "")])
    header = ["", "seconds", "times ours, warm", "times ours, cold", "does less"]
    caption = f"Medians (quartiles). {showing.on(measuring.machine())}"
    return showing.table(_TITLE, header, rows, caption)


if __name__ == "__main__":
    main()
