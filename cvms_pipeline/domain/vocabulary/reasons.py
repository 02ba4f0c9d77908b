"""Why a row or a file is refused: a code, a sentence and a remedy, written once.

Reports, notices and `docs/reasons.md` take their words from here.  `row_schema`,
`duplicates` and `reader` decide when a reason applies; `wording` has the text that a
rejected row gets, with its values.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from cvms_pipeline.domain.vocabulary import columns

REQUIRED_MISSING = "required-missing"
NAME_CHARACTERS = "name-characters"
NAME_LENGTH = "name-length"
BIRTH_DATE_INVALID = "birth-date-invalid"
BIRTH_DATE_AMBIGUOUS = "birth-date-ambiguous"
EMAIL_INVALID = "email-invalid"
DUPLICATE_IN_FILE = "duplicate-in-file"
DUPLICATE_RECIPIENT = "duplicate-recipient"
TEXT_ENCODING = "text-encoding"
ROW_CELLS = "row-cells"

DUPLICATES = frozenset({DUPLICATE_IN_FILE, DUPLICATE_RECIPIENT})
"""The person of such a row is loaded already."""

MAX_NAME_LENGTH = 80
"""The longest name, in characters (Unicode code points)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reason:
    """Why a row is rejected.

    Attributes:
        code: Stable; programs and tables rely on it.
        sentence: What is wrong with the row.
        remedy: How the provider corrects it.
        one: What to do, for a single row.
        many: What to do, for `{count}` rows.
        example: A text of the error report, without `Line N: `.
    """

    code: str
    sentence: str
    remedy: str
    one: str
    many: str
    example: str


_ALL = (
    _Reason(
        code=REQUIRED_MISSING,
        sentence="One or more of the four required fields are empty.",
        remedy="Fill in what is empty.",
        one="Fill in the empty required fields in 1 row.",
        many="Fill in the empty required fields in {count} rows.",
        example="Required fields are missing: [LastName, Date of birth]",
    ),
    _Reason(
        code=NAME_CHARACTERS,
        sentence=(
            "A name holds a character other than letters and accents of any script,"
            " digits, spaces, full stops, apostrophes, hyphens and middle dots, or has"
            " no letter; or letters of two alphabets in one word, or an apostrophe"
            " before it."
        ),
        remedy=(
            "Write the name with letters and such signs only, and what the message says"
            " instead of a character that only looks right."
        ),
        one="Remove the characters that a name cannot hold in 1 row.",
        many="Remove the characters that a name cannot hold in {count} rows.",
        example="FirstName: invalid characters: Ann#",
    ),
    _Reason(
        code=NAME_LENGTH,
        sentence=f"A name is longer than {MAX_NAME_LENGTH} characters.",
        remedy=f"Shorten the name to {MAX_NAME_LENGTH} characters or fewer.",
        one=f"Shorten the name to {MAX_NAME_LENGTH} characters in 1 row.",
        many=f"Shorten the names to {MAX_NAME_LENGTH} characters in {{count}} rows.",
        example=f"LastName: longer than {MAX_NAME_LENGTH} characters",
    ),
    _Reason(
        code=BIRTH_DATE_INVALID,
        sentence=(
            "The birth date is not written M/D/YYYY, is not in the calendar, lies in"
            " the future or over 120 years ago."
        ),
        remedy="Write month, day and a year of four digits, such as 12/8/1955.",
        one="Enter a birth date as M/D/YYYY in 1 row.",
        many="Enter a birth date as M/D/YYYY in {count} rows.",
        example="Date of birth: invalid Date of birth: 12/8/19555",
    ),
    _Reason(
        code=BIRTH_DATE_AMBIGUOUS,
        sentence=(
            "The birth date could be month first or day first, and more dates of the"
            " file can only be day first than can only be month first."
        ),
        remedy=(
            "Write every birth date of the file with the month first, such as"
            " 12/31/1955 for December 31."
        ),
        one=(
            "Check day and month in 1 row: other birth dates of the file have the day"
            " first. Write the month first."
        ),
        many=(
            "Check day and month in {count} rows: other birth dates of the file have"
            " the day first. Write the month first."
        ),
        example="Date of birth: day and month may be swapped: 3/4/1990",
    ),
    _Reason(
        code=EMAIL_INVALID,
        sentence="The e-mail address is not one that mail can be sent to.",
        remedy=(
            "Write one address such as name@example.org, nothing around it; the message"
            " says what to write where that is certain."
        ),
        one="Enter a complete e-mail address in 1 row.",
        many="Enter a complete e-mail address in {count} rows.",
        example="Email: invalid email address: bademail",
    ),
    _Reason(
        code=DUPLICATE_IN_FILE,
        sentence=(
            "An earlier row of the file has the same first name, last name and birth"
            " date; that one is loaded."
        ),
        remedy="Remove the row, or correct the name or birth date if they differ.",
        one="Remove 1 row that repeats an earlier row of the file.",
        many="Remove {count} rows that repeat an earlier row of the file.",
        example=(
            "Email: invalid email address: Duplicated a@b.org (same person as line 3)"
        ),
    ),
    _Reason(
        code=DUPLICATE_RECIPIENT,
        sentence=(
            "A recipient with the same first name, last name and birth date has been"
            " loaded before. If another e-mail address was not taken over because many"
            ' rows of the file have this birth date, the text ends with "(the stored'
            " address was not changed, because 8 rows of this file have the same birth"
            ' date)".'
        ),
        remedy="Remove the row; ask the help desk if the e-mail address must change.",
        one="Remove 1 row whose recipient has been loaded before.",
        many="Remove {count} rows whose recipients have been loaded before.",
        example="Email: invalid email address: Duplicated a@b.org",
    ),
    _Reason(
        code=TEXT_ENCODING,
        sentence=(
            "The letters of the row cannot be read with certainty: the file is not in"
            " UTF-8, or a program has read it in the wrong encoding."
        ),
        remedy=(
            "Save the original as UTF-8 and drop it again: in Excel File > Save As >"
            ' "CSV UTF-8 (Comma delimited)", in LibreOffice File > Save As > "Text CSV"'
            ' with the character set "Unicode (UTF-8)". Or correct the letters in the'
            " error report."
        ),
        one='Save the file as "CSV UTF-8", because letters are unreadable in 1 row.',
        many=(
            'Save the file as "CSV UTF-8", because letters are unreadable in {count}'
            " rows."
        ),
        example=(
            "FirstName: letters cannot be read with certainty: Jos\ufffd (probably"
            ' José); correct the letters, or save the original as "CSV UTF-8" and drop'
            " it again"
        ),
    ),
    _Reason(
        code=ROW_CELLS,
        sentence=(
            "The row has more cells than the header or too few to reach a required"
            " column, or broken quotation marks."
        ),
        remedy=(
            "Put quotation marks around a value that holds the delimiter, write a"
            " quotation mark inside them twice, and fill the row up to the last column."
            f' In the error report, move what is in the columns "{columns.EXTRA_LABEL}"'
            " to where it belongs, or remove it."
        ),
        one="Correct the number of cells or the quotation marks in 1 row.",
        many="Correct the number of cells or the quotation marks in {count} rows.",
        example="Row has 6 cells, expected 4",
    ),
)

