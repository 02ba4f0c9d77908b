"""A sheet comes back as it was, whatever its cells hold."""

import io
import json

import pandas as pd
import pyarrow as pa
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
    sheets.assert_same(sheets.handed_on(packed), packed)


def test_what_comes_back_goes_on_as_if_it_had_never_been_away():
    judged = sheets.judge(TWINS_AND_ODD)

    unpacked = sheets.handed_on(judged)

    decided = duplicates.decide(unpacked, KNOWN, provider="mercy", upload="this")
    sheets.assert_same(
        decided, duplicates.decide(judged, KNOWN, provider="mercy", upload="this")
    )


WHOLE = b"".join(packing.pack(sheets.check(TWINS_AND_ODD)))
HEAD, FRAMES = WHOLE.split(b"\n", 1)
OTHER = {**json.loads(HEAD), "format": packing.FORMAT + 1}

UNREADABLE = [
    b"",  # nothing
    b"\xff\xff\xff\xff\xb8\0\0\0\n",  # what the first version wrote: Arrow alone
    b"[]\n" + FRAMES,  # JSON, and no head
    json.dumps(OTHER).encode() + b"\n" + FRAMES,  # another version's
    HEAD,  # the head alone
    WHOLE[:-1],  # cut at the end
]


@pytest.mark.parametrize("data", UNREADABLE)
def test_what_this_version_has_not_packed_is_told_from_a_sheet(data):
    with pytest.raises(packing.Unreadable):
        packing.unpack(io.BytesIO(data))


def test_packing_copies_no_text():
    judged = sheets.judge(sheets.below_header(sheets.row(first="x" * 10_000)))
    before = pa.total_allocated_bytes()

    pieces = packing.pack(judged)

    assert sum(map(len, pieces)) > 10_000
    assert pa.total_allocated_bytes() - before < 10_000
