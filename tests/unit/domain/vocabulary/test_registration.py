"""The answers of the registration: which are required, and what each may be."""

import dataclasses

import pytest

from cvms_pipeline.domain.vocabulary import programme, registration

Fault = registration.Fault
ENGLISH, SPANISH = programme.Language
PROGRAMME = programme.Programme(
    names={},
    purposes={},
    groups={ENGLISH: ("Group 1", "Group 2"), SPANISH: ("Grupo 1", "Grupo 2")},
    group_url="https://group.example.org",
    location_url="https://spot.example.org",
    counties=(),
)
ANSWERS = {
    "phone": "(919) 555-0123",
    "address_1": "1 Main St",
    "address_2": "",
    "city": "Durham",
    "state": "NC",
    "zip": "277011234",
    "county": "Durham",
    "sex": "female",
    "races": ["white", "asian", "white"],
    "ethnicity": "hispanic",
    "language": "spanish",
    "vaccine_group": "Group 2",
}


def faults(**changes):
    return registration.find_faults({**ANSWERS, **changes}, PROGRAMME)


def test_answers_are_stored_in_one_form():
    answers = registration.clean({**ANSWERS, "city": " Durham "}, PROGRAMME)

    assert (answers.phone, answers.zip) == ("919-555-0123", "27701-1234")
    assert answers.races == ("white", "asian")
    assert answers.city == "Durham"
    assert "555" not in repr(answers)
    assert "white" not in repr(answers)


def test_everything_is_required_but_the_second_line_of_the_address():
    missing = registration.find_faults({}, PROGRAMME)

    assert set(missing) == set(registration.FIELDS) - {"address_2"}
    assert set(missing.values()) == {Fault.MISSING}


# An answer that cannot be used, and why.
WRONG = [
    ("phone", "555-0123", Fault.NO_PHONE),
    ("phone", "919-555-0123 ext. 4", Fault.NO_PHONE),
    ("phone", "2-919-555-0123", Fault.NO_PHONE),
    ("zip", "2770", Fault.NO_ZIP),
    ("zip", "27701-12", Fault.NO_ZIP),
    ("state", "XX", Fault.NO_CHOICE),
    ("sex", "f", Fault.NO_CHOICE),
    ("races", ["green"], Fault.NO_CHOICE),
    ("races", "white", Fault.MISSING),
    ("races", [], Fault.MISSING),
    ("vaccine_group", "Group 3", Fault.NO_CHOICE),
    ("vaccine_group", "Grupo 1", Fault.NO_CHOICE),
    ("city", "x" * 201, Fault.TOO_LONG),
    ("city", "Dur\nham", Fault.TOO_LONG),
    ("county", "  ", Fault.MISSING),
]


@pytest.mark.parametrize(("name", "answer", "fault"), WRONG)
def test_a_wrong_answer_is_named_with_its_fault(name, answer, fault):
    assert faults(**{name: answer}) == {name: fault}
    with pytest.raises(ValueError, match=name) as raised:
        registration.clean({**ANSWERS, name: answer}, PROGRAMME)
    assert str(answer) == "" or str(answer) not in str(raised.value)


@pytest.mark.parametrize(
    "typed", ["9195550123", "+1 919.555.0123", "1-919-555-0123", " 919 555 0123 "]
)
def test_a_phone_number_is_known_in_every_usual_form(typed):
    assert registration.normalise_phone(typed) == "919-555-0123"


def test_counties_that_are_listed_are_chosen():
    listed = dataclasses.replace(PROGRAMME, counties=("Durham", "Wake"))

    assert not registration.find_faults(ANSWERS, listed)
    other = {**ANSWERS, "county": "Orange"}
    assert registration.find_faults(other, listed) == {"county": Fault.NO_CHOICE}


def test_every_choice_has_words_in_both_languages():
    for choices in (
        registration.SEXES,
        registration.RACES,
        registration.ETHNICITIES,
        registration.LANGUAGES,
    ):
        for words in choices.values():
            assert set(words) == set(programme.Language)
            assert all(words.values())
    assert len(registration.STATES) == 52
    assert registration.STATES["NC"] == "North Carolina"
