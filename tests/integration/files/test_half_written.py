"""Writers of every habit, while uploads are taken in: never part of a file."""

import datetime as dt
import itertools
import random
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent import futures
from pathlib import Path

import pytest

from cvms_pipeline.domain.vocabulary import upload
from cvms_pipeline.files import claims, incoming, settling

PARTS = [b"a" * 200, b"b" * 200, b"c" * 200]
WHOLE = b"".join(PARTS)
SECONDS = 0.25  # longer than a file without a writer must be quiet

Writer = Callable[[Path], float]
"""Writes a file, and returns for how long nobody had it open at the most."""


def slowly(path: Path) -> float:
    """Keep the file open all the time, and pause for longer than it has to settle."""
    with path.open("wb") as file:
        for part in PARTS:
            file.write(part)
            file.flush()
            time.sleep(SECONDS)
    return 0.0


def in_bursts(path: Path) -> float:
    """Open the file anew for each part, as some programs do."""
    gaps, closed_at = [0.0], None
    for part in PARTS:
        with path.open("ab") as file:
            gaps.append(time.monotonic() - closed_at if closed_at else 0.0)
            file.write(part)
            closed_at = time.monotonic()
    return max(gaps)


def renamed_into_place(path: Path) -> float:
    half = path.with_name(f"{path.name}.part")
    slowly(half)
    half.rename(path)
    return 0.0


def replaced(path: Path) -> float:
    """Put another file in its place, perhaps while it is being claimed."""
    for _ in range(3):
        new = path.with_name(f".{path.name}")
        new.write_bytes(WHOLE)
        new.replace(path)
    return 0.0


def overwritten(path: Path) -> float:
    """Write it whole, and begin again at once in the same place."""
    path.write_bytes(WHOLE)
    closed_at = time.monotonic()
    with path.open("wb") as file:
        gap = time.monotonic() - closed_at
        file.write(WHOLE)
    return gap


def deleted(path: Path) -> float:
    path.write_bytes(WHOLE)
    path.unlink(missing_ok=True)  # unless it has been taken
    return 0.0


HABITS = [slowly, in_bursts, renamed_into_place, replaced, overwritten, deleted]


@pytest.mark.parametrize("write", HABITS)
def test_only_complete_files_are_claimed(folders, lane, shelves, later, write: Writer):
    taken = Taking(folders, shelves, later)

    is_fair, kept = try_some(taken, lane, [write] * 5, patience=settling.QUIET_SECONDS)

    assert set(kept) <= {WHOLE} or not all(is_fair)
    assert len(kept) >= (0 if write is deleted else 5)


def test_of_a_thousand_files_none_is_claimed_incomplete(folders, lane, shelves, later):
    taken = Taking(folders, shelves, later)
    habits = random.Random(1).choices(HABITS, k=1000)  # noqa: S311 # no secret
    tried = 0

    for some in itertools.repeat(habits):
        is_fair, kept = try_some(taken, lane, some, patience=settling.QUIET_SECONDS)
        tried += sum(is_fair)
        halves = [data for data in kept if data != WHOLE]
        assert len(halves) <= 2 * is_fair.count(False)
        if tried >= 1000:
            break


def test_without_leases_the_settle_time_decides(
    folders, lane, shelves, later, without_leases
):
    patient = incoming.Folders(
        root=folders.root, settle_seconds=3 * SECONDS, max_bytes=folders.max_bytes
    )
    taken = Taking(patient, shelves, later)

    is_fair, kept = try_some(taken, lane, HABITS * 10, patience=3 * SECONDS)

    halves = [data for data in kept if data != WHOLE]
    assert len(halves) <= 2 * is_fair.count(False)
    assert sum(is_fair) > 0


class Taking:
    """Takes in what has settled, again and again."""

    def __init__(self, folders, shelves, later) -> None:
        self.folders, self.shelves, self.later = folders, shelves, later

    def is_over(self) -> bool:
        found = incoming.scan(self.folders, now=self.later(0))
        return not found and not claims.list_open_claims(
            self.folders, now=dt.datetime.now(dt.UTC), limit=99
        )

    def some(self) -> Iterator[bytes]:
        """Take in what can be taken now; yield the bytes that were kept."""
        now = self.later(0)
        for found in incoming.scan(self.folders, now=now):
            if found.is_settled:
                upload_id = upload.make_id(now)
                claims.claim(self.folders, found, upload_id=upload_id, now=now)
        for each in claims.list_open_claims(
            self.folders, now=dt.datetime.now(dt.UTC), limit=99
        ):
            now = self.later(0)
            if claims.finish(self.folders, each, self.shelves, now=now) is not None:
                claims.discard(self.folders, each)
                yield self.shelves.read(each.upload_id)


def try_some(
    taken: Taking, lane: Path, habits: Sequence[Writer], *, patience: float
) -> tuple[list[bool], list[bytes]]:
    """Let files be written while others are taken in.

    Returns:
        Which writers kept to the rules (a busy machine may hold one up between two
        bursts for longer than anybody's patience), and what was kept.
    """
    kept: list[bytes] = []
    with futures.ThreadPoolExecutor(20) as pool:
        writing = [
            pool.submit(write, lane / f"{number}.csv")
            for number, write in enumerate(habits)
        ]
        while not all(each.done() for each in writing):
            kept += taken.some()
    while not taken.is_over():
        kept += taken.some()
    return [each.result() < patience / 2 for each in writing], kept
