"""The refusal of a header says what is really there, and what to do."""

import pytest
import sheets
from hypothesis import given, settings
from hypothesis import strategies as st

ROW = "Rosa,Field,4/5/1971,rosa@example.org"
TEMPLATE = "First name,Last name,Date of birth,Email"
TITLE = "Mercy Hospital staff list"
NOT_FOUND = (
    "Columns FirstName, LastName, Date of birth, Email were not found in the first row,"
    " which is: "
)
SPLIT = (
    "Open the file in Excel, select column A, choose Data > Text to Columns > Delimited"
    ' > Comma, and save it as "CSV UTF-8 (Comma delimited)".'
)
FIXED_WIDTH = (
    "Separate them by commas: in Excel, choose Data > From Text/CSV > Fixed Width, open"
    ' the file, and save it as "CSV UTF-8 (Comma delimited)".'
)
NO_HEADER = (
    "The file has no header line: its first row looks like data. Insert a row above it"
    f" that names the columns in their order, such as: {TEMPLATE}"
)


def separated(sign, header):
    return (
        f'The columns are separated by "{sign}", not by a comma, semicolon or tab:'
        f' {header}. Replace each "{sign}" between columns by a comma, and upload the'
        " file again."
    )


ADVICE = [
    (
        f'"{TEMPLATE}"\n"{ROW}"',
        "The whole first row is in one cell (column A), because quotation marks"
        f" surround the whole line: {TEMPLATE}. {SPLIT}",
    ),
    (
        f'"{TEMPLATE}",,,\n"{ROW}",,,',  # saved by a spreadsheet
        "The whole first row is in one cell (column A), because quotation marks"
        f" surround the whole line: {TEMPLATE}. {SPLIT}",
    ),
    (
        f'"{TEMPLATE.replace(",", ";")}"\n"{ROW}"',
        "The whole first row is in one cell (column A): First name;Last name;Date"
        f" of birth;Email. {SPLIT.replace('Comma,', 'Semicolon,')}",
    ),
    (
        f"{TEMPLATE}\n{ROW}".replace(",", "|"),
        separated("|", "First name|Last name|Date of birth|Email"),
    ),
    (
        f"{TEMPLATE}\n{ROW}".replace(",", "^"),
        separated("^", "First name^Last name^Date of birth^Email"),
    ),
    (
        f"{TEMPLATE}\n{ROW}".replace(",", " : "),
        separated(":", "First name : Last name : Date of birth : Email"),
    ),
    (
        f"{TEMPLATE}\n{ROW}".replace(",", "\uff0c"),  # a full-width comma
        separated("\uff0c", TEMPLATE.replace(",", "\uff0c")),
    ),
    (
        f"{TEMPLATE}\n{ROW}".replace(",", "\x1f"),  # the unit separator
        separated(r"\x1f", TEMPLATE.replace(",", r"\x1f")),
    ),
    (
        '"First name"|"Last name"|"Date of birth"|"Email"\n',
        separated("|", '"First name"|"Last name"|"Date of birth"|"Email"'),
    ),
    (
        "First name   Last name    Date of birth   Email\nRosa         Field\n",
        "The columns are separated by spaces: First name   Last name    Date of birth "
        f"  Email. {FIXED_WIDTH}",
    ),
    (
        "FirstName LastName DOB Email\nRosa Field 4/5/1971 rosa@example.org\n",
        f"The columns are separated by spaces: FirstName LastName DOB Email."
        f" {FIXED_WIDTH}",
    ),
    (
        f"{TITLE},,,\nExported 11/20/2026,,,\n,,,\n{TEMPLATE}\n{ROW}\n",
        f"{NOT_FOUND}{TITLE}, (empty), (empty), (empty). Line 4 looks like the header:"
        " delete the lines above it.",
    ),
    (
        f"{TITLE}\n{TEMPLATE}\n{ROW}\n".replace(",", ";"),
        f"{NOT_FOUND}{TITLE}. Line 2 looks like the header: delete the lines above it.",
    ),
    (
        f"{TITLE}\n{TEMPLATE.replace('Email', 'Notes')}\n",
        f"{NOT_FOUND}{TITLE}. Line 2 looks like the header, but lacks Email: delete the"
        " lines above it and add Email.",
    ),
    (f"{ROW}\nIda,Lake,2/3/1980,ida@example.org\n", NO_HEADER),
    (f"{ROW}\n".replace(",", "|"), NO_HEADER),
    ("Rosa,Field,4/5/1971,\n", NO_HEADER),  # a date among other cells
    (
        f"{TITLE}, 11/20/2026\n",  # a date in a title
        f"{NOT_FOUND}{TITLE}, 11/20/2026. Use the header of the template: {TEMPLATE}",
    ),
    (
        f"{TITLE}\n" * 51 + TEMPLATE,  # the header is too far below
        f"{NOT_FOUND}{TITLE}. Use the header of the template: {TEMPLATE}",
    ),
    (
        "First name,Last name,Date of birth,Phone\nRosa,Field,4/5/1971,1\n",
        "Column Email was not found in the first row, which is: First name, Last name,"
        f" Date of birth, Phone. Use the header of the template: {TEMPLATE}",
    ),
]
DECLARED = [
    (f"sep=;\n{TEMPLATE}\n{ROW}".replace(",", ";"), ";"),
    (f"SEP=,\r\n{TEMPLATE}\r\n{ROW}", ","),
    (f"sep=\t\n{TEMPLATE}\n{ROW}".replace(",", "\t"), "\t"),
    (f"sep=|\n{TEMPLATE}\n{ROW}".replace(",", "|"), "|"),
    (f"sep=^\n{TEMPLATE}\n{ROW}".replace(",", "^"), "^"),
    (f'"sep=;"\n{TEMPLATE}\n{ROW}'.replace(",", ";"), ";"),
    (f"sep=,,,,\n{TEMPLATE}\n{ROW}", ","),  # saved again by a spreadsheet
    (f"sep=;\n{TEMPLATE}\n{ROW}", ","),  # it is not so
]


