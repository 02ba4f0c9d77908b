"""The sample files, and the outcome that each one must have.

The files and `samples.json`, which has the outcome of each, are in `sample_files`;
`data/samples` has copies.  Only the largest file is generated here.  All people are
invented, and mail to example.org goes nowhere.  `demo` drops the files.
"""

import csv
import datetime as dt
import functools
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from cvms_pipeline import disk
from cvms_pipeline.domain.vocabulary import provider, upload

if TYPE_CHECKING:
    from cvms_pipeline.use_cases import history, pipelines

HOSPITAL = "mercy-hospital"
PROVIDERS: Mapping[str, str] = {
    HOSPITAL: "Mercy Hospital (sample)",
    "blue-ridge-clinic": "Blue Ridge Clinic (sample)",
}
"""The two sample providers: slug to name."""

ALL_GOOD = "all_good.csv"
EVERY_REASON = "every_reason.csv"

_ONE_TOO_MANY = "one_row_too_many.csv"
_MANY_ROWS = 5_000
_WRONG_ROWS = 50
_FIRST_BIRTH_DATE = dt.date(1940, 1, 1)

_LOW, _HIGH = upload.Lane
_LAST_NAMES = frozenset({"Last name", "LastName", "Surname"})
_DIGITS_TO_LETTERS = str.maketrans("0123456789", "lmnoprstuv")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Expected:
    """The outcome that a sample must have; `refusal` is the code of the refusal."""

    status: upload.UploadStatus
    rows: int = 0
    loaded: int = 0
    updated: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    refusal: str | None = None

    def matches(self, found: "history.Upload") -> bool:
        """Return whether an upload has this outcome."""
        refusal = found.refusal.code if found.refusal else None
        counts = {name: getattr(found, name) for name in ("rows", "loaded", "updated")}
        return self == _Expected(
            status=found.status, reasons=found.reasons, refusal=refusal, **counts
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A file to drop.

    Attributes:
        encoding: The encoding of its text; None for a file that is not text.
        after: The file that must have its outcome first, or None.
    """

    file_name: str
    provider: str
    expected: _Expected
    lane: upload.Lane = _LOW
    encoding: str | None = "utf-8"
    delimiter: str = ","
    after: str | None = None

    def read(self, edition: str = "") -> bytes:
        """Return its bytes.

        Args:
            edition: A word that is added to last names and e-mail addresses, so that
                every demonstration has new people.
        """
        if self.lane is _HIGH:
            return _encode(_make_many_rows(edition))
        data = _find_file(self.file_name).read_bytes()
        if self.encoding is None or not edition:
            return data
        rows = _parse(data.decode(self.encoding), self.delimiter)
        renamed = _rename_people(rows, edition)
        return _encode(renamed, encoding=self.encoding, delimiter=self.delimiter)


@functools.cache
def load_samples() -> Sequence[Sample]:
    """Return every sample of `samples.json`, in the order in which they are dropped."""
    samples = []
    for facts in json.loads(_find_file("samples.json").read_text("utf-8")):
        expected = facts.pop("expected")
        status = upload.UploadStatus(expected.pop("status"))
        lane = upload.Lane(facts.pop("lane", _LOW))
        outcome = _Expected(status=status, **expected)
        samples.append(Sample(lane=lane, expected=outcome, **facts))
    return samples


def register_providers(pipeline: "pipelines.Pipeline") -> None:
    """Register the sample providers, and let them upload."""
    from cvms_pipeline.use_cases import providers

    known = {each.slug for each in providers.list_providers(pipeline)}
    for slug, name in PROVIDERS.items():
        if slug in known:
            providers.set_enabled(pipeline, slug, is_enabled=True)
            continue
        added = provider.Provider(
            slug=slug,
            name=name,
            vfc_pin=provider.GENERIC_PIN,
            emails=(f"staff@{slug}.example.org",),
            created_at=pipeline.now(),
        )
        providers.register_provider(pipeline, added)


def write_small_files(folder: Path) -> None:
    """Write the samples of the low-volume lane into `folder`, if they are missing."""
    disk.make_folder(folder)
    for sample in load_samples():
        path = folder / sample.file_name
        if sample.lane is _LOW and not path.exists():
            path.write_bytes(sample.read())


def make_edition(moment: dt.datetime) -> str:
    """Return a word of letters for a moment, a different one for each second."""
    return f"{int(moment.timestamp()):x}".translate(_DIGITS_TO_LETTERS).capitalize()


def _make_many_rows(edition: str) -> Sequence[Sequence[str]]:
    """Return the people of another sample repeatedly, with other birth dates.

    The birth date of each hundredth starts with the day, which is wrong.
    """
    text = _find_file(_ONE_TOO_MANY).read_text("utf-8")
    header, *people = _rename_people(_parse(text, ","), edition)
    rows = [header]
    for number in range(_MANY_ROWS):
        first_name, last_name, _, address = people[number % len(people)]
        born = _FIRST_BIRTH_DATE + dt.timedelta(days=number)
        birth_date = f"{born.month}/{born.day}/{born.year}"
        if number % (_MANY_ROWS // _WRONG_ROWS) == 0:
            birth_date = "31/12/1980"
        rows.append([first_name, last_name, birth_date, f"{number}.{address}"])
    return rows


def _rename_people(
    rows: Sequence[Sequence[str]], edition: str
) -> Sequence[Sequence[str]]:
    """Return the rows with `edition` in each last name and e-mail address."""
    if not edition:
        return rows
    header, *people = rows
    at = next(n for n, name in enumerate(header) if name in _LAST_NAMES)
    host = f".{edition.lower()}@example.org"
    renamed = []
    for row in people:
        cells = [cell.replace("@example.org", host) for cell in row]
        if cells and cells[at]:
            cells[at] += f"-{edition}"
        renamed.append(cells)
    return [header, *renamed]


def _find_file(name: str) -> resources.abc.Traversable:
    return resources.files("cvms_pipeline.cli") / "sample_files" / name


def _parse(text: str, delimiter: str) -> Sequence[Sequence[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def _encode(
    rows: Sequence[Sequence[str]], *, delimiter: str = ",", encoding: str = "utf-8"
) -> bytes:
    """Return a CSV with the line ends that Excel writes."""
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return file.getvalue().encode(encoding)
