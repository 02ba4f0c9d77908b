"""How recipients use their invitations: set a password, register, see the status.

A person who gets no answer opens the home page again: it says whether the
registration was sent.  If not, the person goes on where the form was left.
"""

import random
import re
import threading
import time
from dataclasses import dataclass, field

import requests

from benchmarks import visitors
from tests.answers import ANSWERS
from tests.chaos import asking, mail

_SHARE = 0.15
_LINK = re.compile(r"http://[^/\s]+(/set-password/\S+/)")
_HOME, _FORM = "/me/", "/me/registration/"
_ENDED, _WRONG = 410, 422
_GIVE_UP_SECONDS = 60
"""How long a link is tried that does not work: a message that is repeated after a
crash has another one."""


class _LinkEndedError(Exception):
    """No link works, and no password was set with one before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registrant:
    """Somebody with an invitation, and the line of the address that is typed."""

    username: str
    email: str
    address: str


@dataclass(kw_only=True)
class Registrants:
    """Everybody who uses an invitation at the moment.

    Attributes:
        asked: How often they had to ask.
        letters: The messages that the mail server has taken; there will be more.
        seed: Who uses an invitation.
        most: How many do so at most.
        enrolled: Whom the page has told "Enrolled".
        ended: Whose links did not work.
        problems: What went wrong.
    """

    asked: asking.Asking
    letters: list[mail.Letter]
    seed: int
    most: int
    enrolled: list[Registrant] = field(default_factory=list)
    ended: list[Registrant] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)
    _seen: int = 0
    _known: set[str] = field(default_factory=set)
    _chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        """Let the same seed choose the same people."""
        self._chance = random.Random(self.seed)

    def look(self) -> None:
        """Let some of those begin who have got an invitation since the last look."""
        while self._seen < len(self.letters) and len(self._threads) < self.most:
            letter = self.letters[self._seen]
            self._seen += 1
            username = letter.fact("Your username")
            if letter.subject != mail.WELCOME or username in self._known:
                continue
            if username is not None and self._chance.random() < _SHARE:
                self._known.add(username)
                self._begin(username, letter.to)

    @property
    def are_busy(self) -> bool:
        """Return whether anybody does something now."""
        return any(thread.is_alive() for thread in self._threads)

    def wait(self) -> None:
        """Wait until all have finished; nobody may be missing in the end."""
        for thread in self._threads:
            thread.join()
        finished = [*self.enrolled, *self.ended]
        if missing := self._known - {each.username for each in finished}:
            self.problems.append(f"nobody knows what came of {len(missing)} people")

    def _begin(self, username: str, email: str) -> None:
        nth = len(self._threads) + 1
        somebody = Registrant(
            username=username, email=email, address=f"{nth} Canary Lane"
        )
        visitor = visitors.Visitor(url=self.asked.url, username=username)
        # Limits count the requests of one network address; each person has another.
        visitor.session.headers["X-Forwarded-For"] = f"10.1.{nth >> 8}.{nth & 255}"
        thread = threading.Thread(target=self._enrol, args=(visitor, somebody))
        thread.start()
        self._threads.append(thread)

    def _enrol(self, visitor: visitors.Visitor, somebody: Registrant) -> None:
        try:
            self._set_password(visitor, somebody)
            repeat = self.asked.repeat
            repeat(lambda: self._register(visitor, somebody), f"{_FORM}complete/")
            page = repeat(lambda: visitor.get(_HOME), _HOME)
        except _LinkEndedError:
            self.ended.append(somebody)
        except asking.NotAnsweredError:
            self.problems.append(f"{somebody.username}: could not register")
        else:
            if not _is_enrolled(page):
                self.problems.append(f"{somebody.username}: sent, and not enrolled")
            self.enrolled.append(somebody)

    def _set_password(self, visitor: visitors.Visitor, somebody: Registrant) -> None:
        first_refused: list[float] = []

        def use_link() -> requests.Response:
            try:
                page = visitor.get(self._find_link(somebody))
            except visitors.PortalError as error:
                if error.status != _ENDED:
                    raise
                return self._try_password(visitor, first_refused)
            word = visitors.PASSWORD
            typed = {"username": somebody.username, "password": word, "again": word}
            return visitor.post("/set-password/", page, **typed)

        self.asked.repeat(use_link, _HOME)

    def _try_password(
        self, visitor: visitors.Visitor, first_refused: list[float]
    ) -> requests.Response:
        """Log in: the password may have been set, and the answer lost."""
        try:
            visitor.log_in()
            return visitor.get(_HOME)
        except visitors.PortalError as error:
            if error.status != _WRONG:
                raise
            first_refused.append(time.monotonic())
            if first_refused[-1] - first_refused[0] > _GIVE_UP_SECONDS:
                raise _LinkEndedError from None
            time.sleep(_GIVE_UP_SECONDS / 4)  # guesses are limited
            raise

    def _find_link(self, somebody: Registrant) -> str:
        """Return the path of the last link that went to somebody."""
        texts = [
            letter.text
            for letter in self.letters
            if letter.to == somebody.email
            and letter.fact("Your username") == somebody.username
        ]
        return _LINK.findall(texts[-1])[0]

    def _register(
        self, visitor: visitors.Visitor, somebody: Registrant
    ) -> requests.Response:
        """Go on where the form is, to its end; what the home page says must be so."""
        home = visitor.get(_HOME)
        if "/login/" in home.url:
            visitor.log_in()
            home = visitor.get(_HOME)
        page = visitor.get(_FORM)
        if page.url.endswith("/answers/"):
            return visitor.get(f"{_FORM}complete/")
        if _is_enrolled(home):
            self.problems.append(f"{somebody.username}: enrolled, and asked again")
        return fill_in(visitor, page, somebody.address)


def fill_in(
    visitor: visitors.Visitor, page: requests.Response, address: str
) -> requests.Response:
    """Go through the form from the step that a page shows; return its end."""
    if page.url.endswith("/introduction/"):
        page = visitor.post(f"{_FORM}introduction/", page, action="next")
    if page.url.endswith("/detail/"):
        typed = {**ANSWERS, "address_1": address, "language": "english"}
        typed["action"] = "next"
        page = visitor.post(f"{_FORM}detail/", page, **typed)
    version = visitors.find_hidden(page, "version") or ""
    send = {"action": "send", "version": version}
    return visitor.post(f"{_FORM}confirmation/", page, **send)


def _is_enrolled(home: requests.Response) -> bool:
    return ">Enrolled</span>" in home.text
