"""The sample files: what each one shows, and the outcome that it must have.

Made in code, so that `cvms demo` needs no checkout; `data/samples` holds copies of
the small ones.  Who is in them is `invented`, when each is dropped is `demo`.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cvms_pipeline.cli import invented, workbook
from cvms_pipeline.domain import columns, reasons, upload

HOSPITAL = "mercy-hospital"
CLINIC = "blue-ridge-clinic"
PROVIDERS: Mapping[str, str] = {
    HOSPITAL: "Mercy Hospital (sample)",
    CLINIC: "Blue Ridge Clinic (sample)",
}
"""The two sample providers: slug to name."""

ALL_GOOD = "all_good.csv"
EVERY_REASON = "every_reason.csv"

_LOW, _HIGH = upload.Lane
_DONE = upload.UploadStatus.COMPLETED
_PARTLY = upload.UploadStatus.COMPLETED_WITH_ERRORS
_REFUSED = upload.UploadStatus.REFUSED


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """The outcome that a sample must have.

    Attributes:
        reasons: Reason code to the number of rows that have it.
        refusal: The code of the refusal, or None.
    """

    status: upload.UploadStatus
    rows: int = 0
    loaded: int = 0
    updated: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    refusal: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A file to drop.

    Attributes:
        shows: What there is to see, in a few words.
        after: The file that must have its outcome first, or None.
        data: Its bytes; None for the corrected error report of `after`.
    """

    file_name: str
    provider: str
    lane: upload.Lane
    shows: str
    expected: Expected
    data: bytes | None
    after: str | None = None

    @property
    def is_committed(self) -> bool:
        """Return whether `data/samples` holds a copy."""
        return self.data is not None and self.lane is _LOW


def every(edition: str = "") -> tuple[Sample, ...]:
    """Return every sample, in the order in which they are dropped.

    Args:
        edition: The word in the last names that makes the people new ones;
            without it the files are those of `data/samples`.
    """
    return (
        _all_good(edition),
        _windows_1252(edition),
        _spreadsheet(edition),
        _one_too_many(edition),
        _five_thousand(edition),
        _every_reason(edition),
        _known_recipients(edition),
        _new_email(edition),
        _corrected(),
    )


def _all_good(edition: str) -> Sample:
    staff = _staff(edition)
    return Sample(
        file_name=ALL_GOOD,
        provider=HOSPITAL,
        lane=_LOW,
        shows="names of many kinds, all good",
        expected=Expected(status=_DONE, rows=len(staff), loaded=len(staff)),
        data=csv_bytes(columns.TEMPLATE_HEADER, [person.cells for person in staff]),
    )


def _staff(edition: str) -> list[invented.Person]:
    """Return the people of `all_good.csv`, on whom later samples build."""
    made = (
        ("Siobhán", "O'Dwyer", "3/14/1968", "siobhan.odwyer"),
        ("José María", "Álvarez Ruiz", "11/02/1974", "jose.alvarez"),
        ("Anne-Marie", "St. Claire", "7/4/1959", "annemarie.stclaire"),
        ("Thị Hạnh", "Nguyễn", "01/30/1990", "hanh.nguyen"),
        ("Владимир", "Орлов", "5/9/1951", "vladimir.orlov"),
        ("Null", "Ferrant", "12/31/1999", "null.ferrant"),
        ("Dana", "None", "2/29/1980", "dana.none"),
        ("Ngaire", "Te Whare", "10/1/1963", "ngaire"),
        ("美咲", "田中", "8/8/1988", "misaki.tanaka"),
        ("Kwame", "Owusu-Ansah", "6/17/1971", "kwame+work"),
    )
    return [invented.person(*facts, edition) for facts in made]


def _windows_1252(edition: str) -> Sample:
    people = [
        invented.person(*facts, edition)
        for facts in (
            ("Jürgen", "Weiß", "4/12/1957", "juergen.weiss"),
            ("Zoë", "Lefèvre", "9/23/1982", "zoe.lefevre"),
            ("Åsa", "Sjögren", "2/6/1966", "asa.sjogren"),
            ("Íñigo", "D\u2019Souza", "11/19/1977", "inigo.dsouza"),
        )
    ]
    header = ("Surname", "Given name", "DOB", "E-mail", "Department")
    rows = [
        (p.last_name, p.first_name, p.birth_date, p.email, "Radiology") for p in people
    ]
    return Sample(
        file_name="cp1252_semicolons.csv",
        provider=CLINIC,
        lane=_LOW,
        shows="an older Excel's encoding, semicolons, another header",
        expected=Expected(status=_DONE, rows=len(rows), loaded=len(rows)),
        data=csv_bytes(header, rows, delimiter=";", encoding="windows-1252"),
    )


