"""How far recipients are, in the words of the list, its filter and their pages."""

from collections.abc import Mapping, Sequence

from cvms_pipeline.domain.vocabulary import refusal_codes, steps

Step = steps.Step

_WORDS: Mapping[Step, tuple[str, str]] = {
    Step.WAITING: ("Waiting to be sent", "info"),
    Step.SENT: ("Sent", "info"),
    Step.REFUSED: ("Refused by the mail server", "bad"),
    Step.DENIED: ("Wrong person", "bad"),
    Step.PASSWORD_SET: ("Password set", "good"),
    Step.REGISTERED: ("Registered", "good"),
    Step.WITHDRAWN: ("Not sent", "info"),
    Step.NONE: ("None", "info"),
}
_FILTERED = (
    *(Step.WAITING, Step.SENT, Step.REFUSED, Step.DENIED),
    *(Step.PASSWORD_SET, Step.REGISTERED),
)
DENIED = "somebody who got the invitation has said that it is not them"


def describe(step: Step) -> tuple[str, str]:
    """Return the words for a step, and how they look."""
    return _WORDS[step]


def list_choices() -> Sequence[tuple[str, str]]:
    """Return what a list can be filtered by, with the words for it."""
    return [("", "Any"), *((step.value, _WORDS[step][0]) for step in _FILTERED)]


def describe_why(error: str | None) -> str:
    """Return why an address is to be corrected; the error is the mail server's."""
    return DENIED if error is None else refusal_codes.describe_refusal(error)
