"""The COVID-19 Vaccination Registration: its steps, fields, choices and rules.

Only values; the form is the portal's, and what was answered is kept by
`store.recipient_access.registrations`.  Choices have a code, which is stored, and words
in each language.
"""

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from cvms_pipeline.domain.vocabulary import programme

Language = programme.Language
_ENGLISH, _SPANISH = Language.ENGLISH, Language.SPANISH
Choices = Mapping[str, Mapping[Language, str]]

MAX_LENGTH = 200
"""How many characters an answer that is typed may have."""

_SAID_NOTHING = "unspecified"
_PHONE = re.compile(r"[0-9 ().+\-]*")
_PHONE_DIGITS = 10
_COUNTRY_CODE = "1"


class Step(enum.StrEnum):
    """A step of the form, in order."""

    INTRODUCTION = "introduction"
    DETAIL = "detail"  # Contact and Demographic Detail
    CONFIRMATION = "confirmation"


class Fault(enum.StrEnum):
    """What is wrong with an answer."""

    MISSING = "missing"
    TOO_LONG = "too-long"
    NO_PHONE = "no-phone"
    NO_ZIP = "no-zip"
    NO_CHOICE = "no-choice"


def _choices(*rows: tuple[str, str, str]) -> Choices:
    return {
        code: {_ENGLISH: english, _SPANISH: spanish} for code, english, spanish in rows
    }


SEXES = _choices(
    ("female", "Female", "Femenino"),
    ("male", "Male", "Masculino"),
    ("other", "Other", "Otro"),
    (_SAID_NOTHING, "Prefer not to say", "Prefiero no decirlo"),
)
RACES = _choices(
    (
        "american_indian",
        "American Indian or Alaska Native",
        "Indígena de las Américas o nativo de Alaska",
    ),
    ("asian", "Asian", "Asiática"),
    ("black", "Black or African American", "Negra o afroamericana"),
    (
        "pacific_islander",
        "Native Hawaiian or Pacific Islander",
        "Nativa de Hawái o de las islas del Pacífico",
    ),
    ("white", "White", "Blanca"),
    ("other", "Other", "Otra"),
    (_SAID_NOTHING, "Prefer not to say", "Prefiero no decirlo"),
)
ETHNICITIES = _choices(
    ("hispanic", "Hispanic or Latino", "Hispano o latino"),
    ("not_hispanic", "Not Hispanic or Latino", "No hispano ni latino"),
    (_SAID_NOTHING, "Prefer not to say", "Prefiero no decirlo"),
)
LANGUAGES = _choices(
    ("english", "English", "Inglés"),
    ("spanish", "Spanish", "Español"),
    ("other", "Another language", "Otro idioma"),
)
_STATES = (
    "AL Alabama|AK Alaska|AZ Arizona|AR Arkansas|CA California|CO Colorado|"
    "CT Connecticut|DE Delaware|DC District of Columbia|FL Florida|GA Georgia|"
    "HI Hawaii|ID Idaho|IL Illinois|IN Indiana|IA Iowa|KS Kansas|KY Kentucky|"
    "LA Louisiana|ME Maine|MD Maryland|MA Massachusetts|MI Michigan|MN Minnesota|"
    "MS Mississippi|MO Missouri|MT Montana|NE Nebraska|NV Nevada|NH New Hampshire|"
    "NJ New Jersey|NM New Mexico|NY New York|NC North Carolina|ND North Dakota|"
    "OH Ohio|OK Oklahoma|OR Oregon|PA Pennsylvania|PR Puerto Rico|RI Rhode Island|"
    "SC South Carolina|SD South Dakota|TN Tennessee|TX Texas|UT Utah|VT Vermont|"
    "VA Virginia|WA Washington|WV West Virginia|WI Wisconsin|WY Wyoming"
)
STATES: Mapping[str, str] = {row[:2]: row[3:] for row in _STATES.split("|")}
"""The states by their postal codes; their names are the same in Spanish."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What a recipient has answered; choices by their codes.

    Attributes:
        races: One or more codes of `RACES`.
        language: The language that the recipient prefers to speak.
        vaccine_group: The group's name in English, as the settings have it.
    """

    phone: str = field(repr=False)
    address_1: str = field(repr=False)
    address_2: str = field(default="", repr=False)
    city: str = field(repr=False)
    state: str = field(repr=False)
    zip: str = field(repr=False)
    county: str = field(repr=False)
    sex: str = field(repr=False)
    races: tuple[str, ...] = field(repr=False)
    ethnicity: str = field(repr=False)
    language: str = field(repr=False)
    vaccine_group: str = field(repr=False)


