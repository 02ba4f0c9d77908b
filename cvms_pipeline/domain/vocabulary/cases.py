"""A case of the help desk: its kind, state, priority, number, and what happens to it.

Only values and the rules about them; `store.help_desk` keeps the cases.
"""

import enum
import re

MAX_TEXT = 10_000
"""How many characters a text of a case may have; a name has at most `MAX_NAME`."""

MAX_NAME = 200

_PREFIX = "VACHCP"
_NUMBER = re.compile(rf"\s*{_PREFIX}0*([1-9][0-9]{{0,11}})\s*", re.IGNORECASE)


class Kind(enum.StrEnum):
    """What is asked for."""

    BULK_UPLOAD = "bulk_upload"
    ONBOARDING = "onboarding"
    REMOVAL = "removal"
    WRONG_ADDRESS = "wrong_address"  # opened by "This is not me", not by a person

    @property
    def words(self) -> str:
        """Return how it is shown."""
        return _KINDS[self]


class State(enum.StrEnum):
    """How far a case is; staff may choose any but NEW."""

    NEW = "new"
    IN_PROGRESS = "in_progress"
    WAITING = "waiting_for_requester"
    RESOLVED = "resolved"
    CLOSED = "closed"

    @property
    def words(self) -> str:
        """Return how it is shown."""
        return self.value.replace("_", " ").capitalize()

    @property
    def is_open(self) -> bool:
        """Return whether something is still to be done."""
        return self not in (type(self).RESOLVED, type(self).CLOSED)

    @property
    def is_for_staff(self) -> bool:
        """Return whether staff have to do it."""
        return self in (type(self).NEW, type(self).IN_PROGRESS)


class Priority(enum.IntEnum):
    """How urgent a case is; 3 at first."""

    CRITICAL = 1
    HIGH = 2
    MODERATE = 3
    LOW = 4

    @property
    def words(self) -> str:
        """Return how it is shown."""
        return f"{self.value} {self.name.capitalize()}"


class Action(enum.StrEnum):
    """What happens to a case, as its activity lists it."""

    OPENED = "opened"
    REPLIED = "replied"
    NOTED = "noted"
    FILE_ADDED = "file_added"
    STATE_CHANGED = "state_changed"
    PRIORITY_CHANGED = "priority_changed"
    ASSIGNED = "assigned"
    LOADED = "loaded"
    PROVIDER_ADDED = "provider_added"
    ONBOARDING_REFUSED = "onboarding_refused"
    REMOVAL_ASKED = "removal_asked"
    REMOVED = "removed"


_KINDS = {
    Kind.BULK_UPLOAD: "Recipient Bulk Upload",
    Kind.ONBOARDING: "HCP Onboarding",
    Kind.REMOVAL: "Remove a recipient",
    Kind.WRONG_ADDRESS: "Wrong e-mail address",
}
ASKED = (Kind.BULK_UPLOAD, Kind.ONBOARDING, Kind.REMOVAL)
"""What a person may ask for."""


def format_number(number: int) -> str:
    """Return a case's number as it is written: `VACHCP0001015`."""
    return f"{_PREFIX}{number:07}"


def parse_number(text: str) -> int | None:
    """Return the number that `text` writes, in any case, or None."""
    found = _NUMBER.fullmatch(text)
    return int(found[1]) if found else None
