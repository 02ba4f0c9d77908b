"""Asking the portal again until there is an answer, as a person does who gets none."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import requests

from benchmarks import visitors

_MOST_SECONDS = 300
_AGAIN_SECONDS = 0.5
_FAULT = 500  # an error that nobody has foreseen


class NotAnsweredError(Exception):
    """There was no answer as it should be, however often it was asked for."""


@dataclass(kw_only=True)
class Asking:
    """How often people had to ask.

    Attributes:
        url: Where the portal is.
        repeated: How often something was asked for again.
        faults: How often the portal has answered with an error of its own.
    """

    url: str
    repeated: int = 0
    faults: int = 0

    def repeat(
        self, ask: Callable[[], requests.Response], leads_to: str
    ) -> requests.Response:
        """Ask until the page is there that this leads to.

        Raises:
            NotAnsweredError: If it is not there after five minutes.
        """
        deadline = time.monotonic() + _MOST_SECONDS
        while time.monotonic() < deadline:
            try:
                answer = ask()
                if answer.url.startswith(self.url + leads_to):
                    return answer
            except visitors.PortalError as error:
                self.faults += error.status == _FAULT
            except requests.RequestException:
                pass  # the portal is away
            self.repeated += 1
            time.sleep(_AGAIN_SECONDS)
        raise NotAnsweredError
