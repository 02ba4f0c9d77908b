"""The stream of uploads: files are dropped, error reports corrected, people enrolled.

The speed depends on what waits: providers drop a file when earlier ones have been
claimed, so that a run is long because there is much to do, not because it waits.
"""

import contextlib
import random
import threading
import time

import psycopg2

from tests.chaos import asking, installation, plan, registrants, senders, writers

_MOST_WAITING = 12
_MEND_SHARE = 0.5
_REGISTRANTS_SHARE = 0.3
_PAUSE_SECONDS = 0.2
_COUNT = """
SELECT count(*) AS count FROM cvms.uploads AS upload
WHERE status IN ('completed', 'completed_with_errors', 'refused') AND NOT EXISTS (
    SELECT FROM cvms.messages AS message
    WHERE message.upload_id = upload.id AND message.status = 'waiting'
)
"""


class Stream:
    """Drops `uploads` files in all, corrected error reports among them."""

    def __init__(
        self, running: installation.Installation, *, seed: int, uploads: int
    ) -> None:
        """Take the installation; nothing is dropped yet."""
        self.drops: dict[str, plan.Drop] = {}
        self._running = running
        self._uploads = uploads
        self._dealer = plan.Dealer(seed)
        self._chance = random.Random(seed + 1)
        self._writers = writers.Writers(running.incoming, seed + 2)
        self.asked = asking.Asking(url=running.portal)
        self.senders = senders.Senders(
            asked=self.asked, accounts=running.accounts, seed=seed + 3
        )
        self.registrants = registrants.Registrants(
            asked=self.asked,
            letters=running.server.letters,
            seed=seed + 4,
            most=max(1, round(uploads * _REGISTRANTS_SHARE)),
        )
        self._answered: set[str] = set()
        self._thread = threading.Thread(target=self._flow, daemon=True)

    def start(self, seconds: float) -> None:
        """Begin; the last file is dropped after so many seconds, or when it can be."""
        self._started, self._seconds = time.monotonic(), seconds
        self._pause = seconds / self._uploads
        self._thread.start()

    @property
    def progress(self) -> float:
        """Return the share of what is to be dropped and of the time for it, the less.

        Faults keep to it, so that they strike among uploads, however slow they are.
        """
        passed = (time.monotonic() - self._started) / self._seconds
        return min(1.0, passed, len(self.drops) / self._uploads)

    @property
    def is_over(self) -> bool:
        """Return whether everything was dropped or sent, and nobody registers."""
        return not (self._thread.is_alive() or self.are_at_work)

    @property
    def are_at_work(self) -> bool:
        """Return whether anybody sends a file or registers in the portal now."""
        return self.senders.are_sending or self.registrants.are_busy

    def stop(self) -> None:
        """Drop nothing more, and wait until everything has been written."""
        self._uploads = len(self.drops)
        self._thread.join()
        self._writers.wait()
        self.senders.wait()
        self.registrants.wait()

    def _flow(self) -> None:
        finished = 0
        while len(self.drops) < self._uploads:
            with contextlib.suppress(psycopg2.Error, OSError):
                finished = int(self._running.rows(_COUNT)[0]["count"])
            self.registrants.look()
            is_due = time.monotonic() - self._started >= len(self.drops) * self._pause
            if is_due and len(self.drops) - finished < _MOST_WAITING:
                self._answer_reports()
                self._drop(self._dealer.deal())
            else:
                time.sleep(_PAUSE_SECONDS)

    def _answer_reports(self) -> None:
        """Let some providers correct the error reports that they have got."""
        for path in sorted(self._running.incoming.glob("*/results/*/BulkError.csv")):
            name, _, _ = path.parent.name.partition("-20")
            drop = self.drops.get(f"{name}.csv")
            if drop is None or drop.name in self._answered:
                continue
            self._answered.add(drop.name)
            if (
                self._chance.random() < _MEND_SHARE
                and len(self.drops) < self._uploads - 1
            ):
                mended = self._dealer.mend(drop, path.read_bytes())
                if mended is not None:
                    self._drop(mended)

    def _drop(self, drop: plan.Drop) -> None:
        if len(self.drops) < self._uploads:
            self.drops[drop.name] = drop
            is_sent = drop.habit == plan.PORTAL
            (self.senders if is_sent else self._writers).start(drop)