FIELDS = tuple(each.name for each in fields(Answers))
"""The names of all answers, in the order of the form."""

REQUIRED = tuple(name for name in FIELDS if name != "address_2")

_CHOICES: Mapping[str, Mapping[str, object]] = {
    "state": STATES,
    "sex": SEXES,
    "ethnicity": ETHNICITIES,
    "language": LANGUAGES,
}


def normalise_phone(text: str) -> str | None:
    """Return a phone number of the United States as 919-555-0123, or None."""
    digits = "".join(char for char in text if char.isdigit())
    if len(digits) == _PHONE_DIGITS + 1 and digits.startswith(_COUNTRY_CODE):
        digits = digits[1:]
    if not _PHONE.fullmatch(text) or len(digits) != _PHONE_DIGITS:
        return None
    return f"{digits[:3]}-{digits[3:6]}-{digits[6:]}"


def normalise_zip(text: str) -> str | None:
    """Return a ZIP code as 27701 or 27701-1234, or None."""
    found = re.fullmatch(r"\s*([0-9]{5})(?:[\s-]*([0-9]{4}))?\s*", text)
    if found is None:
        return None
    return found[1] if found[2] is None else f"{found[1]}-{found[2]}"


def clean(answers: Mapping[str, object], chosen: programme.Programme) -> Answers:
    """Return answers as they are stored.

    Args:
        answers: The texts by the names of `FIELDS`; `races` is a list of codes.
        chosen: The groups and counties that there are.

    Raises:
        ValueError: If `find_faults` finds something.
    """
    if faults := find_faults(answers, chosen):
        raise ValueError(
            ", ".join(f"{name}: {fault}" for name, fault in faults.items())
        )
    texts = {name: _read(answers, name) for name in FIELDS if name != "races"}
    texts["phone"] = normalise_phone(texts["phone"]) or ""
    texts["zip"] = normalise_zip(texts["zip"]) or ""
    return Answers(**texts, races=_list_races(answers))


def find_faults(
    answers: Mapping[str, object], chosen: programme.Programme
) -> Mapping[str, Fault]:
    """Return what is wrong with the answers, by their names; no answer is repeated."""
    found = {name: _find_fault(name, answers, chosen) for name in FIELDS}
    return {name: fault for name, fault in found.items() if fault is not None}


def _find_fault(
    name: str, answers: Mapping[str, object], chosen: programme.Programme
) -> Fault | None:
    if name == "races":
        races = _list_races(answers)
        known = all(each in RACES for each in races)
        return (None if known else Fault.NO_CHOICE) if races else Fault.MISSING
    text = _read(answers, name)
    if not text:
        return Fault.MISSING if name in REQUIRED else None
    if len(text) > MAX_LENGTH or not text.isprintable():
        return Fault.TOO_LONG
    if name == "phone":
        return None if normalise_phone(text) else Fault.NO_PHONE
    if name == "zip":
        return None if normalise_zip(text) else Fault.NO_ZIP
    choices = _list_choices(name, chosen)
    return Fault.NO_CHOICE if choices and text not in choices else None


def _list_choices(name: str, chosen: programme.Programme) -> tuple[str, ...]:
    """Return what may be chosen; nothing if it is typed."""
    if name == "vaccine_group":
        return chosen.groups[_ENGLISH]
    return chosen.counties if name == "county" else tuple(_CHOICES.get(name, ()))


def _read(answers: Mapping[str, object], name: str) -> str:
    return str(answers.get(name) or "").strip()


def _list_races(answers: Mapping[str, object]) -> tuple[str, ...]:
    given = answers.get("races") or ()
    found = [str(each) for each in given] if isinstance(given, list | tuple) else []
    return tuple(dict.fromkeys(found))
