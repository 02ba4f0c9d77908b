"""The columns of an upload, and how a header is matched to them.

`ALL` is the registry: every other list of columns derives from it or is compared with
it by a test.  What the cells below a header may hold is decided in `row_schema`.
"""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cvms_pipeline.domain.text import display, normalise
from cvms_pipeline.domain.vocabulary import header_words


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of an upload.

    Attributes:
        name: In frames and in tables.
        label: In messages and in the header of the error report.
        title: In the header of the template.
        aliases: Other names in headers.  Upper and lower case, spaces, `_`, `-` and `.`
            make no difference.
        words: Names that count only where no column has the title or an alias.
        is_required: Whether a file without the column is refused, and a row with an
            empty cell rejected.
    """

    name: str
    label: str
    title: str
    aliases: tuple[str, ...]
    words: tuple[str, ...] = ()
    is_required: bool = True


FIRST_NAME = "first_name"
LAST_NAME = "last_name"
BIRTH_DATE = "birth_date"
EMAIL = "email"

ALL = (
    Column(
        name=FIRST_NAME,
        label="FirstName",
        title="First name",
        aliases=("Given name", "recip_first_name"),
        words=(
            *("First", "First names", "Given", "Given names", "Forename", "Forenames"),
            *("Fname", "Legal first name", "Nombre", "Nombres", "Primer nombre"),
        ),
    ),
    Column(
        name=LAST_NAME,
        label="LastName",
        title="Last name",
        aliases=("Surname", "Family name", "recip_last_name"),
        words=(
            *("Last", "Last names", "Surnames", "Family", "Family names", "Lname"),
            *("Legal last name", "Apellido", "Apellidos"),
        ),
    ),
    Column(
        name=BIRTH_DATE,
        label="Date of birth",
        title="Date of birth",
        aliases=("DOB", "Birth date", "recip_dob"),
        words=(
            *("Birthday", "Birth", "Date born", "Born", "Born on"),
            *("Fecha de nacimiento", "Fecha nacimiento", "Nacimiento"),
        ),
    ),
    Column(
        name=EMAIL,
        label="Email",
        title="Email",
        aliases=("E-mail", "Email address", "recip_email"),
        words=(
            *("Mail", "Emails", "Email addresses", "Electronic mail", "Correo"),
            *("Correo electrónico", "Correo e", "Dirección de correo electrónico"),
        ),
    ),
)
"""Every column, in the order of frames, messages and reports."""

NAMES = tuple(column.name for column in ALL)
REQUIRED = tuple(column.name for column in ALL if column.is_required)
LABELS: Mapping[str, str] = {column.name: column.label for column in ALL}

TEMPLATE_HEADER = tuple(column.title for column in ALL)
REPORT_HEADER = (*LABELS.values(), "Error")
EXTRA_LABEL = "Extra"
"""Of the columns of the error report for what is in no other: `Extra 1`, and so on."""

MAX_CELLS = 16_384
"""The columns of a spreadsheet; further cells of a row are not read."""

MAX_HEADER_CELL_LENGTH = 100
"""Longer cells of a header are cut, in characters."""

MAX_IGNORED = 100
"""The unknown columns that are named; an ellipsis represents all further ones."""

_IGNORED_CHARACTERS = str.maketrans("", "", " _-.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The columns that a header row names.

    Attributes:
        positions: The place of each column, counted from 0; the first of several.
        missing: The required columns that were not found.
        repeated: The columns that were found more than once.
        ignored: The cells that name no column of `ALL`, in order; an ellipsis
            represents all beyond `MAX_IGNORED`.
        found: All cells, cleaned, and cut to `MAX_HEADER_CELL_LENGTH`.
        error_place: The place of the `Error` column of an error report, or None.
        extra_places: The places of the `Extra` columns of an error report.
    """

    positions: Mapping[str, int]
    missing: tuple[str, ...]
    repeated: tuple[str, ...]
    ignored: tuple[str, ...]
    found: tuple[str, ...]
    error_place: int | None
    extra_places: tuple[int, ...]

    @property
    def is_report(self) -> bool:
        """Return whether the header is that of an error report."""
        return self.error_place is not None

    @property
    def width(self) -> int:
        """Return the number of cells without the empty ones at the end."""
        return max((i for i, cell in enumerate(self.found, start=1) if cell), default=0)


def _fold(cell: str) -> str:
    return normalise.clean_text(cell).casefold().translate(_IGNORED_CHARACTERS)


_COLUMNS = {
    _fold(cell): column.name
    for column in ALL
    for cell in (column.title, *column.aliases)
}
_WORDS = {
    header_words.list_readings(cell)[0]: column.name
    for column in ALL
    for cell in (column.title, *column.aliases, *column.words)
}
_ERROR_COLUMN = _fold(REPORT_HEADER[-1])
_EXTRA_COLUMN = re.compile(_fold(EXTRA_LABEL) + "[0-9]+")


def match_header(cells: Sequence[str]) -> Header:
    """Return the columns that `cells`, the header row as it was written, name."""
    found = tuple(
        display.shorten(normalise.clean_text(c), MAX_HEADER_CELL_LENGTH) for c in cells
    )
    folded = [_fold(cell) for cell in found]
    known = [_COLUMNS.get(cell, "") for cell in folded]
    if not set(REQUIRED).issubset(known):
        known = _add_loose_names(found, known)
    report = _find_report_columns(folded)
    return Header(
        positions={c: known.index(c) for c in NAMES if c in known},
        missing=tuple(c for c in REQUIRED if c not in known),
        repeated=tuple(c for c in NAMES if known.count(c) > 1),
        ignored=_limit_names(
            cell
            for place, (cell, column) in enumerate(zip(found, known, strict=True))
            if cell and not column and place not in report
        ),
        found=found,
        error_place=next((p for p in report if folded[p] == _ERROR_COLUMN), None),
        extra_places=tuple(p for p in report if folded[p] != _ERROR_COLUMN),
    )


def _find_report_columns(folded: Sequence[str]) -> Sequence[int]:
    """Return the places of the columns that only an error report has."""
    if _ERROR_COLUMN not in folded:
        return ()
    return [
        place
        for place, cell in enumerate(folded)
        if cell == _ERROR_COLUMN or _EXTRA_COLUMN.fullmatch(cell)
    ]


def _add_loose_names(found: Sequence[str], known: Sequence[str]) -> list[str]:
    """Return `known` with the columns that only a loose reading of names finds.

    Only columns that are still missing: a column that has been found is found once,
    though the name of another one looks like it.
    """
    return [
        column or (_read_loosely(cell, known) if cell else "")
        for cell, column in zip(found, known, strict=True)
    ]


def _read_loosely(cell: str, known: Sequence[str]) -> str:
    """Return the column that `cell` names and that is not `known`, or nothing."""
    whole, bare, *parts = header_words.list_readings(cell)
    named = {_WORDS.get(part) for part in parts}
    column = _WORDS.get(whole) or _WORDS.get(bare)
    if column is None and len(named) == 1:
        (column,) = named
    return column if column is not None and column not in known else ""


def _limit_names(names: Iterator[str]) -> tuple[str, ...]:
    named = tuple(itertools.islice(names, MAX_IGNORED))
    return named if next(names, None) is None else (*named, display.ELLIPSIS)
