"""LibreOffice opens error reports with three list separators, and finds no formula."""

import re
import shutil
import subprocess
from collections.abc import Callable

import pytest
import sheets

from cvms_pipeline.domain.reporting import error_report
from cvms_pipeline.domain.validation import row_schema
from cvms_pipeline.domain.vocabulary import upload

SOFFICE = shutil.which("soffice")
SEPARATORS = {"comma": 44, "semicolon": 59, "tab": 9}
BEGINNINGS = [
    "",
    " ",
    "\n",
    "\r\n",
    "\u00a0",
    "\u200b",
    "\t",
    ";",
    ";;",
    "'",
    '"',
    '""',
]
FORMULAS = ["=1+1", "+1+1", "-1+1", "@SUM(1)", "＝1+1", "=HYPERLINK(1)"]  # full width
HOSTILE = [
    *(start + formula for start in BEGINNINGS for formula in FORMULAS),
    *(
        f"Ann{sep}{f};x"
        for sep in (";", "\t", "\n", "\r", ';"', "\t '")
        for f in FORMULAS
    ),
    "'t Hooft",
]

pytestmark = pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not installed")

Opened = Callable[[bytes, str], list[str]]


@pytest.fixture(scope="module")
def find_formulas(tmp_path_factory) -> Opened:
    """Open bytes with a list separator; return the formulas in the sheet."""
    place = tmp_path_factory.mktemp("office")

    def find(data: bytes, separator: str) -> list[str]:
        (place / "report.csv").write_bytes(data)
        command = [
            str(SOFFICE),
            f"-env:UserInstallation={(place / 'profile').as_uri()}",
            "--headless",
            f"--infilter=CSV:{SEPARATORS[separator]},34,76,1,,0,false,true",
            *("--convert-to", "fods", "--outdir", str(place)),
            str(place / "report.csv"),
        ]
        subprocess.run(command, check=True, capture_output=True, timeout=120)  # noqa: S603 # no shell
        return re.findall(r'table:formula="[^"]*"', (place / "report.fods").read_text())

    return find


def render_hostile() -> bytes:
    """Return the error report of an upload with hostile texts in every column."""
    columns = ("first", "last", "born", "email")
    rows = [
        sheets.row(**{"first": "Ann#", column: text})
        for text in HOSTILE
        for column in columns
    ]
    read = sheets.read(sheets.below_header(*rows), lane=upload.Lane.HIGH_VOLUME)
    judged = row_schema.validate_rows(read, today=sheets.TODAY)
    messages = error_report.compose_messages(judged.rejections)
    assert len(messages) >= 3 * len(HOSTILE)
    return error_report.render_report(judged.cells, messages)


@pytest.mark.parametrize("separator", SEPARATORS)
def test_a_plain_formula_would_be_found(find_formulas, separator):
    mark = chr(SEPARATORS[separator])

    assert len(find_formulas(f"a{mark}=1+1\n".encode(), separator)) == 1


@pytest.mark.parametrize("separator", SEPARATORS)
def test_no_cell_of_an_error_report_is_a_formula(find_formulas, separator):
    assert find_formulas(render_hostile(), separator) == []
