"""What the provider of a sample does with its error report: corrects it.

Which sample has an error report is `samples`.
"""

import csv
import io
import re
from collections.abc import Mapping

from cvms_pipeline.cli import samples
from cvms_pipeline.domain import columns

_LINE = re.compile(r"Line (\d+):")

_CORRECTIONS: Mapping[int, Mapping[str, str]] = {
    3: {"LastName": "Ashgrove", "Date of birth": "4/5/1961"},
    4: {"FirstName": "Ann"},
    5: {"FirstName": "Roald", "LastName": "Longname"},
    6: {"Date of birth": "12/8/1955"},
    7: {"Email": "rocco@example.org"},
    12: {
        "LastName": "Marsh Jr.",
        "Date of birth": "4/11/1961",
        "Email": "rufus@example.org",
    },
    13: {
        "FirstName": "Rita",
        "Date of birth": "4/12/1961",
        "Email": "rita@example.org",
    },
}


def correct(report: bytes, edition: str) -> bytes:
    """Return the error report of `every_reason.csv` as its provider corrects it.

    Rows that can be put right are, as their messages say; duplicates are removed.
    """
    rows = csv.DictReader(io.StringIO(report.decode("utf-8-sig"), newline=""))
    kept = []
    for row in rows:
        said = _LINE.match(row["Error"])
        correction = _CORRECTIONS.get(int(said[1])) if said else None
        if correction is not None:
            kept.append(row | _of_edition(correction, edition))
    cells = [[row[name] for name in columns.REPORT_HEADER] for row in kept]
    return samples.csv_bytes(columns.REPORT_HEADER, cells, encoding="utf-8-sig")


def _of_edition(cells: Mapping[str, str], edition: str) -> dict[str, str]:
    tag = f"-{edition}" if edition else ""
    return {n: text + tag if n == "LastName" else text for n, text in cells.items()}
