"""Which rows are rejected rows of an earlier upload, and which are only like them."""

import hypothesis
import pandas as pd
import pytest
import sheets
from hypothesis import strategies

from cvms_pipeline.domain.matching import brought_back
from cvms_pipeline.domain.reporting import error_report

CY = ("Cy", "", "13/41/1991", "cy@b.example.org")
DEE = ("Dee#", "Lee", "3/4/1991", "dee@b.example.org")
TWIN = ("", "Lee", "3/4/2015", "family@b.example.org")


def reject(*rows, upload="earlier"):
    """Return the rejected rows of an upload of these cells."""
    judged = sheets.validate(sheets.below_header(*(sheets.quote(*row) for row in rows)))
    messages = error_report.compose_messages(judged.rejections)
    codes = judged.rejections.groupby("line")["code"].agg(",".join)
    kept = judged.cells.loc[messages.index].assign(
        upload=upload, codes=codes, message=messages
    )
    return kept.rename_axis("line").reset_index()


def match(rejected, *rows, errors=None):
    """Return the lines that are brought back: their upload and line to ours."""
    read = sheets.read(sheets.below_header(*(sheets.quote(*row) for row in rows)))
    told = pd.Series(errors or [""] * len(rows), index=read.cells.index, dtype=str)
    found = brought_back.match_rows(read.cells, told, rejected)
    lines = zip(found["line"], found["brought_back_line"], strict=True)
    return dict(lines) if found["upload"].nunique() < 2 else found.values.tolist()


def error_of(rejected, line):
    return rejected.set_index("line").loc[line, "message"]


# A rejected row, and the corrected one without its error.
CORRECTED = [
    (CY, ("Cy", "Lee", "1/2/1991", "cy@b.example.org")),
    (DEE, ("Dee", "Lee", "3/4/1991", "dee@b.example.org")),
    (DEE, ("Dee", "Lee", "03/04/1991", " DEE@b.example.org ")),  # as a program saves it
    (DEE, DEE),  # sent again as it was
    # A name that stays decides where the address is corrected.
    (("Eve", "Lee", "3/4/1991", "eve@"), ("Eve", "Lee", "3/4/1991", "eve@b.org")),
    (("Noé\ufffd", "P", "3/4/1991", "n@b.org"), ("Noé", "P", "3/4/1991", "n@b.org")),
    (TWIN, ("Ann", "Lee", "3/4/2015", "family@b.example.org")),
]  # fmt: skip


@pytest.mark.parametrize(("rejected", "corrected"), CORRECTED)
def test_a_corrected_row_is_the_rejected_row(rejected, corrected):
    assert match(reject(rejected), corrected) == {2: 2}


# A rejected row, and another one that is not it.
OTHERS = [
    # A twin has all in common but the first name.
    (DEE, ("Ann", "Lee", "3/4/1991", "dee@b.example.org")),
    (DEE, ("Dee", "Lee", "3/4/1990", "dee@b.example.org")),  # the date was not wrong
    (DEE, ("Dee", "Lee", "3/4/1991", "other@b.example.org")),
    (CY, ("Cy", "Lee", "1/2/1991", "other@b.example.org")),
    # Nothing but an address, or a name, in common.
    (("", "", "", "ann@b.org"), ("Ann", "Lee", "1/2/1990", "ann@b.org")),
    (("Ann", "", "", ""), ("Ann", "Lee", "1/2/1990", "ann@b.org")),
]


@pytest.mark.parametrize(("rejected", "other"), OTHERS)
def test_another_row_is_not_the_rejected_row(rejected, other):
    assert match(reject(rejected), other) == {}


def test_a_row_with_the_error_is_the_rejected_row_whatever_was_corrected():
    rejected = reject(("Ann#", "", "", ""), DEE)
    errors = [error_of(rejected, 3), error_of(rejected, 2)]
    rows = [
        ("Dee", "Moe", "1/1/2000", "dee@b.example.org"),
        ("Ann", "Lee", "1/2/1990", "a@b.org"),
    ]

    assert match(rejected, *rows, errors=errors) == {2: 3, 3: 2}


