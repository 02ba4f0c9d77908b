"""What holds for any file and any text (hypothesis)."""

import datetime as dt
import json
import re
import string
import unicodedata

import pandas as pd
import sheets
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cvms_pipeline.domain.matching import duplicates
from cvms_pipeline.domain.reading import legibility
from cvms_pipeline.domain.reporting import error_report, outcome
from cvms_pipeline.domain.text import normalise
from cvms_pipeline.domain.validation import rules
from cvms_pipeline.domain.vocabulary import wording

sampled = st.sampled_from
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

DATE_LIKE = st.one_of(
    st.dates().map(lambda day: f"{day.month}/{day.day}/{day.year:04}"),
    st.builds(
        "{:0{}}/{:0{}}/{:04}".format,
        *(st.integers(0, 14), st.integers(1, 3)),
        *(st.integers(0, 33), st.integers(1, 3)),
        st.sampled_from([0, 1, 1900, 1970, 2000, 2024, 2100, 9999]),
    ),
    st.text(st.sampled_from("0123456789/ -+.\n\u0661\uff11"), max_size=11),
)
OLD_CHARACTERS = st.characters(exclude_categories=["Cn", "Cs"]).filter(
    lambda char: unicodedata.ucd_3_2_0.category(char) != "Cn"
)
"""Characters that Python and Arrow both know: their versions of Unicode differ."""
NAME_LIKE = st.text(
    st.sampled_from("aZé\u0301 .'\u2019\u02bb\u02bc-\u20111\u0663²#_,\u202e山")
    | OLD_CHARACTERS,
    max_size=6,
)


