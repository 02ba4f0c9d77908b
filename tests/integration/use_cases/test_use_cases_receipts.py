"""The check code of a receipt: it fits the recorded facts, and no others."""

import dataclasses
import datetime as dt

import installations
import pytest

from cvms_pipeline.use_cases.provider_actions import receipts


@pytest.fixture
def found(site):
    return site.upload(site.bring([installations.ANN, installations.BAD]))


def test_a_code_is_genuine_however_it_is_typed(site, found):
    code = receipts.make_code(site.pipeline, found)

    for typed in (code, code.lower(), code.replace("-", " "), code.replace("-", "")):
        assert receipts.is_genuine(site.pipeline, found, typed)


# Codes that nobody has made.
FORGED = ["", "AAAA-AAAA-AAAA-AAAA", "é", "{code}A", "{shorter}"]


@pytest.mark.parametrize("forged", FORGED)
def test_any_other_code_is_not(site, found, forged):
    code = receipts.make_code(site.pipeline, found)
    typed = forged.format(code=code, shorter=code[:-1])

    assert not receipts.is_genuine(site.pipeline, found, typed)


# Facts, and what they could be changed to.
CHANGED = [
    ("id", "20250315-093012-k7m2p9xw"),
    ("provider", "duke"),
    ("sha256", "0" * 64),
    ("loaded", 2),
    ("rejected", 0),
    ("updated", 1),
    ("rows", 3),
    ("rules_version", "2030.1"),
    ("received_at", dt.datetime(2026, 1, 1, tzinfo=dt.UTC)),
    ("sent_by", "0195a6a0-3f3e-7cc1-8a4e-0d5f1f6b9c1d"),
]


@pytest.mark.parametrize(("name", "value"), CHANGED)
def test_a_code_fits_no_other_facts(site, found, name, value):
    code = receipts.make_code(site.pipeline, found)
    other = dataclasses.replace(found, **{name: value})

    assert not receipts.is_genuine(site.pipeline, other, code)


def test_an_upload_without_an_outcome_has_no_genuine_receipt(site):
    waiting = site.upload(site.receive([installations.ANN]))
    code = receipts.make_code(site.pipeline, waiting)

    assert not receipts.is_genuine(site.pipeline, waiting, code)
