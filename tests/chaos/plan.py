"""What providers drop, made from a seed: files, rows, and what is wrong with each.

Plain Python on purpose: nothing of the product is imported here, so that the expected
result of a file is stated independently.  How a file is written is `writers`; the
expected result of all of them is `verdict`.
"""

import csv
import io
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

HEADER = ("First name", "Last name", "Date of birth", "Email")
REPORT_HEADER = ("FirstName", "LastName", "Date of birth", "Email", "Error")
PROVIDERS = ("mercy", "duke", "hope", "blue-ridge")
IN_PORTAL = ("mercy", "duke")
"""The providers that send some of their files in the portal."""

STRANGER = "stranger"
PORTAL = "portal"
HABITS = ("whole", "renamed", "slow", "bursts", "at-once")
LOW, HIGH = "low_volume", "high_volume"
_PORTAL_SHARE = 0.6
_HIGH_SHARE = 0.4
LIMITS = {LOW: 100, HIGH: 5000}

Cells = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row: as dropped, why it must be rejected, and what it should have been."""

    cells: Cells
    why: str | None = None
    mended: Cells | None = None

    @property
    def key(self) -> Cells:
        """Return what says "same person": our own reading of the rule."""
        first, last, born, _ = (" ".join(cell.split()) for cell in self.cells[:4])
        month, day, year = (int(part) for part in born.split("/"))
        return first.casefold(), last.casefold(), f"{year:04}-{month:02}-{day:02}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """One file: where it goes, how it is written, and what is in it by line."""

    name: str
    slug: str
    lane: str
    habit: str
    data: bytes
    rows: Mapping[int, Row] = field(default_factory=dict)
    refusal: str | None = None
    is_link: bool = False

    @property
    def is_known(self) -> bool:
        """Return whether it lies in the folder of a provider."""
        return self.slug in PROVIDERS


BAD = [  # what is wrong with the cells of a good row, and what must be said of it
    (1, "", "Required fields are missing: [LastName]"),
    (0, "Ann#", "FirstName: invalid characters: Ann#"),
    (2, "13/41/1991", "Date of birth: invalid Date of birth: 13/41/1991"),
    (2, "1/2/19911", "Date of birth: invalid Date of birth: 1/2/19911"),
    (3, "bademail", "Email: invalid email address: bademail"),
]

REFUSED = [  # bytes that no row can be taken from, and the code of the refusal
    (b"", "file-empty"),
    (b"First name,Last name,Date of birth,Email\r\n", "file-empty"),
    (b"PK\x03\x04 a spreadsheet", "file-not-csv"),
    (b"Name,Born\r\nAnn,1/2/1990\r\n", "header-missing"),
    (
        b"First name,Last name,DOB,Email,E-mail\r\nA,B,1/2/1990,a@b.org,\r\n",
        "header-duplicate",
    ),
]


class Dealer:
    """Deals one file after another; the same seed deals the same files."""

    def __init__(self, seed: int) -> None:
        """Begin with nobody known."""
        self._chance = random.Random(seed)
        self._known: list[tuple[str, Row]] = []
        self._people = 0
        self._files = 0

    def deal(self) -> Drop:
        """Return the next file that somebody drops."""
        luck = self._chance.random()
        if luck < 0.07:
            data, code = self._chance.choice(REFUSED)
            return self._drop(data, refusal=code)
        if luck < 0.09:
            return self._drop(b"", refusal="not-a-file", is_link=True)
        slug = self._chance.choice(PROVIDERS)
        if luck < 0.11:
            rows = {2: self._new_person(STRANGER)}
            return self._drop(
                rendered(rows), slug=STRANGER, rows=rows, refusal="provider-unknown"
            )
        if luck < 0.13:
            rows = self._rows(slug, 101)
            return self._drop(
                rendered(rows), slug=slug, rows=rows, refusal="too-many-rows"
            )
        lane = HIGH if luck > 0.93 else LOW
        count = self._chance.randint(1, 400 if lane == HIGH else 40)
        rows = self._rows(slug, count)
        self._known += [(slug, row) for row in rows.values() if row.why is None]
        is_sent = slug in IN_PORTAL and self._chance.random() < _PORTAL_SHARE
        habit = PORTAL if is_sent else None
        if is_sent and self._chance.random() < _HIGH_SHARE:
            lane = HIGH  # without a review, however few the rows are
        return self._drop(rendered(rows), slug=slug, lane=lane, rows=rows, habit=habit)

    def mend(self, drop: Drop, report: bytes) -> Drop | None:
        """Return the error report with its rows put right, as its provider drops it.

        Args:
            drop: What was dropped.
            report: The error report that came of it.
        """
        rows: dict[int, Row] = {}
        for cells in list(csv.reader(io.StringIO(report.decode("utf-8-sig"))))[1:]:
            line = int(cells[4].removeprefix("Line ").partition(":")[0])
            mended = drop.rows[line].mended
            if mended is not None:
                rows[len(rows) + 2] = Row(cells=(*mended, cells[4]))
        if not rows:
            return None
        self._known += [(drop.slug, row) for row in rows.values()]
        data = rendered(rows, REPORT_HEADER)
        return self._drop(
            data, slug=drop.slug, lane=drop.lane, rows=rows, stem="mended"
        )

    def _drop(
        self,
        data: bytes,
        *,
        slug: str | None = None,
        lane: str = LOW,
        rows: Mapping[int, Row] | None = None,
        refusal: str | None = None,
        is_link: bool = False,
        stem: str = "staff",
        habit: str | None = None,
    ) -> Drop:
        self._files += 1
        return Drop(
            name=f"{stem}-{self._files}.csv",
            slug=slug or self._chance.choice(PROVIDERS),
            lane=lane,
            habit=habit or self._chance.choice(HABITS),
            data=data,
            rows=rows or {},
            refusal=refusal,
            is_link=is_link,
        )

    def _rows(self, slug: str, count: int) -> dict[int, Row]:
        """Return rows by line, some below a blank one."""
        rows: dict[int, Row] = {}
        line = 1
        for _ in range(count):
            line += 2 if self._chance.random() < 0.03 else 1
            rows[line] = self._row(slug, rows)
        return rows

    def _row(self, slug: str, before: Mapping[int, Row]) -> Row:
        luck = self._chance.random()
        if luck < 0.10:
            return self._bad_row(slug)
        if luck < 0.18 and self._known:
            return self._twin(self._chance.choice(self._known)[1])
        own = [row for whose, row in self._known if whose == slug]
        if luck < 0.22 and own:
            return self._corrected(self._chance.choice(own), before)
        good = [row for row in before.values() if row.why is None]
        if luck < 0.25 and good:
            return self._twin(self._chance.choice(good))
        return self._new_person(slug)

    def _new_person(self, slug: str) -> Row:
        self._people += 1
        n = self._people
        born = f"{n % 12 + 1}/{n % 28 + 1}/{1930 + n % 70}"
        return Row(
            cells=(letters("Ann", n), "O'Dwyer", born, f"p{n}@{slug}.example.org")
        )

    def _bad_row(self, slug: str) -> Row:
        good = self._new_person(slug).cells
        place, value, why = self._chance.choice(BAD)
        cells = (*good[:place], value, *good[place + 1 :])
        return Row(cells=cells, why=why, mended=good)

    def _twin(self, row: Row) -> Row:
        """Return the same person, written a little differently."""
        first, last, born, email = row.cells[:4]
        return Row(cells=(f" {first.upper()}", last, born, email))

    def _corrected(self, row: Row, before: Mapping[int, Row]) -> Row:
        """Return the same person with an address that nobody has had yet."""
        if row.key in {each.key for each in before.values() if each.why is None}:
            return self._twin(row)
        self._people += 1
        first, last, born, email = row.cells[:4]
        return Row(
            cells=(first, last, born, f"q{self._people}@{email.partition('@')[2]}")
        )


def letters(stem: str, number: int) -> str:
    """Return a name of letters only that no other number has."""
    text = ""
    while number:
        number, digit = divmod(number, 26)
        text += "abcdefghijklmnopqrstuvwxyz"[digit]
    return stem + text


def rendered(rows: Mapping[int, Row], header: Sequence[str] = HEADER) -> bytes:
    """Return the bytes of a file that holds each row in its line."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    for line in range(2, max(rows, default=1) + 1):
        writer.writerow(rows[line].cells if line in rows else ["" for _ in header])
    return text.getvalue().encode()
