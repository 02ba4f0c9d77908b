"""The texts of reasons, and the pages that are rendered from them."""

import pytest

from cvms_pipeline.domain.vocabulary import reasons

ROW_CODES = [
    "required-missing",
    "name-characters",
    "name-length",
    "birth-date-invalid",
    "birth-date-ambiguous",
    "email-invalid",
    "duplicate-in-file",
    "duplicate-recipient",
    "text-encoding",
    "row-cells",
]
FILE_CODES = [
    "file-empty",
    "file-not-csv",
    "file-too-large",
    "header-missing",
    "header-duplicate",
    "too-many-rows",
    "not-a-file",
    "not-readable",
    "provider-unknown",
]


def test_every_code_of_the_design_is_registered_in_its_order():
    assert list(reasons.REASONS) == ROW_CODES
    assert list(reasons.REFUSALS) == FILE_CODES


@pytest.mark.parametrize("code", ROW_CODES)
def test_every_reason_says_what_is_wrong_and_what_to_do(code):
    reason = reasons.REASONS[code]

    assert reason.sentence.endswith(".")
    assert reason.remedy.endswith(".")
    assert reason.example


@pytest.mark.parametrize("code", FILE_CODES)
def test_every_refusal_says_what_is_wrong_and_what_to_do(code):
    refusal = reasons.make_refusal(code)

    assert refusal.code == code
    assert reasons.REFUSALS[code].sentence in refusal.message
    assert reasons.REFUSALS[code].remedy in refusal.message


def test_one_row_is_described_in_the_singular_and_several_in_the_plural():
    assert reasons.describe_remedy("birth-date-invalid", 1) == (
        "Enter a birth date as M/D/YYYY in 1 row."
    )
    assert reasons.describe_remedy("birth-date-invalid", 1_200) == (
        "Enter a birth date as M/D/YYYY in 1,200 rows."
    )


def test_the_notice_says_once_why_dates_are_held_up():
    assert reasons.describe_remedy("birth-date-ambiguous", 1) == (
        "Check day and month in 1 row: other birth dates of the file have the day"
        " first. Write the month first."
    )
    assert reasons.describe_remedy("birth-date-ambiguous", 4) == (
        "Check day and month in 4 rows: other birth dates of the file have the day"
        " first. Write the month first."
    )


@pytest.mark.parametrize("code", ROW_CODES)
def test_every_reason_has_a_singular_and_a_plural(code):
    assert " 1 row" in reasons.describe_remedy(code, 1)
    assert " 2 rows" in reasons.describe_remedy(code, 2)
