"""What holds for any file and any text (hypothesis)."""

import string

import pandas as pd
import sheets
from hypothesis import given, settings
from hypothesis import strategies as st

from cvms_pipeline.domain import cleaning, duplicates, outcome, report

FEW = settings(max_examples=30, deadline=None, database=None)
MANY = settings(max_examples=200, deadline=None, database=None)

ODD_CHARACTERS = st.sampled_from(",;\t\r\n\"' =-\x00\xa0\u200b\u2028\ufeffé#a")
ANY_CELL = st.text(st.characters(exclude_categories=["Cs"]) | ODD_CHARACTERS)
NAMES = st.sampled_from(["Ann", "ANN", "Ａnn", "Bob", "O'Neil", "O’NEIL", "Ann#", ""])
ROWS = st.tuples(
    NAMES | ANY_CELL,
    NAMES,
    st.sampled_from(["1/2/1990", "01/02/1990", "1/3/1990", "x"]) | ANY_CELL,
    st.sampled_from(["a@b.org", "A@b.org", "c@d.org", "=cmd"]) | ANY_CELL,
)


@st.composite
def files(draw):
    """Return bytes that are nearly an upload: odd cells, odd quotes, odd ends."""
    rows = draw(st.lists(ROWS, max_size=8))
    quote = draw(st.booleans())
    text = draw(st.sampled_from(["\n", "\r\n", "\r"])).join(
        [
            sheets.HEADER,
            *(sheets.row(*row) if quote else ",".join(row) for row in rows),
            *draw(st.lists(st.text(ODD_CHARACTERS), max_size=2)),
        ]
    )
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]))
    return text.encode(encoding, errors="replace")


@st.composite
def matches(draw, lines):
    """Return what a store could know of some of `lines`."""
    known = draw(st.lists(st.sampled_from(lines), unique=True)) if lines else []
    return pd.DataFrame(
        {
            "recipient_id": [f"r{line}" for line in known],
            "email": draw(st.sampled_from(["a@b.org", "z@z.org"])),
            "provider": draw(st.sampled_from(["mercy", "other"])),
            "is_registered": draw(st.booleans()),
            "upload": "this-upload",
            "source_line": draw(st.integers(2, 5)),
        },
        index=pd.Index(known, dtype="int64", name="line"),
    )


@MANY
@given(st.binary() | st.text(ODD_CHARACTERS).map(str.encode))
def test_reading_never_raises_for_what_the_bytes_are(data):
    sheet = sheets.read(data)

    assert sheet.refusal is not None or len(sheet.values) > 0


@FEW
@given(files(), st.data())
def test_counts_add_up_for_any_file(data, draws):
    judged = sheets.judge(data)
    known = draws.draw(matches(judged.valid.index.tolist()))

    decided = duplicates.decide(judged, known, provider="mercy", upload="this-upload")

    result = outcome.of(decided)
    assert result.rows == result.loaded + result.rejected
    assert decided.cells.index.is_unique


@FEW
@given(files())
def test_no_two_planned_rows_share_a_match_key(data):
    sheet = sheets.check(data)

    planned = duplicates.keys(sheet.valid.loc[sheet.plan.index])

    assert not planned.duplicated(["first_key", "last_key", "birth_date"]).any()


@FEW
@given(files())
def test_the_report_dropped_back_holds_the_same_cells(data):
    first = sheets.check(data)
    messages = report.messages(first.rejections)

    again = sheets.read(report.bulk_error(first.cells, messages))

    rejected = first.cells.loc[messages.index]
    assert again.cells.to_numpy().tolist() == rejected.to_numpy().tolist()
    assert len(again.rejections) == 0


@MANY
@given(ANY_CELL)
def test_cleaning_twice_changes_nothing_more(text):
    cleaned = cleaning.clean_text(text)

    assert cleaning.clean_text(cleaned) == cleaned
    assert cleaning.is_blank(text) == (cleaned == "")


@MANY
@given(ANY_CELL | st.text(string.printable))
def test_a_key_is_its_own_key(text):
    once = cleaning.match_key(pd.Series([text], dtype=str))

    assert cleaning.match_key(once).tolist() == once.tolist()


@FEW
@given(st.lists(st.tuples(ANY_CELL, ANY_CELL, ANY_CELL, ANY_CELL), max_size=5))
def test_any_text_survives_between_two_steps(rows):
    packed = sheets.read(sheets.below_header(*(sheets.row(*row) for row in rows)))

    sheets.assert_same(sheets.handed_on(packed), packed)
