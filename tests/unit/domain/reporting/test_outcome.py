"""Counts that add up, and the status that follows from them."""

import pytest
import sheets

from cvms_pipeline import errors
from cvms_pipeline.domain.reporting import outcome
from cvms_pipeline.domain.vocabulary.upload import UploadStatus

WRONG = [
    {"loaded": 2},  # a row too many
    {"rejected": 0},  # a row lost
    {"updated": 2},  # more updates than loaded rows
    {"reasons": {}},  # rejected for no reason
    {"reasons": {"row-cells": 2}},  # more rows than were rejected
    {"reasons": {"row-cells": 1, "name-length": 0}},
]


def test_rows_are_loaded_or_rejected():
    rows = [sheets.GOOD, "Ann#,Lee#,1/2/1990,bad", sheets.GOOD, "Ann"]

    result = outcome.from_sheet(sheets.plan(sheets.below_header(*rows)))

    assert result == outcome.Outcome(
        rows=4,
        loaded=1,
        updated=0,
        rejected=3,
        reasons={
            "name-characters": 1,  # a row with two of them counts once
            "email-invalid": 1,
            "duplicate-in-file": 1,
            "row-cells": 1,
        },
    )
    assert result.status is UploadStatus.COMPLETED_WITH_ERRORS


def test_a_file_of_good_rows_is_completed():
    result = outcome.from_sheet(sheets.plan(sheets.below_header(sheets.GOOD)))

    assert result.status is UploadStatus.COMPLETED
    assert result.reasons == {}


def test_a_refused_file_has_no_rows():
    result = outcome.from_sheet(sheets.plan(b""))

    assert (result.rows, result.status) == (0, UploadStatus.REFUSED)
    assert result.refusal.code == "file-empty"


def test_the_rows_of_a_refused_file_are_all_rows_that_failed():
    result = outcome.from_sheet(sheets.plan(sheets.below_header(*[sheets.GOOD] * 101)))

    assert result.status is UploadStatus.REFUSED
    assert (result.rows_in_file, result.loaded, result.rows_failed) == (101, 0, 101)


def test_the_rows_of_a_file_that_is_no_csv_are_not_known():
    result = outcome.from_sheet(sheets.plan(b"PK\x03\x04 a spreadsheet"))

    assert (result.rows_in_file, result.loaded, result.rows_failed) == (None, 0, None)


def test_only_a_refused_file_has_rows_that_count_as_refused():
    with pytest.raises(outcome.CountsDoNotAddUp):
        outcome.Outcome(
            rows=1, loaded=1, updated=0, rejected=0, reasons={}, refused_rows=1
        )


@pytest.mark.parametrize("wrong", WRONG)
def test_counts_that_do_not_add_up_are_published_nowhere(wrong):
    right = {
        "rows": 2,
        "loaded": 1,
        "updated": 1,
        "rejected": 1,
        "reasons": {"row-cells": 1},
    }

    with pytest.raises(outcome.CountsDoNotAddUp, match="are not the rows of the file"):
        outcome.Outcome(**right | wrong)


def test_a_refusal_with_rows_is_an_error():
    refused = sheets.read(b"").refusal

    with pytest.raises(errors.PermanentError):
        outcome.Outcome(
            rows=1, loaded=1, updated=0, rejected=0, reasons={}, refusal=refused
        )


def test_a_row_without_a_decision_is_noticed():
    undecided = sheets.validate(sheets.below_header(sheets.GOOD))

    with pytest.raises(outcome.CountsDoNotAddUp):
        outcome.from_sheet(undecided)


def test_a_row_that_is_planned_and_rejected_is_noticed():
    decided = sheets.plan(sheets.below_header(sheets.GOOD, "Bob"))
    twice = decided.replace(plan=decided.plan.rename(index={2: 3}))

    with pytest.raises(outcome.CountsDoNotAddUp):
        outcome.from_sheet(twice)