def _spreadsheet(edition: str) -> Sample:
    rows = [person.cells for person in invented.many(3, edition)]
    return Sample(
        file_name="staff.xlsx",
        provider=CLINIC,
        lane=_LOW,
        shows="an Excel workbook, refused",
        expected=Expected(status=_REFUSED, refusal=reasons.FILE_NOT_CSV),
        data=workbook.xlsx([columns.TEMPLATE_HEADER, *rows]),
    )


def _one_too_many(edition: str) -> Sample:
    people = invented.many(_LOW.max_rows + 1, edition)
    return Sample(
        file_name="one_row_too_many.csv",
        provider=CLINIC,
        lane=_LOW,
        shows="101 rows in the low-volume lane, refused",
        expected=Expected(status=_REFUSED, refusal=reasons.TOO_MANY_ROWS),
        data=csv_bytes(columns.TEMPLATE_HEADER, [person.cells for person in people]),
    )


def _five_thousand(edition: str) -> Sample:
    people = invented.many(_HIGH.max_rows, edition)
    wrong = range(99, len(people), 100)
    for at in wrong:
        people[at] = people[at].but(birth_date="31/12/1980")
    return Sample(
        file_name="five_thousand.csv",
        provider=HOSPITAL,
        lane=_HIGH,
        shows="5,000 rows, each hundredth with the day first",
        expected=Expected(
            status=_PARTLY,
            rows=len(people),
            loaded=len(people) - len(wrong),
            reasons={reasons.BIRTH_DATE_INVALID: len(wrong)},
        ),
        data=csv_bytes(columns.TEMPLATE_HEADER, [person.cells for person in people]),
    )


def _every_reason(edition: str) -> Sample:
    known = _staff(edition)[0]
    first = invented.person("Robin", "Ashgrove", "4/5/1961", "robin.ashgrove", edition)
    nth = first.but
    rows: list[Sequence[str]] = [
        first.cells,
        nth(first_name="Remy", last_name="", birth_date="").cells,
        nth(first_name="Ann#", birth_date="4/6/1961").cells,
        nth(last_name="Longname" * 11).cells,
        nth(first_name="Rhea", birth_date="12/8/19555").cells,
        nth(first_name="Rocco", email="bademail").cells,
        (),
        nth(first_name="Rosa\nLynn").cells,
        nth(first_name=" ROBIN ", email=f"second.{first.email}").cells,
        known.cells,
        ("Rufus", "Marsh", " Jr.", "4/11/1961", first.email),
        nth(first_name="=1+1", birth_date="1961-04-12", email="rita@").cells,
    ]
    counts = dict.fromkeys(reasons.REASONS, 1) | {
        reasons.NAME_CHARACTERS: 2,
        reasons.BIRTH_DATE_INVALID: 2,
        reasons.EMAIL_INVALID: 2,
    }
    return Sample(
        file_name=EVERY_REASON,
        provider=HOSPITAL,
        lane=_LOW,
        shows="every reason that rejects a row",
        expected=Expected(status=_PARTLY, rows=11, loaded=2, reasons=counts),
        data=csv_bytes(columns.TEMPLATE_HEADER, rows),
        after=ALL_GOOD,
    )


def _known_recipients(edition: str) -> Sample:
    staff = _staff(edition)
    new = invented.person("Wanda", "Highmoor", "9/9/1979", "wanda.highmoor", edition)
    rows = [staff[1], staff[2].but(email="another.address@example.org"), new]
    return Sample(
        file_name="known_recipients.csv",
        provider=CLINIC,
        lane=_LOW,
        shows="people whom another provider has loaded",
        expected=Expected(
            status=_PARTLY,
            rows=3,
            loaded=1,
            reasons={reasons.DUPLICATE_RECIPIENT: 2},
        ),
        data=csv_bytes(columns.TEMPLATE_HEADER, [person.cells for person in rows]),
        after=ALL_GOOD,
    )


def _new_email(edition: str) -> Sample:
    rows = [p.but(email=f"new.{p.email}").cells for p in _staff(edition)[3:5]]
    return Sample(
        file_name="new_email.csv",
        provider=HOSPITAL,
        lane=_LOW,
        shows="corrected e-mail addresses of two recipients",
        expected=Expected(status=_DONE, rows=2, loaded=2, updated=2),
        data=csv_bytes(columns.TEMPLATE_HEADER, rows),
        after=ALL_GOOD,
    )


def _corrected() -> Sample:
    return Sample(
        file_name="corrected_report.csv",
        provider=HOSPITAL,
        lane=_LOW,
        shows="the error report of every_reason.csv, corrected",
        expected=Expected(status=_DONE, rows=7, loaded=7),
        data=None,
        after=EVERY_REASON,
    )


def csv_bytes(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    delimiter: str = ",",
    encoding: str = "utf-8",
) -> bytes:
    """Return a CSV of text cells, its lines ending as Excel ends them."""
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter, lineterminator="\r\n").writerows(
        [header, *rows]
    )
    return file.getvalue().encode(encoding)
