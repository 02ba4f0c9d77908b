"""What is done to an installation, and when: a schedule made from a seed.

Each fault begins at once; outages end by themselves after some seconds.
"""

import contextlib
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import psutil

from tests.chaos import installation

KILLS = {  # whom, and how often in relation to the others
    "child": 4,
    "worker": 3,
    "daemon": 3,
    "code": 3,
    "tick": 4,
    "postgres": 2,
    "backend": 2,
    "portal": 3,
    "webserver": 1,
    "supervisor": 1,
}
_OUTAGE_EVERY = 8
"""One outage of the mail server or the disk to so many kills."""

_TICK_SECONDS = 5
_SENDING_SECONDS = 10
_MOST_INTO_A_REQUEST = 0.4
_VICTIM_SECONDS = 180


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What strikes, and when, in seconds from the start; outages last some."""

    at: float
    what: str
    seconds: float = 0.0


def schedule(seed: int, *, kills: int, seconds: float) -> list[Fault]:
    """Return so many kills within `seconds`, and outages between them."""
    chance = random.Random(seed)
    names, weights = list(KILLS), list(KILLS.values())
    everybody = names if kills >= len(names) else []
    chosen = everybody + chance.choices(names, weights, k=kills - len(everybody))
    made = [Fault(at=chance.uniform(0, seconds), what=what) for what in chosen]
    for number in range(max(1, kills // _OUTAGE_EVERY)):
        what = ("mail", "disk")[number % 2]
        lasts = chance.uniform(2, 15 if what == "mail" else 8)
        at = chance.uniform(0, max(0.0, seconds - lasts))
        made.append(Fault(at=at, what=what, seconds=lasts))
    return sorted(made, key=lambda each: each.at)


@dataclass(kw_only=True)
class Striker:
    """Lets faults strike, and ends outages."""

    running: installation.Installation
    seed: int
    is_sending: Callable[[], bool]
    kills: int = 0
    last_at: float = 0.0
    _ends: list[tuple[float, Callable[[], None]]] = field(default_factory=list)
    _chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        """Make its luck."""
        self._chance = random.Random(self.seed)

    def strike(self, fault: Fault) -> None:
        """Do what the fault says; whom to kill must be there."""
        if fault.what in KILLS:
            self._kill(fault.what)
        else:
            begin, end = {
                "mail": (self.running.server.stop, self.running.server.start),
                "disk": (self.running.disk.fill, self.running.disk.free),
            }[fault.what]
            begin()
            self._ends.append((time.monotonic() + fault.seconds, end))
        self.last_at = time.monotonic()

    def end_outages(self, *, all_of_them: bool = False) -> None:
        """End the outages that have lasted long enough."""
        now = time.monotonic()
        over = [each for each in self._ends if all_of_them or each[0] <= now]
        for each in over:
            each[1]()
            self._ends.remove(each)
            self.last_at = time.monotonic()

    def _kill(self, what: str) -> None:
        role = what
        if what == "tick":
            self._wait_for_a_claim()
            role = "code"
        elif what == "portal":
            self._wait_for_a_sender()
        victim = self._victim(role)
        with contextlib.suppress(psutil.NoSuchProcess):
            victim.kill()
            self.kills += 1

    def _victim(self, role: str) -> psutil.Process:
        """Return somebody of that role, once there is one."""
        for _ in _until(_VICTIM_SECONDS):
            self.end_outages()  # for it may be one that keeps everybody away
            found = self.running.processes().get(role)
            if found:
                return self._chance.choice(found)
        raise RuntimeError(f"nobody is {role}; {self.running.log}")

    def _wait_for_a_claim(self) -> None:
        """Wait until the sensor has just begun to take something in."""
        claims = self.running.incoming / ".claims"
        for _ in _until(_TICK_SECONDS, 0.001):
            if claims.is_dir() and any(e.name[0] != "." for e in claims.iterdir()):
                return

    def _wait_for_a_sender(self) -> None:
        """Wait until somebody sends a file in the portal, and a little more."""
        for _ in _until(_SENDING_SECONDS, 0.01):
            if self.is_sending():
                time.sleep(self._chance.uniform(0, _MOST_INTO_A_REQUEST))
                return


def _until(seconds: float, pause: float = 0.05) -> Iterator[None]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        yield
        time.sleep(pause)


def last_of(faults: Sequence[Fault]) -> float:
    """Return when the last one is over."""
    return max((each.at + each.seconds for each in faults), default=0.0)
