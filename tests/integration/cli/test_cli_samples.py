import csv
import dataclasses
import datetime as dt
import io

import pytest

from cvms_pipeline.cli import correction, samples
from cvms_pipeline.domain import (
    duplicates,
    outcome,
    reading,
    reasons,
    report,
    schema,
    upload,
)

TODAY = dt.date(2026, 3, 1)
EDITION = "Bodelu"


def judged(sample):
    read = reading.read(sample.data, lane=sample.lane)
    without_store = duplicates.NO_MATCHES
    return duplicates.decide(
        schema.judge(read, today=TODAY), without_store, provider=None, upload=None
    )


def of(file_name, edition=EDITION):
    return next(s for s in samples.every(edition) if s.file_name == file_name)


@pytest.mark.parametrize(
    "sample",
    [s for s in samples.every(EDITION) if s.after is None],
    ids=lambda sample: sample.file_name,
)
def test_a_sample_that_builds_on_no_other_has_its_outcome_in_an_empty_store(sample):
    ended = outcome.of(judged(sample))

    assert (ended.status, ended.rows, ended.loaded) == (
        sample.expected.status,
        sample.expected.rows,
        sample.expected.loaded,
    )
    assert (ended.reasons, ended.refusal and ended.refusal.code) == (
        sample.expected.reasons,
        sample.expected.refusal,
    )


def test_one_sample_shows_every_reason_of_rows():
    shown = of(samples.EVERY_REASON).expected.reasons

    assert set(shown) == set(reasons.REASONS)


def test_the_samples_show_what_the_issue_asks_for():
    every = {sample.file_name: sample for sample in samples.every(EDITION)}
    lanes = {(s.lane, s.expected.rows) for s in every.values()}

    assert {sample.provider for sample in every.values()} == set(samples.PROVIDERS)
    assert (upload.Lane.HIGH_VOLUME, 5_000) in lanes
    assert every["new_email.csv"].expected.updated == 2
    assert every["staff.xlsx"].expected.refusal == reasons.FILE_NOT_CSV
    assert every["one_row_too_many.csv"].expected.refusal == reasons.TOO_MANY_ROWS
    assert judged(every["cp1252_semicolons.csv"]).encoding == "windows-1252"


def test_another_edition_has_no_recipient_of_the_first():
    first, second = (
        duplicates.keys(judged(of(samples.ALL_GOOD, edition)).valid)["last_key"]
        for edition in ("Bodelu", "Bodeju")
    )

    assert not set(first) & set(second)


@pytest.mark.parametrize("edition", ["", EDITION])
def test_the_corrected_error_report_is_all_good(edition):
    sheet = judged(of(samples.EVERY_REASON, edition))
    written = report.bulk_error(sheet.cells, report.messages(sheet.rejections))

    data = correction.correct(written, edition)

    corrected = of("corrected_report.csv", edition)
    again = judged(dataclasses.replace(corrected, data=data))
    assert outcome.of(again).loaded == corrected.expected.loaded == 7
    header = next(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
    assert header == ["FirstName", "LastName", "Date of birth", "Email", "Error"]


def test_a_sample_waits_only_for_one_that_is_dropped_before_it():
    names = [sample.file_name for sample in samples.every(EDITION)]

    for sample in samples.every(EDITION):
        assert (
            sample.after is None
            or sample.after in names[: names.index(sample.file_name)]
        )