@pytest.mark.parametrize(("data", "message"), ADVICE)
def test_a_refused_header_is_explained_by_what_is_there(data, message):
    refusal = sheets.read(data).refusal

    assert (refusal.code, refusal.message) == ("header-missing", message)


@pytest.mark.parametrize(("data", "delimiter"), DECLARED)
def test_a_declared_delimiter_is_used_and_its_line_is_counted(data, delimiter):
    sheet = sheets.read(data)

    assert sheet.delimiter == delimiter
    assert sheet.values.loc[3].tolist() == ROW.split(",")


def test_a_declaration_above_nothing_is_an_empty_file():
    assert sheets.code_of("sep=;\n") == "file-empty"


@pytest.mark.parametrize(
    "end", ["\x1a", "\n\x1a", "\r\n\x1a\r\n", "\n \x1a\x1a\n \x1a\n"]
)
def test_the_sign_that_ends_a_file_is_ignored(end):
    sheet = sheets.validate(f"{TEMPLATE}\n{ROW}{end}")

    assert sheet.valid_values.index.tolist() == [2]
    assert sheet.rejections.empty


def test_the_sign_is_kept_where_the_file_does_not_end():
    assert sheets.read(f"{TEMPLATE}\nA\x1ann,Lee,1/2/1990,a@b.org\n").cells.loc[
        2, "first_name"
    ] == ("A\x1ann")


@settings(max_examples=200, deadline=None, database=None)
@given(st.lists(st.text(max_size=30), min_size=1, max_size=8), st.sampled_from(",;|: "))
def test_a_refusal_is_one_line_of_printable_characters_for_any_header(cells, sign):
    refusal = sheets.read(sign.join(cells) + f"\n{sheets.GOOD}\n").refusal

    assert refusal is None or refusal.message.isprintable()
    assert refusal is None or len(refusal.message) < 1_200


signs = st.characters(
    categories=["P", "S", "Cc"], exclude_characters="\0\n\r\"'_-.\x1a,;\t"
)


@settings(max_examples=200, deadline=None, database=None)
@given(signs)
def test_any_sign_that_separates_columns_is_named(sign):
    text = f"{TEMPLATE}\n{ROW}".replace(",", sign)

    refusal = sheets.read(text).refusal

    assert refusal.code == "header-missing"
    assert refusal.message.startswith("The columns are separated by ")


@settings(max_examples=100, deadline=None, database=None)
@given(st.lists(st.text("ABC xyz", max_size=20), min_size=1, max_size=40))
def test_the_header_is_found_below_any_title(lines):
    title = "Title\n" + "\n".join(lines)

    refusal = sheets.read(f"{title}\n{TEMPLATE}\n{ROW}\n").refusal

    assert f"Line {len(lines) + 2} looks like the header: delete" in refusal.message
