"""Mistakes that recur: what they look like, and the one thing to change."""

import pytest

from cvms_pipeline.domain.vocabulary import reasons
from cvms_pipeline.use_cases.provider_actions import mistakes

FORMAT = (
    "In the spreadsheet, select the column with the birth dates, choose Format Cells >"
    " Custom, type mm/dd/yyyy, and save the file as CSV again."
)
MONTH_FIRST = (
    "In the column with the birth dates, write the month before the day: choose Format"
    " Cells > Custom and type mm/dd/yyyy."
)


def found(site, provider="mercy"):
    return [
        (each.sentence, each.advice)
        for each in mistakes.list_mistakes(site.pipeline, provider)
    ]


def bring_twice(site, *rows):
    """Bring two files with these rows, whose people are others in each."""
    for number in ("One", "Two"):
        site.bring([row.replace("Lee", f"Lee{number}") for row in rows])


def test_who_has_sent_nothing_makes_no_mistake(site):
    assert found(site) == []


def test_what_is_in_one_upload_only_does_not_recur(site):
    site.bring([f"Ann,Lee{name},1955-12-01,a@b.example.org" for name in "abcd"])

    assert found(site) == []


def test_dates_of_one_shape_are_named_by_it(site):
    bring_twice(
        site,
        "Ann,Lee,1955-12-01,a@b.example.org",
        "Bob,Lee,1955-12-02,b@b.example.org",
        "Cy,Lee,12/41/1955,c@b.example.org",
        "Di,,12/4/1955,d@b.example.org",
    )

    assert found(site)[0] == (
        "6 of the 8 rows that were rejected in your last 2 uploads: birth dates that"
        " cannot be read, mostly dates like YYYY-MM-DD.",
        FORMAT,
    )
    assert len(found(site)) == 1  # two rows are too few


def test_dates_of_no_shape_are_named_without_one(site):
    bring_twice(
        site, "Ann,Lee,12/41/1955,a@b.example.org", "Bob,Lee,0/0/1955,b@b.example.org"
    )

    assert found(site) == [
        (
            "4 of the 4 rows that were rejected in your last 2 uploads: birth dates"
            " that cannot be read.",
            FORMAT,
        )
    ]


# A cell, what is said of such cells, and what is advised.
DATES = [
    ("1955/12/01", "dates like YYYY/MM/DD", FORMAT),
    ("01.12.1955", "dates like DD.MM.YYYY", MONTH_FIRST),
    ("12-01-1955", "dates like MM-DD-YYYY", FORMAT),
    ("12/1/55", "dates like M/D/YY, with a year of two digits", FORMAT),
    ("19551201", "dates like YYYYMMDD", FORMAT),
    ("31/12/1955", "dates like DD/MM/YYYY", MONTH_FIRST),
    ("20423", "dates that the spreadsheet shows as a number", FORMAT),
    ("December 1 1955", "dates with the month as a word", FORMAT),
]


@pytest.mark.parametrize(("cell", "words", "advice"), DATES)
def test_every_shape_of_dates_has_its_words(site, cell, words, advice):
    bring_twice(
        site, *(f"{name},Lee,{cell},a@b.example.org" for name in ("Ann", "Bob"))
    )

    assert found(site) == [
        (
            "4 of the 4 rows that were rejected in your last 2 uploads: birth dates"
            f" that cannot be read, mostly {words}.",
            advice,
        )
    ]


def test_the_empty_column_and_the_kind_of_address_are_named(site):
    bring_twice(
        site,
        "Ann,Lee,1/2/1990,",
        "Bob,Lee,1/2/1990,",
        "Cy,Lee,1/2/1990,nobody",
        "Di,Lee,1/2/1990,nobody",
        "Ed,Lee,1/2/1990,nobody",
    )

    assert found(site) == [
        (
            "6 of the 10 rows that were rejected in your last 2 uploads: e-mail"
            " addresses that mail cannot be sent to, mostly e-mail addresses without an"
            " @.",
            "Write whole addresses, with the @ and what follows it.",
        ),
        (
            "4 of the 10 rows that were rejected in your last 2 uploads: required"
            " fields that are empty, mostly rows without anything in the column Email.",
            "Before you save the file, sort it by Email: rows with an empty cell come"
            " together.",
        ),
    ]


def test_mistakes_of_others_and_of_long_ago_are_left_out(site):
    bring_twice(
        site,
        "Ann,Lee,1955-12-01,a@b.example.org",
        "Bob,Lee,1955-12-01,a@b.example.org",
    )
    before = found(site)
    for number in range(10):
        site.bring([f"Cy,Lee{chr(97 + number)},1/2/1990,c@b.example.org"])

    assert len(before) == 1
    assert found(site, "duke") == []
    assert found(site) == []


def test_every_reason_has_its_words():
    assert mistakes._WORDS.keys() == reasons.REASONS.keys()
