import csv
import datetime as dt
import io

import pytest
import sheets

from cvms_pipeline.cli import samples
from cvms_pipeline.domain.matching import duplicates
from cvms_pipeline.domain.reading import reader
from cvms_pipeline.domain.reporting import outcome
from cvms_pipeline.domain.validation import row_schema
from cvms_pipeline.domain.vocabulary import reasons, upload

TODAY = dt.date(2026, 3, 1)
EDITION = "Bodelu"
NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


def judged(sample, edition=EDITION):
    read = reader.read_sheet(sample.read(edition), lane=sample.lane)
    without_store = duplicates.NO_MATCHES
    return duplicates.plan_rows(
        row_schema.validate_rows(read, today=TODAY),
        without_store,
        provider=None,
        upload=None,
    )


def named(file_name):
    return next(s for s in samples.load_samples() if s.file_name == file_name)


def parsed(data):
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("edition", ["", EDITION])
@pytest.mark.parametrize(
    "sample",
    [s for s in samples.load_samples() if s.after is None],
    ids=lambda sample: sample.file_name,
)
def test_a_sample_that_builds_on_no_other_has_its_outcome_in_an_empty_store(
    sample, edition
):
    ended = outcome.from_sheet(judged(sample, edition))

    assert (ended.status, ended.rows, ended.loaded) == (
        sample.expected.status,
        sample.expected.rows,
        sample.expected.loaded,
    )
    assert (ended.reasons, ended.refusal and ended.refusal.code) == (
        sample.expected.reasons,
        sample.expected.refusal,
    )


def test_one_sample_shows_every_reason_but_that_of_files_with_the_day_first():
    shown = named(samples.EVERY_REASON).expected.reasons
    day_first = named("day_first.csv").expected.reasons

    assert set(reasons.REASONS) - set(shown) == {reasons.BIRTH_DATE_AMBIGUOUS}
    assert reasons.BIRTH_DATE_AMBIGUOUS in day_first


def test_the_samples_show_both_lanes_every_encoding_and_what_is_refused():
    every = {sample.file_name: sample for sample in samples.load_samples()}
    lanes = {(s.lane, s.expected.rows) for s in every.values()}

    assert {sample.provider for sample in every.values()} == set(samples.PROVIDERS)
    assert (upload.Lane.HIGH_VOLUME, 5_000) in lanes
    assert every["new_email.csv"].expected.updated == 2
    assert every["staff.xlsx"].expected.refusal == reasons.FILE_NOT_CSV
    assert every["one_row_too_many.csv"].expected.refusal == reasons.TOO_MANY_ROWS
    assert judged(every["cp1252_semicolons.csv"]).encoding == "windows-1252"


@pytest.mark.parametrize(
    "sample", samples.load_samples(), ids=lambda sample: sample.file_name
)
def test_another_edition_has_no_recipient_and_no_address_of_the_first(sample):
    first, second = (
        duplicates.make_keys(judged(sample, edition).valid_values)
        for edition in ("Bodelu", "Bodeju")
    )

    assert not set(first["last_key"]) & set(second["last_key"])
    assert not set(first["email_key"]) & set(second["email_key"])


@pytest.mark.parametrize("edition", ["", EDITION])
def test_the_corrected_report_is_the_error_report_with_correct_rows(edition):
    every = judged(named(samples.EVERY_REASON), "")
    report = sheets.report_of(every)

    corrected = named("corrected_report.csv")
    rows = parsed(corrected.read(edition))

    assert outcome.from_sheet(judged(corrected, edition)).loaded == len(rows) == 7
    assert list(rows[0]) == list(parsed(report)[0])
    messages = {row["Error"] for row in parsed(report)}
    assert {row["Error"] for row in rows} < messages


def test_each_second_has_another_edition():
    moments = (NOON + dt.timedelta(seconds=s) for s in range(2_000))

    editions = [samples.make_edition(moment) for moment in moments]

    assert len(set(editions)) == len(editions)
    assert all(word.isalpha() and word.istitle() for word in editions)


def test_a_sample_waits_only_for_one_that_is_dropped_before_it():
    names = [sample.file_name for sample in samples.load_samples()]

    for place, sample in enumerate(samples.load_samples()):
        assert sample.after is None or sample.after in names[:place]
