"""The generated documents: csv-format.md, reasons.md, errors.md and `.env.example`.

They are made from the registries of the code, so that a rule or a setting and its
documentation cannot differ: a test compares the committed files with the rendered ones.
The texts around the facts are in `docs/templates`.  `make docs` writes all of them.
"""

import itertools
import shlex
import textwrap
from collections.abc import Mapping
from pathlib import Path

from pydantic.fields import FieldInfo

from cvms_pipeline.domain.matching import duplicates
from cvms_pipeline.domain.reading import reader, records, row_filter
from cvms_pipeline.domain.text import normalise
from cvms_pipeline.domain.validation import rules
from cvms_pipeline.domain.vocabulary import columns, faults, reasons, upload, wording
from cvms_pipeline.settings import loading

ROOT = Path(__file__).parents[1]

_WIDTH = 84
"""Of the sentences in `.env.example`, in characters."""


def _list_marks(marks: str) -> str:
    """Return the characters `marks` as code of Markdown."""
    return " ".join("`` ` ``" if mark == "`" else f"`{mark}`" for mark in marks)


_NAME = (
    "letters and accents of any script, digits, Roman numerals (`\u2162`), spaces, full"
    f" stops, apostrophes ({_list_marks(normalise.APOSTROPHES)}), hyphens"
    f" ({_list_marks(normalise.HYPHENS)}), middle dots"
    f" ({_list_marks(normalise.MIDDLE_DOTS)}); at least one letter; at most"
    f" {reasons.MAX_NAME_LENGTH} characters"
)
_CONTENT = {
    columns.FIRST_NAME: _NAME,
    columns.LAST_NAME: _NAME,
    columns.BIRTH_DATE: (
        "`M/D/YYYY` or `MM/DD/YYYY`, not in the future, at most"
        f" {rules.MAX_AGE_YEARS} years ago"
    ),
    columns.EMAIL: (
        f"one address that mail servers take, at most {rules.MAX_EMAIL_LENGTH}"
        " characters"
    ),
}
"""The valid content of each column."""


_HEADER, _ROW = (
    ",".join(columns.TEMPLATE_HEADER),
    "Rosa,Field,4/5/1971,rosa@example.org",
)
_EXAMPLES = {
    "all in quotation marks": f'"{_HEADER}"\n"{_ROW}"',
    "another delimiter": f"{_HEADER}\n{_ROW}".replace(",", "^"),
    "spaces between the columns": _HEADER.replace(",", "   "),
    "a title above the header": f"Mercy staff\n\n{_HEADER}\n{_ROW}",
    "no header": _ROW,
    "a column is not there": _HEADER.replace("Email", "Phone"),
    "a web page": "<html><table><tr><td>Rosa</td></tr></table></html>",
    "the page of a log-in": '<html><input type="password"></html>',
    "a web page saved whole": "From: <Saved by Blink>",
    "XML that Excel wrote": '<?xml?><?mso-application progid="Excel.Sheet"?>',
    "other XML": '<?xml version="1.0"?><people/>',
    "RTF": "{\\rtf1 Rosa}",
    "JSON": '{"people": []}',
    "an encrypted file": "-----BEGIN PGP MESSAGE-----",
    "a contact card": "BEGIN:VCARD",
    "an e-mail": "Received: by mx\nMessage-ID: <1@example.org>\n",
    "a mainframe's text": f"{_HEADER}\n{_ROW}".encode("cp037"),
}
"""Files that are refused, by what they hold."""


def render_all() -> Mapping[str, str]:
    """Return the text of each generated file by its path from the project's root."""
    return {
        "docs/csv-format.md": _render_csv_format(),
        "docs/reasons.md": _render_reasons(),
        "docs/errors.md": _render_errors(),
        ".env.example": render_env_example(),
    }


def render_env_example() -> str:
    """Return every setting with its sentence and an example, all commented out."""
    entries = itertools.starmap(_format_setting, loading.get_all_variables().items())
    return "\n".join([_read_template("env.example"), *entries])


def _format_setting(variable: str, field: FieldInfo) -> str:
    lines = textwrap.wrap(field.description or "", _WIDTH, break_on_hyphens=False)
    (example,) = field.examples or [""]
    lines.append(f"{variable}={shlex.quote(example)}")
    return "".join(f"# {line}\n" for line in lines)


def _format_column(column: columns.Column) -> str:
    cells = ", ".join(
        f"`{cell}`" for cell in (column.title, *column.aliases, *column.words)
    )
    return _format_row(column.title, cells, _CONTENT[column.name])


def _render_csv_format() -> str:
    return _read_template("csv-format.md").format(
        template=",".join(columns.TEMPLATE_HEADER),
        columns="\n".join(map(_format_column, columns.ALL)),
        extra=columns.EXTRA_LABEL,
        own=columns.REPORT_HEADER[-1],
        cells=columns.MAX_CELLS,
        repeated=row_filter.MIN_REPEATED,
        delimiters=records.MAX_DELIMITERS,
        named=columns.MAX_IGNORED,
        name=columns.MAX_HEADER_CELL_LENGTH,
        cell=reader.MAX_CELL_LENGTH,
        cleaned=normalise.MAX_CLEANED,
        shown=wording.MAX_SHOWN,
        shared_rows=duplicates.MIN_SHARED_ROWS,
        shared_percent=duplicates.MIN_SHARED_PERCENT,
        max_bytes=upload.MAX_BYTES,
        low=upload.Lane.LOW_VOLUME.max_rows,
        high=upload.Lane.HIGH_VOLUME.max_rows,
    )


def _render_reasons() -> str:
    return _read_template("reasons.md").format(
        rows="\n".join(
            _format_row(f"`{r.code}`", r.sentence, r.remedy, f"`{r.example}`")
            for r in reasons.REASONS.values()
        ),
        files="\n".join(
            _format_row(f"`{r.code}`", r.sentence, r.remedy)
            for r in reasons.REFUSALS.values()
        ),
        repeated=wording.describe_repeated(
            6_000, (4, 6_003), columns.BIRTH_DATE, "1/0/1900"
        ),
        joined=wording.describe_breach((2, 4)),
        examples="\n".join(itertools.starmap(_format_example, _EXAMPLES.items())),
    )


def _render_errors() -> str:
    template = _read_template("errors.md").replace("](../", "](")
    return template.format(
        faults="\n".join(
            _format_row(*_format_fault(fault), "retried" if fault.is_passing else "")
            for fault in faults.ALL
        ),
        messages="\n".join(
            _format_row(f"`{kind}`", *_format_fault(fault))
            for kind, fault in faults.MAIL_ERRORS.items()
        ),
    )


def _format_fault(fault: faults.Fault) -> tuple[str, str]:
    return fault.what.replace("server{place}", "server").format(place="…"), fault.remedy


def _format_example(name: str, content: str | bytes) -> str:
    data = content.encode() if isinstance(content, str) else content
    refusal = reader.read_sheet(data, lane=upload.Lane.LOW_VOLUME).refusal
    assert refusal is not None  # noqa: S101 - what is documented is what is refused
    return _format_row(name, f"`{refusal.code}`", refusal.message.replace("|", "\\|"))


def _read_template(name: str) -> str:
    return (ROOT / "docs/templates" / name).read_text(encoding="utf-8")


def _format_row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    for path, text in render_all().items():
        (ROOT / path).write_text(text, encoding="utf-8")
