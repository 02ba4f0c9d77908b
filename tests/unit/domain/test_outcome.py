"""Counts that add up, and the status that follows from them."""

import pytest
import sheets

from cvms_pipeline import errors
from cvms_pipeline.domain import outcome
from cvms_pipeline.domain.upload import UploadStatus

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

    result = outcome.of(sheets.check(sheets.below_header(*rows)))

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
    result = outcome.of(sheets.check(sheets.below_header(sheets.GOOD)))

    assert result.status is UploadStatus.COMPLETED
    assert result.reasons == {}


def test_a_refused_file_has_no_rows():
    result = outcome.of(sheets.check(b""))

    assert (result.rows, result.status) == (0, UploadStatus.REFUSED)
    assert result.refusal.code == "file-empty"


@pytest.mark.parametrize("wrong", WRONG)
def test_counts_that_do_not_add_up_are_published_nowhere(wrong):
    right = {
        "rows": 2,
        "loaded": 1,
        "updated": 1,
        "rejected": 1,
        "reasons": {"row-cells": 1},
    }

    with pytest.raises(outcome.CountsDoNotAddUp, match="Rows in the file are not"):
        outcome.Outcome(**right | wrong)


def test_a_refusal_goes_with_no_row():
    refused = sheets.read(b"").refusal

    with pytest.raises(errors.PermanentError):
        outcome.Outcome(
            rows=1, loaded=1, updated=0, rejected=0, reasons={}, refusal=refused
        )


def test_a_row_that_nobody_decided_on_is_noticed():
    undecided = sheets.judge(sheets.below_header(sheets.GOOD))

    with pytest.raises(outcome.CountsDoNotAddUp):
        outcome.of(undecided)


def test_a_row_that_is_planned_and_rejected_is_noticed():
    decided = sheets.check(sheets.below_header(sheets.GOOD, "Bob"))
    twice = decided.but(plan=decided.plan.set_axis([3], axis="index"))

    with pytest.raises(outcome.CountsDoNotAddUp):
        outcome.of(twice)
