"""People who are probably known already load, and are recorded with their lines."""

import pytest

from cvms_pipeline.domain.vocabulary.likeness import Likeness, PossibleDuplicate

ANN = "Ann,Bell,4/5/1971,ann@b.org"
OTHER = "Cy,Dee,1/2/1990,cy@b.org"


def recorded(desk):
    return list(desk.latest().possible_duplicates)


def like(likeness, *, line=3, upload="upload-1", other_line=2, is_own=True):
    return PossibleDuplicate(
        line=line,
        likeness=likeness,
        upload=upload,
        other_line=other_line,
        is_own=is_own,
    )


_PROBABLY_ANN = [
    ("Bell,Ann,4/5/1971,other@b.org", Likeness.SWAPPED_NAMES),
    ("ANN,Muir,4/5/1971,ANN@b.org", Likeness.OTHER_LAST_NAME),
    ("Ann,Bell,5/4/1971,ann@b.org", Likeness.SWAPPED_DATE),
]


@pytest.mark.parametrize(("row", "likeness"), _PROBABLY_ANN)
def test_a_person_who_is_probably_stored_loads_and_is_recorded(desk, row, likeness):
    desk.bring([ANN])

    ended = desk.bring([OTHER, row])

    assert (ended.loaded, ended.rejected) == (2, 0)
    assert list(ended.possible_duplicates) == recorded(desk) == [like(likeness)]


@pytest.mark.parametrize(("row", "likeness"), _PROBABLY_ANN)
def test_a_person_of_another_provider_is_recorded_as_not_own(desk, row, likeness):
    desk.bring([ANN], "duke")

    desk.bring([OTHER, row])

    assert recorded(desk) == [like(likeness, is_own=False)]


@pytest.mark.parametrize(("row", "likeness"), _PROBABLY_ANN)
def test_an_earlier_row_of_the_file_is_recorded_without_an_upload(desk, row, likeness):
    desk.bring([OTHER, ANN, row])

    assert recorded(desk) == [like(likeness, line=4, upload=None, other_line=3)]


_SOMEBODY_ELSE = [
    "Bell,Ann,4/6/1971,ann@b.org",  # names swapped, and born on another day
    "Ann,Muir,4/5/1971,ann@c.org",  # another last name and address
    "Ann,Muir,4/6/1971,ann@b.org",  # another last name and birth date
    "Amy,Muir,4/5/1971,ann@b.org",  # a family: address and birth date of twins
    "Ann,Bell,5/4/1971,ann@c.org",  # day and month swapped, another address
    "Ann,Bell,5/4/1972,ann@b.org",  # day and month swapped, in another year
    "Ann,Bell,4/13/1971,ann@b.org",  # a day that is no month
]


@pytest.mark.parametrize("row", _SOMEBODY_ELSE)
def test_somebody_else_is_no_possible_duplicate(desk, row):
    desk.bring([ANN])

    desk.bring([row])

    assert recorded(desk) == []


@pytest.mark.parametrize("row", _SOMEBODY_ELSE)
def test_somebody_else_in_the_file_is_no_possible_duplicate(desk, row):
    desk.bring([ANN, row])

    assert recorded(desk) == []


def test_of_a_family_that_shares_an_address_the_right_one_is_found(desk):
    family = ["Bo,Bell,1/1/1970,ann@b.org", "Di,Bell,1/1/1971,ann@b.org", ANN]
    desk.bring(family)

    desk.bring(["Ann,Muir,4/5/1971,ann@b.org"])

    assert recorded(desk) == [like(Likeness.OTHER_LAST_NAME, line=2, other_line=4)]


def test_a_duplicate_or_a_correction_is_no_possible_duplicate(desk):
    desk.bring([ANN, "Bell,Ann,4/5/1971,bell@b.org"])

    ended = desk.bring([ANN, "Bell,Ann,4/5/1971,new@b.org"])

    assert (ended.updated, ended.rejected) == (1, 1)
    assert recorded(desk) == []


def test_loading_again_records_the_same(desk):
    desk.bring([ANN])
    upload_id, rows = desk.receive(), ["Bell,Ann,4/5/1971,ann@b.org", ANN]
    first = desk.load(upload_id, desk.decide(upload_id, rows))

    again = desk.load(upload_id, desk.decide(upload_id, rows))

    assert first == again
    assert recorded(desk) == [like(Likeness.SWAPPED_NAMES, line=2)]


def test_what_another_upload_stores_meanwhile_is_compared_when_it_is_decided_again(
    desk,
):
    upload_id = desk.receive()
    planned = desk.decide(upload_id, [OTHER, "Bell,Ann,4/5/1971,x@b.org"])
    desk.bring([ANN, OTHER])

    ended = desk.load(upload_id, planned)

    assert ended.rejected == 1
    (found,) = ended.possible_duplicates
    assert (found.line, found.other_line) == (3, 2)