def test_another_person_in_the_place_of_a_row_is_not_the_row():
    rejected = reject(DEE)

    person = ("Zoe", "Moe", "1/1/2000", "zoe@b.org")

    assert match(rejected, person, errors=[error_of(rejected, 2)]) == {}


def test_the_error_decides_between_two_uploads_with_the_same_line():
    rejected = pd.concat(
        [reject(("Cy", "", "1/2/1990", "cy@b.org"), upload="a"),
         reject(("Dan", "", "1/2/1990", "dan@b.org"), upload="b")],
        ignore_index=True,
    )  # fmt: skip
    row = ("Dan", "Lee", "1/2/1990", "new@b.org")

    found = match(
        rejected, row, errors=["Line 2: Required fields are missing: [LastName]"]
    )

    assert found == {2: 2}


def test_rows_that_are_alike_are_all_brought_back_by_one():
    assert match(reject(CY, CY), ("Cy", "Lee", "1/2/1991", CY[3])) == {2: 2, 3: 2}


def test_where_two_rows_can_be_it_none_is():
    ann, ben = (("Ann", *TWIN[1:]), ("Ben", *TWIN[1:]))

    assert match(reject(TWIN, TWIN), ann, ben) == {}


def test_two_bare_rows_of_two_uploads_are_not_taken_for_one():
    bare = ("Ann#", "", "", "")
    rejected = pd.concat(
        [reject(bare, upload="a"), reject(bare, upload="b")], ignore_index=True
    )

    row = ("Ann", "Lee", "1/2/1990", "a@b.org")

    assert match(rejected, row, errors=[error_of(reject(bare), 2)]) == {}


def test_many_rows_with_one_address_and_date_are_not_compared_with_each_other():
    same = [("", f"Lee{n}", "1/2/1990", "all@b.org") for n in range(100)]
    rejected = reject(*same)

    found = match(rejected, *(("Ann", *row[1:]) for row in same))

    assert found == {}


_CELL = strategies.sampled_from(
    ["", "Ann", "ann", "Ann#", "Lee", "1/2/1990", "01/02/1990", "13/41/1991", "a@b.org",
     "a@", "É", "\u200b"]
)  # fmt: skip
_ROWS = strategies.lists(strategies.tuples(*[_CELL] * 4), min_size=1, max_size=8)


@hypothesis.given(_ROWS, _ROWS)
@hypothesis.settings(deadline=None, max_examples=25)
def test_no_rejected_row_is_brought_back_twice_and_each_by_a_row_of_the_file(old, new):
    filled = [row for row in new if any(cell.strip("\u200b") for cell in row)]
    hypothesis.assume(filled)
    hypothesis.assume(any(any(c.strip("\u200b") for c in row) for row in old))
    rejected = reject(*old)
    hypothesis.assume(len(rejected))
    read = sheets.read(sheets.below_header(*(sheets.quote(*row) for row in filled)))
    errors = pd.Series("", index=read.cells.index, dtype=str)

    found = brought_back.match_rows(read.cells, errors, rejected)

    assert not found.duplicated(["upload", "line"]).any()
    assert set(found["line"]) <= set(rejected["line"])
    assert set(found["brought_back_line"]) <= set(read.cells.index)


@hypothesis.given(_ROWS)
@hypothesis.settings(deadline=None, max_examples=25)
def test_a_report_as_it_is_brings_back_only_its_own_rows(rows):
    hypothesis.assume(any(any(c.strip("\u200b") for c in row) for row in rows))
    rejected = reject(*rows)
    hypothesis.assume(len(rejected))
    cells = rejected[["first_name", "last_name", "birth_date", "email"]]
    lines = pd.Index(range(2, len(cells) + 2), name="line")

    found = brought_back.match_rows(
        cells.set_axis(lines), rejected["message"].set_axis(lines), rejected
    )

    assert found["line"].tolist() == rejected["line"].tolist()
    assert found["brought_back_line"].tolist() == lines.tolist()
