"""The search for canaries finds every usual way to write the date, and no hash."""

import base64
import datetime as dt
import zlib

import canaries
import pytest

BIRTH_DATE = dt.date(1931, 7, 19)


@pytest.mark.parametrize(
    "text",
    [
        "7/19/1931",
        "07/19/1931",
        "7-19-1931",
        "7 19 1931",
        BIRTH_DATE.isoformat(),
        repr(BIRTH_DATE),
        f"{BIRTH_DATE:%Y%m%d}",
        f"{BIRTH_DATE:%m%d%Y}",
    ],
)
def test_the_date_is_found_however_it_is_written(text):
    whole = f"born {text}, told"

    assert canaries.find(whole)
    assert canaries.find(base64.b64encode(whole.encode()))
    assert canaries.find(zlib.compress(whole.encode()))


def test_a_hash_is_no_date():
    hashed = f"{'ab' * 26}1931f79df19e"

    assert len(hashed) == 64
    assert canaries.find(f'"dagster/input_data_version/error_report": "{hashed}"') == []