UNSEEN = "\x01\x1f\x7f\x9f\xad\u034f\u115f\u17b4\u180e\u200b\u200e\u202e\u2069" + (
    "\u2800\u3164\ufe0f\ufeff\uffa0\ufffc\U0001d173\U000e0001\U000e0fff"
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
    found = pd.DataFrame(
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
    return found.astype(duplicates.NO_MATCHES.dtypes.to_dict())


@MANY
@given(st.binary() | st.text(ODD_CHARACTERS).map(str.encode))
def test_reading_raises_no_error_whatever_the_bytes_are(data):
    sheet = sheets.read(data)

    assert sheet.refusal is not None or len(sheet.values) > 0


@FEW
@given(files(), st.data())
def test_counts_add_up_for_any_file(data, draws):
    validated = sheets.validate(data)
    known = draws.draw(matches(validated.valid_values.index.tolist()))

    decided = duplicates.plan_rows(
        validated, known, provider="mercy", upload="this-upload"
    )

    result = outcome.from_sheet(decided)
    assert result.rows == result.loaded + result.rejected
    assert decided.cells.index.is_unique


@FEW
@given(files())
def test_no_two_planned_rows_share_a_match_key(data):
    sheet = sheets.plan(data)

    planned = duplicates.make_keys(sheet.valid_values.loc[sheet.plan.index])

    assert not planned.duplicated(["first_key", "last_key", "birth_date"]).any()


@FEW
@given(files())
def test_the_report_dropped_back_holds_the_same_cells(data):
    first = sheets.plan(data)
    messages = error_report.compose_messages(first.rejections)

    again = sheets.read(sheets.report_of(first))

    rejected = first.cells.loc[messages.index]
    assert again.cells.to_numpy().tolist() == rejected.to_numpy().tolist()
    assert again.extras["error"].tolist() == messages.tolist()
    extra = first.extras["cells"].reindex(messages.index, fill_value="")
    assert again.extras["cells"].tolist() == extra.tolist()
    # The letters are lost, or there are too many cells.
    codes = set(again.rejections["code"]) - {"text-encoding"}
    assert codes <= {"row-cells"} & set(first.rejections["code"])


BEYOND = st.lists(
    st.text(st.sampled_from('xyzé=+@-" \t;\u200b\u4e2d'), max_size=4),
    min_size=1,
    max_size=4,
)
"""Cells beyond the header, none of which is a part of `SHIFTED`."""
SHIFTED = ["Rufus", "Marsh", " Jr.", "4/11/1961", "Ann", "1/2/1990", "r@b.org", "Ü", ""]


@FEW
@given(
    st.lists(
        st.tuples(st.lists(sampled(SHIFTED), min_size=4, max_size=4), BEYOND),
        min_size=1,
        max_size=6,
    )
)
def test_a_report_dropped_as_it_stands_rejects_rows_with_too_many_cells_again(rows):
    written = [sheets.quote(*known, *extra, "z") for known, extra in rows]
    first = sheets.validate(sheets.below_header(*written))

    again = sheets.validate(sheets.report_of(first))

    assert sheets.rejections_of(again) == [
        (*found, text + wording.UNMOVED_ADVICE)
        for *found, text in sheets.rejections_of(first)
    ]
    assert set(first.rejections["code"]) == {"row-cells"}
    assert again.cells.to_numpy().tolist() == [known for known, _ in rows]
    kept = [json.loads(cells) for cells in again.extras["cells"]]
    assert kept == [[*extra, "z"] for _, extra in rows]


@MANY
@given(ANY_CELL)
def test_cleaning_twice_changes_nothing_more(text):
    cleaned = normalise.clean_text(text)

    assert normalise.clean_text(cleaned) == cleaned
    assert normalise.is_blank(text) == (cleaned == "")


@MANY
@given(ANY_CELL | st.text(string.printable))
def test_normalising_a_match_key_changes_nothing(text):
    once = normalise.make_match_keys(pd.Series([text], dtype=str))

    assert normalise.make_match_keys(once).tolist() == once.tolist()


@MANY
@given(st.text(min_size=1, max_size=4), st.text(st.sampled_from(UNSEEN)), st.data())
def test_what_nobody_sees_makes_no_other_person(name, unseen, draws):
    at = draws.draw(st.integers(0, len(name)))

    one, other = keys_of(name, name[:at] + unseen + name[at:])

    assert one == other


@FEW
@example("\xa0\x9f")  # two bytes of a letter, read in the encoding of a Mac
@given(st.text(st.sampled_from(UNSEEN + " \xa0\u2003")))
def test_a_name_of_nothing_that_can_be_seen_is_missing(unseen):
    codes = [code for code, _ in sheets.reasons_in_row(first=unseen)]

    is_letter = legibility.find_original(unseen) is not None
    assert codes == ["text-encoding" if is_letter else "required-missing"]


@MANY
@given(
    st.text(st.sampled_from("aIı\u0130i\u0307\u0301.' -\xb7Zé\u2162\uff07"), max_size=6)
)
def test_case_and_marks_at_the_ends_make_no_other_person(name):
    written = [name, f" {name}.", f"\u2019{name}-", name.swapcase()]

    assert len(set(keys_of(*written))) == 1


def keys_of(*names):
    return normalise.make_match_keys(pd.Series(names, dtype=str)).tolist()


@FEW
@given(st.lists(st.tuples(ANY_CELL, ANY_CELL, ANY_CELL, ANY_CELL), max_size=5))
def test_any_text_survives_between_two_steps(rows):
    packed = sheets.read(sheets.below_header(*(sheets.row(*row) for row in rows)))

    sheets.assert_same(sheets.repack(packed), packed)


WORDS = [
    "Anna",
    "\u0411\u043e\u0433\u0434\u0430\u043d\u0430",
    "\u0393\u03b9\u03c9\u03c1\u03b3\u03bf\u03c2",
]
MARKS = "*#`=+{}|~!$%&/?^()<>;,.:'\" \u2018\u201c\xab"


@FEW
@given(st.text(st.sampled_from(MARKS)), st.text(st.sampled_from(MARKS)))
def test_an_address_with_marks_around_it_is_never_loaded_as_it_is(before, after):
    written = f"{before}ann.lee@example.org{after}"

    found = sheets.reasons_in_row(email=written)

    if written.strip() == "ann.lee@example.org":
        assert found == []
    else:
        ((code, text),) = found
        assert code == "email-invalid"
        assert ". Write " not in text or text.endswith(". Write ann.lee@example.org.")


@FEW
@given(st.sampled_from(WORDS), st.data())
def test_a_letter_of_another_alphabet_in_a_name_is_never_loaded(word, draws):
    at = draws.draw(st.integers(0, len(word) - 1))
    other = draws.draw(
        st.sampled_from([w for w in WORDS if w != word]).flatmap(sampled)
    )

    found = sheets.reasons_in_row(first=word[:at] + other + word[at + 1 :])

    assert [code for code, _ in found] == ["name-characters"]
    assert " is U+" in found[0][1]


@FEW
@given(st.dates(dt.date(1930, 1, 1), dt.date(2025, 1, 1)), st.data())
def test_a_birth_date_with_a_look_alike_is_never_loaded_and_the_character_is_named(
    born, draws
):
    written = f"{born.month}/{born.day}/{born.year}"
    at = draws.draw(st.integers(0, len(written) - 1))
    alike = {"/": "\u2044\u2215\uff0f", "0": "Oo\uff10\u041e", "1": "lI\uff11\u0661"}
    char = draws.draw(sampled(alike.get(written[at], "\uff12")))

    ((code, text),) = sheets.reasons_in_row(
        born=written[:at] + char + written[at + 1 :]
    )

    assert code == "birth-date-invalid"
    assert f"the character {char} is U+{ord(char):04X} " in text


@MANY
@given(st.lists(DATE_LIKE, max_size=20))
def test_a_birth_date_is_the_date_that_datetime_makes_of_it(texts):
    parsed = rules.parse_birth_dates(pd.Series(texts, dtype=str))

    found = [None if pd.isna(date) else date.date() for date in parsed]
    assert found == [date_of(text) for text in texts]


@FEW
@given(st.lists(st.dates(dt.date(1930, 1, 1), dt.date(2025, 12, 31)), min_size=1))
def test_no_date_of_a_file_with_the_day_first_is_loaded_with_day_and_month_exchanged(
    born,
):
    rows = (sheets.row(born=f"{day:%d/%m/%Y}") for day in born)

    loaded = sheets.validate(sheets.below_header(*rows)).valid_values["birth_date"]

    if any(day.day > 12 for day in born):
        assert all(text[:2] == text[3:5] for text in loaded)


@FEW
@given(st.lists(st.dates(dt.date(1930, 1, 1), dt.date(2025, 12, 31)), min_size=1))
def test_one_typing_error_holds_up_no_other_date_of_a_file_with_the_month_first(born):
    months_first = [f"{day:%m/%d/%Y}" for day in [*born, dt.date(1990, 1, 13)]]
    rows = (sheets.row(born=date) for date in [*months_first, "13/01/1990"])

    validated = sheets.validate(sheets.below_header(*rows))

    assert len(validated.valid_values) == len(months_first)


def date_of(text):
    """Return the date that `datetime` makes of `text`, or None."""
    if not re.fullmatch("[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}", text):
        return None
    month, day, year = map(int, text.split("/"))
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


@MANY
@given(st.lists(NAME_LIKE, max_size=20))
def test_the_category_of_each_character_decides_whether_a_name_is_valid(names):
    is_invalid = rules.has_invalid_characters(pd.Series(names, dtype=str))

    assert is_invalid.tolist() == [name != "" and not is_name(name) for name in names]


def test_the_short_way_for_usual_names_allows_no_other_name():
    characters = [chr(code) for code in range(1, 0x250)]
    names = [
        name for c in characters for name in (c, f"A{c}", f"{c}b", f"A{c}b", f"A{c}{c}")
    ]
    marked = {name for name in names if name.startswith("'")}

    is_invalid = rules.is_invalid_name(pd.Series(names, dtype=str))

    expected = [name in marked or not is_name(name) for name in names]
    assert is_invalid.tolist() == expected


def is_name(text):
    """Return whether each character may be in a name, and one of them is a letter."""
    kinds = {kind_of(char) for char in text}
    return kinds <= {"letter", "other"} and "letter" in kinds


def kind_of(char):
    category = unicodedata.category(char)
    marks = normalise.APOSTROPHES + normalise.HYPHENS + normalise.MIDDLE_DOTS
    if char in " ." + marks + normalise.JOINERS:
        return "other"
    if category.startswith("M") or category in {"Nd", "Nl"}:
        return "other"
    return "letter" if category.startswith("L") else "invalid"
