"""A sheet comes back as it was, whatever its cells hold."""

import pandas as pd
import pytest
import sheets

from cvms_pipeline.domain import duplicates, packing, reading, reasons

KNOWN = pd.DataFrame(
    {
        "recipient_id": ["r2"],
        "email": ["old@example.org"],
        "provider": ["mercy"],
        "is_registered": [False],
        "upload": ["before"],
        "source_line": [7],
    },
    index=pd.Index([2], dtype="int64", name="line"),
)
TWINS_AND_ODD = sheets.below_header(
    sheets.GOOD,
    sheets.GOOD,
    sheets.row(first="Bob", email="bad"),
    sheets.row(first="Null", last="NA", born="1/2/1990", email="Na@example.org"),
    "too,few",
)

SHEETS = [
    reading.empty_sheet(),  # no rows at all
    reading.empty_sheet(reasons.refusal(reasons.FILE_EMPTY)),  # refused
    sheets.read(sheets.below_header(sheets.GOOD, "a,b,c,d,e")),  # only read
    sheets.judge(TWINS_AND_ODD),  # judged
    sheets.check(TWINS_AND_ODD),  # decided: inserts
    sheets.check(TWINS_AND_ODD, KNOWN),  # decided: an update with a recipient
    sheets.judge("First name;Surname;DOB;e-mail;Size\nA;B;1/2/1990;a@b.org;7"),
]


@pytest.mark.parametrize("packed", SHEETS)
def test_a_sheet_comes_back_as_it_was(packed):
    sheets.assert_same(packing.unpack(packing.pack(packed)), packed)


def test_what_comes_back_goes_on_as_if_it_had_never_been_away():
    judged = sheets.judge(TWINS_AND_ODD)

    unpacked = packing.unpack(packing.pack(judged))

    decided = duplicates.decide(unpacked, KNOWN, provider="mercy", upload="this")
    sheets.assert_same(
        decided, duplicates.decide(judged, KNOWN, provider="mercy", upload="this")
    )
