"""Invented uploads: as many rows as asked for, a share of them wrong.

Every number `seed` gives other people, and always the same ones.  A few names have
accents, hyphens and apostrophes, as real ones have.
"""

import random
from collections.abc import Callable, Sequence

HEADER = "First name,Last name,Date of birth,Email"
TODAY_YEAR = 2025
"""No invented birth date is later."""

Row = tuple[str, str, str, str]

_STARTS = [first + second for first in "ABCDEGHJKLMNPRSTW" for second in "aeio"]
_MIDDLES = [first + second for first in "lmnrstv" for second in "aeio"]
_ENDS = (
    "a",
    "beth",
    "da",
    "el",
    "en",
    "ette",
    "ia",
    "in",
    "na",
    "on",
    "son",
    "th",
    "y",
)
_ODD = ("José", "Zoë", "Anne-Marie", "Renée", "Siân", "D'Arcy", "Nuñez", "Łukasz")
_ODD_SHARE = 0.02


def _without_required(row: Row) -> Row:
    return (row[0], "", "", row[3])


def _with_odd_name(row: Row) -> Row:
    return (row[0] + "#", *row[1:])


def _with_odd_date(row: Row) -> Row:
    return (*row[:2], row[2] + "5", row[3])


def _with_odd_email(row: Row) -> Row:
    return (*row[:3], row[3].replace("@", " at "))


def _with_two_reasons(row: Row) -> Row:
    return _with_odd_email(_with_odd_date(row))


_DEFECTS: Sequence[Callable[[Row], Row]] = (
    _without_required,
    _with_odd_name,
    _with_odd_date,
    _with_odd_email,
    _with_two_reasons,
)


def upload(count: int, *, rejected_percent: int, seed: int) -> bytes:
    """Return an upload of `count` rows, of which so many per cent get a reason."""
    rows = people(count, seed=seed)
    for nth, at in enumerate(rejected_rows(count, rejected_percent)):
        rows[at] = _DEFECTS[nth % len(_DEFECTS)](rows[at])
    return "\r\n".join([HEADER, *map(",".join, rows), ""]).encode()


def rejected_rows(count: int, percent: int) -> list[int]:
    """Return which of `count` rows are wrong: spread evenly, from 0."""
    wrong = count * percent // 100
    return [nth * count // wrong for nth in range(wrong)]


def people(count: int, *, seed: int) -> list[Row]:
    """Return `count` people of whom no two have the same match key."""
    chance = random.Random(seed)
    return [_person(chance, f"{seed}-{nth}") for nth in range(count)]


def _person(chance: random.Random, number: str) -> Row:
    first, last = _name(chance, 1), _name(chance, 3)
    if chance.random() < _ODD_SHARE:
        first = chance.choice(_ODD)
    year = chance.randint(1925, TODAY_YEAR - 1)
    date = f"{chance.randint(1, 12):02}/{chance.randint(1, 28):02}/{year}"
    address = f"{first}.{last}.{number}".encode("ascii", "ignore").decode().lower()
    return (first, last, date, f"{address}@example.org")


def _name(chance: random.Random, middles: int) -> str:
    inside = "".join(chance.choices(_MIDDLES, k=middles))
    return chance.choice(_STARTS) + inside + chance.choice(_ENDS)
