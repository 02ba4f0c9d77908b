"""How a header is matched to the columns."""

import pytest

from cvms_pipeline.domain import columns

TEMPLATE = list(columns.TEMPLATE_HEADER)

FIRST_NAMES = [
    "First name",
    "FIRST_NAME",
    " first-name ",
    "FirstName",
    "first.name",
    "Given name",
    "recip_first_name",
    "First\u00a0name",  # a no-break space
    "\ufeffFirst name",  # a second byte-order mark
    "First\nname",  # Alt+Enter in Excel
]
LAST_NAMES = ["Surname", "family name", "LAST NAME", "recip_last_name"]
BIRTH_DATES = ["DOB", "D.O.B.", "birth date", "Birthdate", "recip_dob"]
EMAILS = ["e-mail", "E-Mail Address", "emailaddress", "recip_email", "EMAIL"]


@pytest.mark.parametrize(
    ("position", "cell"),
    [
        (position, cell)
        for position, cells in enumerate([FIRST_NAMES, LAST_NAMES, BIRTH_DATES, EMAILS])
        for cell in cells
    ],
)
def test_a_column_is_found_by_any_of_its_names(position, cell):
    cells = [*TEMPLATE[:position], cell, *TEMPLATE[position + 1 :]]

    header = columns.match(cells)

    assert header.missing == ()
    assert header.positions[columns.REQUIRED[position]] == position


def test_columns_may_stand_in_any_order():
    header = columns.match(["Email", "DOB", "Surname", "Given name"])

    assert [header.positions[c] for c in columns.REQUIRED] == [3, 2, 1, 0]


def test_the_header_of_the_error_report_is_a_valid_header():
    header = columns.match(columns.REPORT_HEADER)

    assert (header.missing, header.repeated, header.ignored) == ((), (), ())


def test_unknown_columns_are_named_in_order_without_error_and_unnamed_ones():
    header = columns.match(["Shoe  size", "ERROR", *TEMPLATE, "", "Notes", ""])

    assert header.ignored == ("Shoe size", "Notes")


def test_missing_columns_are_named_in_column_order():
    header = columns.match(["Email", "First name", "Name"])

    assert header.missing == (columns.LAST_NAME, columns.BIRTH_DATE)


def test_a_column_and_its_alias_are_the_same_column_twice():
    header = columns.match([*TEMPLATE, "Surname"])

    assert header.repeated == (columns.LAST_NAME,)


def test_an_unknown_column_may_stand_twice():
    header = columns.match([*TEMPLATE, "Notes", "Notes"])

    assert header.repeated == ()


def test_the_width_leaves_out_empty_cells_at_the_end():
    header = columns.match(["", *TEMPLATE, "\u200b", " "])

    assert header.width == 5
