"""The vaccination programme as recipients see it: its name, texts, groups and links.

Only the value and how it is read in a language; the settings are
`settings.programme`.
"""

import enum
from dataclasses import dataclass


class Language(enum.StrEnum):
    """A language that pages and messages for recipients are written in."""

    ENGLISH = "en"
    SPANISH = "es"


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """The programme, in each language.

    Attributes:
        names: What recipients call the portal.
        purposes: Whom the portal is for, in a sentence.
        groups: The vaccine groups; in each language as many, in the same order.
        group_url: Where people find out which group they belong to.
        location_url: Where people find a place to be vaccinated.
        counties: The counties that can be chosen; empty if they are typed.
    """

    names: dict[Language, str]
    purposes: dict[Language, str]
    groups: dict[Language, tuple[str, ...]]
    group_url: str
    location_url: str
    counties: tuple[str, ...]

    def list_groups(self, language: Language) -> list[tuple[str, str]]:
        """Return each group as it is stored, which is in English, and as it is shown.

        A group that was stored before the setting was changed is not among them.
        """
        stored = self.groups[Language.ENGLISH]
        return list(zip(stored, self.groups[language], strict=True))

    def describe_group(self, stored: str, language: Language) -> str:
        """Return a stored group as it is shown; as it is, if it is no more in use."""
        return dict(self.list_groups(language)).get(stored, stored)