REASONS: Mapping[str, _Reason] = {reason.code: reason for reason in _ALL}
"""Every reason of rows by its code, in the order of reports and documents."""


def describe_remedy(code: str, count: int) -> str:
    """Return what to do about `count` rows that are rejected for `code`."""
    reason = REASONS[code]
    return reason.one if count == 1 else reason.many.format(count=f"{count:,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why one file is refused.

    `message` may quote the file's first row, so it may hold personal data.
    """

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _RefusalReason:
    """Why files are refused: the code, what is wrong, how it is corrected."""

    code: str
    sentence: str
    remedy: str


FILE_EMPTY = "file-empty"
FILE_NOT_CSV = "file-not-csv"
FILE_TOO_LARGE = "file-too-large"
HEADER_MISSING = "header-missing"
HEADER_DUPLICATE = "header-duplicate"
TOO_MANY_ROWS = "too-many-rows"
NOT_A_FILE = "not-a-file"
NOT_READABLE = "not-readable"
PROVIDER_UNKNOWN = "provider-unknown"

_SAVE_AS = (
    'Open it in Excel, choose File > Save As, pick "CSV UTF-8 (Comma delimited)" and'
    " upload the new file."
)

_ALL_REFUSALS = (
    _RefusalReason(
        code=FILE_EMPTY,
        sentence="The file is empty: it has no rows below the header.",
        remedy="Put at least one row below the header and upload it again.",
    ),
    _RefusalReason(
        code=FILE_NOT_CSV,
        sentence="The file is not a CSV: it contains something other than plain text.",
        remedy=_SAVE_AS,
    ),
    _RefusalReason(
        code=FILE_TOO_LARGE,
        sentence="The file has more bytes than the limit.",
        remedy="Split it into smaller files, each with the header.",
    ),
    _RefusalReason(
        code=HEADER_MISSING,
        sentence="The first row of the file does not name all required columns.",
        remedy=f"Use the header of the template: {','.join(columns.TEMPLATE_HEADER)}",
    ),
    _RefusalReason(
        code=HEADER_DUPLICATE,
        sentence="The first row of the file names a column more than once.",
        remedy="Keep one column of each and upload the file again.",
    ),
    _RefusalReason(
        code=TOO_MANY_ROWS,
        sentence="The file has more rows than its folder takes.",
        remedy=(
            "Up to 100 rows go into the low_volume folder, up to 5,000 into"
            " high_volume; split a larger file, each part with the header."
        ),
    ),
    _RefusalReason(
        code=NOT_A_FILE,
        sentence="What was dropped is not a file; it was not opened.",
        remedy="Drop the CSV file itself, not a link, a shortcut or a folder.",
    ),
    _RefusalReason(
        code=NOT_READABLE,
        sentence="The permissions of the file do not allow us to read it.",
        remedy="Upload it again with permission for everybody in its group to read it.",
    ),
    _RefusalReason(
        code=PROVIDER_UNKNOWN,
        sentence="The folder belongs to no provider that may upload.",
        remedy="Ask the help desk to register the provider; the file is kept.",
    ),
)

REFUSALS: Mapping[str, _RefusalReason] = {r.code: r for r in _ALL_REFUSALS}
"""Every reason of whole files by its code, in the order of documents."""


def make_refusal(
    code: str, sentence: str | None = None, remedy: str | None = None
) -> Refusal:
    """Return the refusal for `code`; in its general words where none are given."""
    reason = REFUSALS[code]
    words = (sentence or reason.sentence, remedy or reason.remedy)
    return Refusal(code=code, message=" ".join(words))
