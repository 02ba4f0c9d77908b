"""Holding one odd file after another against what must hold, until time is up."""

import random
import time
from dataclasses import dataclass, field

from cvms_pipeline.domain import upload
from tests.fuzz import corpus, holding

_KEPT = 500


@dataclass(kw_only=True)
class Found:
    """How many files were held against the promises, and those that broke one."""

    files: int = 0
    bytes: int = 0
    broken: list[dict[str, str]] = field(default_factory=list)


def run(*, seconds: float, seed: int, files: int | None = None) -> Found:
    """Try odd files for so long, or so many; the same seed gives the same files."""
    draws = random.Random(seed)  # noqa: S311 # to be repeatable, not secret
    kept = corpus.seeds()
    pending = list(kept)
    found = Found()
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and found.files != files:
        data = pending.pop() if pending else corpus.mutated(draws.choice(kept), draws)
        _try(data, found)
        if len(kept) < _KEPT:
            kept.append(data)
        else:
            kept[draws.randrange(len(kept))] = data
        if draws.random() < 0.05:
            kept[draws.randrange(len(kept))] = draws.choice(corpus.seeds())
    return found


def _try(data: bytes, found: Found) -> None:
    found.files += 1
    found.bytes += len(data)
    for lane in upload.Lane:
        try:
            holding.hold(data, lane)
        except Exception as error:  # whatever it is, it is a find
            found.broken.append(
                {
                    "what": f"{type(error).__name__}: {error}",
                    "lane": lane.value,
                    "file": data.hex(),
                }
            )
            return
