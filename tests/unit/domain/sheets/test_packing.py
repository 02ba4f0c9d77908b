"""A sheet comes back as it was, whatever its cells hold."""

import dataclasses
import io
import json

import pandas as pd
import pyarrow as pa
import pytest
import sheets

from cvms_pipeline.domain.matching import duplicates
from cvms_pipeline.domain.sheets import packing, sheet
from cvms_pipeline.domain.vocabulary import reasons

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
    sheet.make_empty(),  # no rows at all
    sheet.make_empty(reasons.make_refusal(reasons.FILE_EMPTY)),  # refused
    sheets.read(sheets.below_header(sheets.GOOD, "a,b,c,d,e")),  # only read
    sheets.validate(TWINS_AND_ODD),  # validated
    sheets.plan(TWINS_AND_ODD),  # decided: inserts
    sheets.plan(TWINS_AND_ODD, KNOWN),  # decided: an update with a recipient
    sheets.validate("First name;Surname;DOB;e-mail;Size\nA;B;1/2/1990;a@b.org;7"),
]


@pytest.mark.parametrize("packed", SHEETS)
def test_an_unpacked_sheet_equals_the_packed_one(packed):
    sheets.assert_same(sheets.repack(packed), packed)


def test_an_unpacked_sheet_gives_the_same_plan():
    validated = sheets.validate(TWINS_AND_ODD)

    unpacked = sheets.repack(validated)

    decided = duplicates.plan_rows(unpacked, KNOWN, provider="mercy", upload="this")
    sheets.assert_same(
        decided, duplicates.plan_rows(validated, KNOWN, provider="mercy", upload="this")
    )


WHOLE = b"".join(packing.pack_sheet(sheets.plan(TWINS_AND_ODD)))
HEAD, FRAMES = WHOLE.split(b"\n", 1)
OTHER = {**json.loads(HEAD), "format": packing._FORMAT + 1}
LACKING = dataclasses.replace(sheet.make_empty(), cells=pd.DataFrame())

UNREADABLE = [
    b"",  # nothing
    b"\xff\xff\xff\xff\xb8\0\0\0\n",  # what the first version wrote: Arrow alone
    b"[]\n" + FRAMES,  # JSON, and no head
    json.dumps(OTHER).encode() + b"\n" + FRAMES,  # another version's
    HEAD,  # the head alone
    WHOLE[:-1],  # cut at the end
    b"".join(packing.pack_sheet(LACKING)),  # without the columns that this version has
]


@pytest.mark.parametrize("data", UNREADABLE)
def test_bytes_that_this_version_did_not_pack_are_unreadable(data):
    with pytest.raises(packing.SheetUnreadable):
        packing.unpack_sheet(io.BytesIO(data))


def test_packing_copies_no_text():
    validated = sheets.validate(sheets.below_header(sheets.row(first="x" * 10_000)))
    before = pa.total_allocated_bytes()

    pieces = packing.pack_sheet(validated)

    assert sum(map(len, pieces)) > 10_000
    assert pa.total_allocated_bytes() - before < 10_000
