"""Who uploads: a provider's facts and what each of them must look like.

Only the value and its rules; the registry is `store.providers`, the folders are
`files.incoming`.
"""

import datetime as dt
import re
from dataclasses import dataclass

from cvms_pipeline import errors
from cvms_pipeline.domain import upload

GENERIC_PIN = "VAC2021"
"""The VFC PIN of a provider that has none of its own."""

_PIN = re.compile(rf"NCA[0-9]{{6}}|{GENERIC_PIN}")
_EMAIL = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s,;<>]+")


class ProviderInvalid(errors.PermanentError):
    """A provider's facts cannot be used."""


class SlugInvalid(ProviderInvalid):
    """The slug must be lower-case letters, digits and hyphens: mercy-hospital."""


class NameInvalid(ProviderInvalid):
    """The name must be one line of text: Mercy Hospital."""


class PinInvalid(ProviderInvalid):
    """The VFC PIN must be NCA and 6 digits, such as NCA123456, or VAC2021."""


class EmailsInvalid(ProviderInvalid):
    """A provider needs at least one contact address: staff@example.org."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """An organisation that uploads.

    Attributes:
        slug: What it is called in folders and commands.
        name: What people call it.
        vfc_pin: `NCA` and 6 digits, or `VAC2021`.
        emails: Its contact addresses, at least one.
        is_enabled: Whether its uploads are taken.
        created_at: When it was added.

    Raises:
        ProviderInvalid: One of the four subclasses, by the fact that is wrong.
    """

    slug: str
    name: str
    vfc_pin: str
    emails: tuple[str, ...]
    is_enabled: bool = True
    created_at: dt.datetime

    def __post_init__(self) -> None:
        """Check each fact."""
        if not upload.is_slug(self.slug):
            raise SlugInvalid
        if not self.name.strip() or not self.name.isprintable():
            raise NameInvalid
        if not _PIN.fullmatch(self.vfc_pin):
            raise PinInvalid
        if not self.emails or not all(map(_EMAIL.fullmatch, self.emails)):
            raise EmailsInvalid
