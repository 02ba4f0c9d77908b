"""Who uploads: a provider's facts, and the form that each must have.

Only the value and its rules; the registry is `store.providers`, the folders are
`files.incoming`.
"""

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cvms_pipeline import errors
from cvms_pipeline.domain.vocabulary import upload

GENERIC_PIN = "VAC2021"
"""The VFC PIN of a provider that has none of its own."""

_PIN = re.compile(rf"NCA[0-9]{{6}}|{GENERIC_PIN}")
_EMAIL = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s,;<>]+")


class ProviderInvalid(errors.PermanentError):
    """A provider's facts cannot be used."""


class SlugInvalid(ProviderInvalid):
    """The slug must be lower-case letters, digits and hyphens: mercy-hospital."""


class NameInvalid(ProviderInvalid):
    """The name (--name) must be one line of text: Mercy Hospital."""


class PinInvalid(ProviderInvalid):
    """The VFC PIN (--pin) must be NCA and 6 digits, such as NCA123456, or VAC2021."""


class EmailsInvalid(ProviderInvalid):
    """A provider needs at least one contact address (--email): staff@example.org."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """An organisation that uploads.

    Attributes:
        slug: Its name in folders and commands.
        name: Its name in messages.
        vfc_pin: `NCA` and 6 digits, or `VAC2021`.
        emails: Its contact addresses, at least one.
        is_enabled: Whether its uploads are processed.

    Raises:
        ProviderInvalid: The subclass for the fact that is wrong; if several are, the
            class itself with a line for each.  No message repeats a value.
    """

    slug: str
    name: str
    vfc_pin: str
    emails: tuple[str, ...]
    is_enabled: bool = True
    created_at: dt.datetime

    def __post_init__(self) -> None:
        """Check each fact."""
        wrong = [*self._wrong_facts(), *_wrong_emails(self.emails)]
        if len(wrong) > 1:
            raise ProviderInvalid("\n".join(map(str, wrong)))
        if wrong:
            raise wrong[0]

    def _wrong_facts(self) -> Iterator[ProviderInvalid]:
        if not upload.is_slug(self.slug):
            yield SlugInvalid()
        if not self.name.strip() or not self.name.isprintable():
            yield NameInvalid()
        if not is_vfc_pin(self.vfc_pin):
            yield PinInvalid()


def is_vfc_pin(text: str) -> bool:
    """Return whether `text` is written like a VFC PIN."""
    return _PIN.fullmatch(text) is not None


def is_email(text: str) -> bool:
    """Return whether `text` is written like an e-mail address."""
    return _EMAIL.fullmatch(text) is not None


def _wrong_emails(emails: Sequence[str]) -> Iterator[ProviderInvalid]:
    if not emails:
        yield EmailsInvalid()
    for number, email in enumerate(emails, 1):
        if not is_email(email):
            place = f" in place {number}" if len(emails) > 1 else ""
            yield EmailsInvalid(
                f"What --email names{place} is no e-mail address; write it like"
                " staff@example.org."
            )
