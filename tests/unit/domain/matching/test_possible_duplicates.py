"""People who are probably known already, and birth dates that say nothing."""

import pandas as pd
import pytest
import sheets
from hypothesis import given, settings
from hypothesis import strategies as st

from cvms_pipeline.domain.matching import duplicates, possible_duplicates
from cvms_pipeline.domain.vocabulary.likeness import Likeness, PossibleDuplicate

ANN = "Ann,Bell,4/5/1971,ann@b.org"


def pairs(*rows):
    sheet = sheets.plan(sheets.below_header(*rows))
    found = possible_duplicates.to_records(sheet.possible_duplicates)
    assert all(each.is_own and each.upload is None for each in found)
    return [(each.line, each.likeness, each.other_line) for each in found]


@pytest.mark.parametrize(
    ("row", "likeness"),
    [
        ("BELL,Ann,04/05/1971,x@b.org", Likeness.SWAPPED_NAMES),
        ("Ann,Muir,4/5/1971,ANN@b.org", Likeness.OTHER_LAST_NAME),
        ("Ann,Bell,5/4/1971,ann@b.org", Likeness.SWAPPED_DATE),
    ],
)
def test_a_row_that_resembles_an_earlier_one_is_found(row, likeness):
    assert pairs(ANN, row) == [(3, likeness, 2)]


def test_the_later_line_is_the_possible_duplicate():
    assert pairs("Bell,Ann,4/5/1971,x@b.org", ANN) == [(3, Likeness.SWAPPED_NAMES, 2)]


def test_a_name_that_is_first_and_last_name_is_not_like_itself():
    assert pairs("Ann,Ann,4/5/1971,a@b.org") == []


def test_day_and_month_that_are_equal_are_not_swapped():
    assert pairs("Ann,Bell,5/5/1971,a@b.org", "Cy,Bell,5/5/1971,a@b.org") == []


def test_of_several_last_names_each_is_like_the_first():
    rows = [f"Ann,{name},4/5/1971,ann@b.org" for name in ("Bell", "Muir", "Shaw")]

    assert pairs(*rows) == [
        (3, Likeness.OTHER_LAST_NAME, 2),
        (4, Likeness.OTHER_LAST_NAME, 2),
    ]


def test_a_rejected_row_is_like_nobody():
    assert pairs(ANN, ANN, "Bell,Ann,4/5/1971,bad") == []


def test_a_stored_person_of_this_very_upload_is_nobody_else():
    rows = [
        {
            "line": 2,
            "likeness": "swapped-names",
            "upload": upload,
            "other_line": 7,
            "provider": "mercy",
        }
        for upload in ("this-upload", "earlier")
    ]
    similar = pd.DataFrame(rows).astype(possible_duplicates.NO_SIMILAR.dtypes.to_dict())
    sheet = sheets.plan(sheets.below_header(ANN))

    found = possible_duplicates.find(
        sheet.plan, similar, provider="mercy", upload="this-upload"
    )

    assert possible_duplicates.to_records(found) == (
        PossibleDuplicate(
            line=2,
            likeness=Likeness.SWAPPED_NAMES,
            upload="earlier",
            other_line=7,
            is_own=True,
        ),
    )


FEW = settings(deadline=None, max_examples=20)
NAMES = st.text("abcdefgh", min_size=1, max_size=6)


@FEW
@given(
    people=st.lists(st.tuples(NAMES, NAMES), min_size=5, max_size=40, unique=True),
    others=st.integers(0, 40),
)
def test_of_any_file_with_a_default_birth_date_no_such_row_corrects_anybody(
    people, others
):
    rows = [f"{first},{last},1/1/1970,new@b.org" for first, last in people]
    rows += [f"Zoe,Lee,{n % 12 + 1}/2/{1950 + n // 12},z@b.org" for n in range(others)]
    lines = pd.RangeIndex(2, len(people) + 2, name="line")
    known = {
        "recipient_id": "r",
        "email": "old@b.org",
        "provider": "mercy",
        "is_registered": False,
        "upload": "earlier",
        "source_line": 2,
    }
    stored = pd.DataFrame([known] * len(lines), index=lines)

    sheet = sheets.plan(
        sheets.below_header(*rows),
        stored.astype(duplicates.NO_MATCHES.dtypes.to_dict()),
    )

    assert not sheet.plan.index.isin(lines).any()
    assert set(sheet.rejections["line"]) == set(lines)
    assert (sheet.plan["action"] == "insert").all()


@FEW
@given(
    first=NAMES,
    last=NAMES,
    month=st.integers(1, 12),
    day=st.integers(1, 12),
    others=st.lists(st.tuples(NAMES, NAMES), max_size=10, unique=True),
)
def test_of_any_file_the_same_person_in_another_writing_is_reported(
    first, last, month, day, others
):
    person = f"{first},{last},{month}/{day}/1980,me@b.org"
    twins = {
        f"{last},{first},{month}/{day}/1980,other@b.org": first != last,
        f"{first},{last}son,{month}/{day}/1980,me@b.org": True,
        f"{first},{last},{day}/{month}/1980,me@b.org": day != month,
    }
    rest = [f"{a}x,{b}y,1/13/1960,{a}@c.org" for a, b in others]
    for twin, is_other in twins.items():
        found = pairs(person, *rest, twin)
        is_reported = [line for line, *_ in found if line == len(rest) + 3]
        assert bool(is_reported) == is_other
