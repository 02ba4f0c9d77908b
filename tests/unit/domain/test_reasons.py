"""The words of reasons, and the pages that are made of them."""

from pathlib import Path

import pytest

from cvms_pipeline.domain import reasons, reference

DOCS = Path(__file__).parents[3] / "docs"
DESIGN_4 = [
    "required-missing",
    "name-characters",
    "name-length",
    "birth-date-invalid",
    "email-invalid",
    "duplicate-in-file",
    "duplicate-recipient",
    "row-cells",
]
DESIGN_4_FILES = [
    "file-empty",
    "file-not-csv",
    "file-too-large",
    "header-missing",
    "header-duplicate",
    "too-many-rows",
    "not-a-file",
    "provider-unknown",
]


def test_every_code_of_the_design_is_registered_in_its_order():
    assert list(reasons.REASONS) == DESIGN_4
    assert list(reasons.REFUSALS) == DESIGN_4_FILES


@pytest.mark.parametrize("code", DESIGN_4)
def test_every_reason_says_what_is_wrong_and_what_to_do(code):
    reason = reasons.REASONS[code]

    assert reason.sentence.endswith(".")
    assert reason.remedy.endswith(".")
    assert reason.example


@pytest.mark.parametrize("code", DESIGN_4_FILES)
def test_every_refusal_says_what_is_wrong_and_what_to_do(code):
    refusal = reasons.refusal(code)

    assert refusal.code == code
    assert reasons.REFUSALS[code].sentence in refusal.message
    assert reasons.REFUSALS[code].remedy in refusal.message


def test_one_row_is_told_in_the_singular_and_more_in_the_plural():
    assert reasons.in_words("birth-date-invalid", 1) == (
        "Enter a birth date as M/D/YYYY in 1 row."
    )
    assert reasons.in_words("birth-date-invalid", 1_200) == (
        "Enter a birth date as M/D/YYYY in 1,200 rows."
    )


@pytest.mark.parametrize("code", DESIGN_4)
def test_every_reason_has_a_singular_and_a_plural(code):
    assert " 1 row" in reasons.in_words(code, 1)
    assert " 2 rows" in reasons.in_words(code, 2)


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("csv-format.md", reference.csv_format()),
        ("reasons.md", reference.reasons_page()),
    ],
)
def test_the_committed_pages_are_the_generated_ones(name, page):
    assert (DOCS / name).read_text(encoding="utf-8") == page
