"""Mistakes that recur in a provider's uploads, with the one thing to change.

A mistake recurs if it is in at least two of the last ten uploads.  What is quoted of
the cells is their shape, such as `YYYY-MM-DD`, and never a cell.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cvms_pipeline.domain.vocabulary import columns, reasons
from cvms_pipeline.store.provider_reads import recurring
from cvms_pipeline.use_cases import pipelines

_MIN_UPLOADS = 2
_MIN_ROWS = 3
_MAX_MISTAKES = 3

_FORMAT_DATES = (
    "In the spreadsheet, select the column with the birth dates, choose Format Cells >"
    " Custom, type mm/dd/yyyy, and save the file as CSV again."
)
_MONTH_FIRST = (
    "In the column with the birth dates, write the month before the day:"
    " choose Format Cells > Custom and type mm/dd/yyyy."
)
_WORDS = {
    reasons.REQUIRED_MISSING: (
        "required fields that are empty",
        "Before you save the file, sort it by each required column: rows with an empty"
        " cell come together.",
    ),
    reasons.NAME_CHARACTERS: (
        "names with characters that a name cannot hold",
        "Keep only the name in the columns with names: no numbers, no remarks.",
    ),
    reasons.NAME_LENGTH: (
        "names that are too long",
        "Keep one person in each row, and only the name in the columns with names.",
    ),
    reasons.BIRTH_DATE_INVALID: ("birth dates that cannot be read", _FORMAT_DATES),
    reasons.BIRTH_DATE_AMBIGUOUS: ("birth dates with the day first", _MONTH_FIRST),
    reasons.EMAIL_INVALID: (
        "e-mail addresses that mail cannot be sent to",
        "Keep one complete address, and nothing else, in each cell of the column with"
        " the addresses.",
    ),
    reasons.DUPLICATE_IN_FILE: (
        "people who are in the same file twice",
        "Before you save the file, choose Data > Remove Duplicates with first name,"
        " last name and birth date.",
    ),
    reasons.DUPLICATE_RECIPIENT: (
        "people who have been loaded before",
        "Send only who is new since your last upload, instead of the whole list.",
    ),
    reasons.TEXT_ENCODING: (
        "letters that cannot be read",
        'When you save the file, choose the type "CSV UTF-8 (Comma delimited)".',
    ),
    reasons.ROW_CELLS: (
        "rows with too many or too few cells",
        "Save the file as CSV from the spreadsheet, which puts quotation marks where"
        " they are needed, and do not edit it as text afterwards.",
    ),
}
"""What recurs, and the one thing to change."""

_DATES = "dates like {}"
_SHAPES = {
    "YYYY-MM-DD": (_DATES, _FORMAT_DATES),
    "YYYY/MM/DD": (_DATES, _FORMAT_DATES),
    "YYYYMMDD": (_DATES, _FORMAT_DATES),
    "DD.MM.YYYY": (_DATES, _MONTH_FIRST),
    "MM-DD-YYYY": (_DATES, _FORMAT_DATES),
    "DD/MM/YYYY": (_DATES, _MONTH_FIRST),
    "M/D/YY": ("dates like {}, with a year of two digits", _FORMAT_DATES),
    "serial number": ("dates that the spreadsheet shows as a number", _FORMAT_DATES),
    "month as a word": ("dates with the month as a word", _FORMAT_DATES),
    "several": (
        "several e-mail addresses in one cell",
        "Keep one address in each cell: the one that the person reads.",
    ),
    "no @": (
        "e-mail addresses without an @",
        "Write whole addresses, with the @ and what follows it.",
    ),
    **{
        column.name: (
            f"rows without anything in the column {column.title}",
            f"Before you save the file, sort it by {column.title}: rows with an empty"
            " cell come together.",
        )
        for column in columns.ALL
    },
}
"""The same where most cells have this shape."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """A mistake that recurs, as a sentence, and the one thing to change."""

    sentence: str
    advice: str


def list_mistakes(pipeline: pipelines.Pipeline, provider: str) -> Sequence[Mistake]:
    """Return up to three mistakes that recur, the one with most rows first."""
    with pipeline.store.begin() as conn:
        found = [
            each
            for each in recurring.list_reasons(conn, provider)
            if each.uploads >= _MIN_UPLOADS and each.rows >= _MIN_ROWS
        ]
        shapes = recurring.find_shapes(conn, provider) if found else {}
    return [_describe(each, shapes.get(each.code)) for each in found[:_MAX_MISTAKES]]


def _describe(found: recurring.RecurringReason, shape: str | None) -> Mistake:
    what, advice = _WORDS[found.code]
    mostly = ""
    if shape is not None:
        likeness, advice = _SHAPES[shape]
        mostly = f", mostly {likeness.format(shape)}"
    return Mistake(
        sentence=(
            f"{found.rows:,} of the {found.latest_rows:,} rows that were rejected in"
            f" your last {found.latest_uploads:,} uploads: {what}{mostly}."
        ),
        advice=advice,
    )
