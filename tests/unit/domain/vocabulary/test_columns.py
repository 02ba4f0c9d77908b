"""How a header is matched to the columns, and that no list of columns lacks one."""

import re

import pytest
import sheets

from cvms_pipeline.database import engine, tables
from cvms_pipeline.domain.sheets import frames
from cvms_pipeline.domain.validation import row_schema
from cvms_pipeline.domain.vocabulary import columns, reasons

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

    header = columns.match_header(cells)

    assert header.missing == ()
    assert header.positions[columns.NAMES[position]] == position


LOOSE_NAMES = [
    (0, "First name*"),
    (0, "* First name (required)"),
    (0, "Forename"),
    (0, "Given"),
    (0, "Nombre"),
    (0, "Nombre(s)"),
    (0, "First name / Nombre"),
    (0, "First\u2000name"),  # an en quad
    (0, "\uff26\uff49\uff52\uff53\uff54 name"),  # full-width letters
    (0, "F\u0456rst name"),  # a Cyrillic letter
    (0, "First name (as on your ID)"),
    (1, "Last name [required field]"),
    (1, "Apellido"),
    (1, "Apellidos (obligatorio)"),
    (1, "Last\u2014name"),  # a dash
    (2, "Date of birth (MM/DD/YYYY)*"),
    (2, "DOB mm/dd/yyyy"),
    (2, "Date of birth (month/day/year)"),
    (2, "Date of birth (e.g. 12/8/1955)"),
    (2, "Birthday"),
    (2, "Fecha de nacimiento (MM/DD/AAAA)"),
    (2, "D\u0430te of birth"),  # a Cyrillic letter
    (3, "Email:"),
    (3, "Mail"),
    (3, "E\u2011mail"),  # a no-break hyphen
    (3, "\u0395mail"),  # a Greek letter
    (3, "Correo"),
    (3, "Correo (electr\u00f3nico)"),
    (3, "CORREO ELECTRONICO"),
    (3, "Email | Correo"),
]
OTHER_NAMES = [
    (0, "First name (guardian)"),
    (0, "Preferred first name"),
    (0, "First name / Last name"),  # two columns in one
    (1, "Last name (maiden)"),
    (2, "Date of visit (MM/DD/YYYY)"),
    (3, "Mailing address"),
    (3, "\u041f\u043e\u0447\u0442\u0430"),  # "mail" in Russian
    (3, "(MM/DD/YYYY)"),
    (3, "*"),
]


@pytest.mark.parametrize(("position", "cell"), LOOSE_NAMES)
def test_a_column_that_is_missing_is_found_by_a_loose_reading(position, cell):
    cells = [*TEMPLATE[:position], cell, *TEMPLATE[position + 1 :]]

    header = columns.match_header(cells)

    assert (header.missing, header.repeated, header.ignored) == ((), (), ())
    assert header.positions[columns.NAMES[position]] == position


@pytest.mark.parametrize(("position", "cell"), OTHER_NAMES)
def test_a_remark_that_changes_the_meaning_makes_another_column(position, cell):
    cells = [*TEMPLATE[:position], cell, *TEMPLATE[position + 1 :]]

    header = columns.match_header(cells)

    assert header.missing == (columns.NAMES[position],)
    assert header.ignored == (cell,)


def test_a_column_that_was_found_is_not_found_again_by_a_loose_reading():
    header = columns.match_header([*TEMPLATE, "Mail", "First name*", "Birthday"])

    assert (header.missing, header.repeated) == ((), ())
    assert header.ignored == ("Mail", "First name*", "Birthday")


def test_two_loose_names_of_one_column_are_the_same_column_twice():
    header = columns.match_header([*TEMPLATE[:3], "Mail", "Correo"])

    assert header.repeated == (columns.EMAIL,)


def test_columns_may_stand_in_any_order():
    header = columns.match_header(["Email", "DOB", "Surname", "Given name"])

    assert [header.positions[c] for c in columns.NAMES] == [3, 2, 1, 0]


def test_the_header_of_the_error_report_is_a_valid_header():
    header = columns.match_header(columns.REPORT_HEADER)

    assert (header.missing, header.repeated, header.ignored) == ((), (), ())


def test_unknown_columns_are_named_in_order_without_error_and_unnamed_ones():
    header = columns.match_header(["Shoe  size", "ERROR", *TEMPLATE, "", "Notes", ""])

    assert header.ignored == ("Shoe size", "Notes")


def test_missing_columns_are_named_in_column_order():
    header = columns.match_header(["Email", "First name", "Name"])

    assert header.missing == (columns.LAST_NAME, columns.BIRTH_DATE)


def test_a_column_and_its_alias_are_the_same_column_twice():
    header = columns.match_header([*TEMPLATE, "Surname"])

    assert header.repeated == (columns.LAST_NAME,)


def test_an_unknown_column_may_stand_twice():
    header = columns.match_header([*TEMPLATE, "Notes", "Notes"])

    assert header.repeated == ()


def test_the_width_leaves_out_empty_cells_at_the_end():
    header = columns.match_header(["", *TEMPLATE, "\u200b", " "])

    assert header.width == 5


def test_the_original_cells_and_the_rules_have_every_column():
    rules = row_schema.build_schema(sheets.TODAY).columns

    assert tuple(frames.Cells.to_schema().columns) == columns.NAMES
    assert tuple(rules) == columns.NAMES


def test_the_columns_in_which_no_cell_may_be_empty_are_the_required_ones():
    rules = row_schema.build_schema(sheets.TODAY).columns

    assert (
        tuple(
            name
            for name, column in rules.items()
            if reasons.REQUIRED_MISSING in {check.error for check in column.checks}
        )
        == columns.REQUIRED
    )


@pytest.mark.parametrize("table", [tables.recipients, tables.rejected_rows])
def test_every_column_is_stored(table):
    assert set(columns.NAMES) <= set(table.columns.keys())


@pytest.mark.parametrize(
    "statement", ["create_planned", "insert_recipients", "read_rejected_rows"]
)
def test_statements_list_every_column_in_order(statement):
    load = engine.load_statements("cvms_pipeline.store")
    words = re.findall(r"\w+", str(load(statement)))
    named = [word for word in words if word in columns.NAMES]

    assert tuple(named[: len(columns.NAMES)]) == columns.NAMES


def test_a_file_without_an_optional_column_has_empty_cells_there(monkeypatch):
    required = (columns.FIRST_NAME, columns.LAST_NAME, columns.BIRTH_DATE)
    monkeypatch.setattr(columns, "REQUIRED", required)

    read = sheets.read("DOB,First name,Last name,Notes\n1/2/1990,Ann,Lee,x\n")

    assert read.cells.loc[2, [*required, columns.EMAIL]].tolist() == [
        *("Ann", "Lee", "1/2/1990"),
        "",
    ]
    assert read.rejections.empty
