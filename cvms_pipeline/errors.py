"""The error tree: the class says whether a retry can help, `backoff` after how long.

Only the classes that every layer shares are here; an error that one module raises is
a two-line subclass in that module.  A rejected row is data, never an exception.  The
first line of a class's docstring is its default message.
"""

import datetime as dt

_MAX_DOUBLINGS = 20
"""A million times the first wait: more would overflow a `timedelta`."""


class CvmsError(Exception):
    """Something went wrong in the bulk upload."""

    def __init__(self, message: str = "") -> None:
        """Use `message`, or the first line of the class's docstring."""
        super().__init__(message or (self.__doc__ or "").strip().partition("\n")[0])


class TransientError(CvmsError):
    """Something outside is away for the moment; trying again can help."""


class PermanentError(CvmsError):
    """Something is wrong that trying again will not correct."""


def backoff(
    attempt: int, *, first: dt.timedelta, longest: dt.timedelta, growth: float = 2.0
) -> dt.timedelta:
    """Return the wait before the next attempt: it grows each time, up to a limit.

    Everything in this package that retries with growing waits uses this; who retries
    what is in the table of docs/architecture.md.

    Args:
        attempt: The number of retries before this one; 0 gives `first`.
        first: The shortest wait.
        longest: The limit.
        growth: By which factor each wait is longer than the one before.
    """
    grown: dt.timedelta = first * growth ** min(attempt, _MAX_DOUBLINGS)
    return min(grown, longest)
