"""How providers send a file in the portal: log in, review, Create Records, High Volume.

A person who gets no answer, or a page that says that something has failed, sends the
same form again, with the same key, until there is an answer.  The content is `plan`.
"""

import random
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import requests

from benchmarks import visitors
from tests.chaos import asking, plan


@dataclass(kw_only=True)
class Senders:
    """Everybody who is sending something at the moment.

    Attributes:
        asked: How often they had to ask.
        accounts: The usernames of each provider that sends in the portal.
        seed: Which of them sends a file.
        problems: What could not be sent.
    """

    asked: asking.Asking
    accounts: Mapping[str, Sequence[str]]
    seed: int
    problems: list[str] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)
    _chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        """Make its luck."""
        self._chance = random.Random(self.seed)

    def start(self, drop: plan.Drop) -> None:
        """Let somebody send the file, beside everybody else."""
        username = self._chance.choice(self.accounts[drop.slug])
        visitor = visitors.Visitor(url=self.asked.url, username=username)
        thread = threading.Thread(target=self._send, args=(visitor, drop))
        thread.start()
        self._threads.append(thread)

    @property
    def are_sending(self) -> bool:
        """Return whether anybody sends something now."""
        return any(thread.is_alive() for thread in self._threads)

    def wait(self) -> None:
        """Wait until all have finished."""
        for thread in self._threads:
            thread.join()

    def _send(self, visitor: visitors.Visitor, drop: plan.Drop) -> None:
        file = {"file": (drop.name, drop.data, "text/csv")}
        try:
            if drop.lane == plan.HIGH:
                form = self._open(visitor, "/bulk/high-volume/")
                self._press(visitor, "/bulk/high-volume/", "/uploads/", form, file)
                return
            form = self._open(visitor, "/bulk/")
            review = self._press(visitor, "/bulk/", "/bulk/review/", form, file)
            create = f"{review.url.removeprefix(self.asked.url)}create/"
            self._press(visitor, create, "/bulk/sent/", review)
        except asking.NotAnsweredError:
            self.problems.append(f"{drop.name}: could not be sent in the portal")

    def _open(self, visitor: visitors.Visitor, path: str) -> requests.Response:
        """Log in, and open a page."""

        def log_in() -> requests.Response:
            visitor.log_in()
            return visitor.get(path)

        return self.asked.repeat(log_in, path)

    def _press(
        self,
        visitor: visitors.Visitor,
        path: str,
        leads_to: str,
        form: requests.Response,
        files: Any = None,
    ) -> requests.Response:
        """Send a form until the page is there that it leads to."""
        typed = {
            name: found
            for name in ("key", "seen")
            if (found := visitors.find_hidden(form, name)) is not None
        }
        return self.asked.repeat(
            lambda: visitor.post(path, form, files=files, **typed), leads_to
        )


def set_password(url: str, link: str, username: str) -> None:
    """Set the password of an account by its link, as its owner does."""
    visitor = visitors.Visitor(url=url, username=username)
    page = visitor.get("/" + link.split("/", 3)[3])
    word = visitors.PASSWORD
    visitor.post("/accounts/set-password/", page, password=word, again=word)
