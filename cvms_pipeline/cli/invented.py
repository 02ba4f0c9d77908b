"""Invented people: the names, birth dates and addresses of the sample files.

Nobody real is among them; mail to example.org goes nowhere.  Which files they
fill is `samples`.
"""

import datetime as dt
from dataclasses import dataclass, replace

_DAY_ONE = dt.date(1940, 1, 1)
_EPOCH = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
_CONSONANTS, _VOWELS = "bdfghjklmnprstv", "aeiou"
_SYLLABLES = 5

_GIVEN = (
    *("Ada", "Bela", "Carys", "Dov", "Edda", "Farid", "Greta", "Hugo", "Ines", "Jonas"),
    *("Kaya", "Lev", "Mira", "Nils", "Orla", "Pavel", "Runa", "Soren", "Tova", "Ugo"),
)
_FAMILY = (
    *("Abernethy", "Brightwater", "Coldwell", "Dunmore", "Eastlake"),
    *("Fairbank", "Greenhollow", "Hartsfield", "Ironwood", "Juniper"),
    *("Kestrel", "Longmeadow", "Millbrook", "Northgate", "Oakhurst"),
    *("Pinecrest", "Quarrington", "Redfern", "Stonebridge", "Thornbury"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody invented, as the cells of a row hold them."""

    first_name: str
    last_name: str
    birth_date: str
    email: str

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """Return the cells in the order of the template."""
        return self.first_name, self.last_name, self.birth_date, self.email

    def but(self, **changes: str) -> "Person":
        """Return the person with other cells."""
        return replace(self, **changes)


def person(first: str, last: str, born: str, address: str, edition: str) -> Person:
    """Return somebody of one edition.

    Args:
        first: The first name.
        last: The last name, to which the edition's word is added.
        born: The birth date as it is written.
        address: What the e-mail address begins with.
        edition: A word that makes the people of each run of the demonstration
            new ones; empty in the committed files.
    """
    tag = f".{edition.lower()}" if edition else ""
    return Person(
        first_name=first,
        last_name=f"{last}-{edition}" if edition else last,
        birth_date=born,
        email=f"{address}{tag}@example.org",
    )


def many(count: int, edition: str) -> list[Person]:
    """Return `count` people, no two of them alike."""
    return [_numbered(number, edition) for number in range(count)]


def _numbered(number: int, edition: str) -> Person:
    first = _GIVEN[number % len(_GIVEN)]
    last = _FAMILY[number // len(_GIVEN) % len(_FAMILY)]
    born = _DAY_ONE + dt.timedelta(days=number)
    address = f"{first}.{last}.{number + 1}".lower()
    return person(first, last, f"{born.month}/{born.day}/{born.year}", address, edition)


def edition(moment: dt.datetime) -> str:
    """Return a word that could be a family name; another one each second."""
    seconds = int((moment - _EPOCH).total_seconds())
    syllables = []
    for _ in range(_SYLLABLES):
        seconds, consonant = divmod(seconds, len(_CONSONANTS))
        seconds, vowel = divmod(seconds, len(_VOWELS))
        syllables.append(_CONSONANTS[consonant] + _VOWELS[vowel])
    return "".join(syllables).capitalize()
