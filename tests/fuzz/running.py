"""Check the promises on one unusual file after another, until the time is over."""

import random
import time
from dataclasses import dataclass, field

from cvms_pipeline.domain.vocabulary import upload
from tests.fuzz import corpus, invariants

_KEPT = 500


@dataclass(kw_only=True)
class Found:
    """The number of checked files, and those that broke a promise."""

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
            invariants.hold(data, lane)
        except Exception as error:  # any error is a finding
            found.broken.append(
                {
                    "what": f"{type(error).__name__}: {error}",
                    "lane": lane.value,
                    "file": data.hex(),
                }
            )
            return
