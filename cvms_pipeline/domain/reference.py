"""The pages `docs/csv-format.md` and `docs/reasons.md`, made from the registries.

So a rule and what is written about it cannot differ; a test holds the committed
pages against these functions.
"""

from cvms_pipeline.domain import (
    cleaning,
    columns,
    reading,
    reasons,
    rules,
    tokenising,
    upload,
    wording,
)

_MADE = "<!-- Made by cvms_pipeline/domain/reference.py; change it there. -->"

_CSV_FORMAT = """\
# The file

{made}

A provider drops one CSV file; each row below the header is one recipient.
`cvms template` writes an empty one:

```
{template}
```

## Columns

All four are required, in any order. Upper and lower case, spaces, `_`, `-` and `.` make
no difference in a header, so the error report can be corrected and dropped again.

| column | the header may say | what is right below it |
|---|---|---|
{columns}

An `{own}` column is ignored. Other columns are ignored too, and named in the notice.

## Files

* **Size**: at most {max_bytes} bytes; at most {low} rows in `low_volume`, {high} in
  `high_volume`. Blank rows do not count.
* **Encoding**: UTF-8 with or without byte-order mark, UTF-16 with byte-order mark, else
  Windows-1252 (what Excel's plain "CSV" writes).
* **Delimiter**: comma, semicolon or tab, whichever the header row holds most of.
* **Line ends**: CRLF, LF or CR.
* **Quotation marks**: a cell that holds the delimiter, a line break or a quotation mark
  stands in quotation marks; a quotation mark inside is written twice. Where that is
  broken, the line is rejected with `row-cells` and reading goes on below it.
* **Line numbers** are those that a spreadsheet shows: the header is usually 1. Blank
  rows count, a line break inside quotation marks does not.
* **Width**: empty cells at the end of a row are fine. A row with a value beyond the
  header, or too short to reach a required column, is rejected with `row-cells`.

## Cells

* White space around a value goes, repeated white space becomes one space; no-break
  spaces are white space.
* Characters that nobody can see go wherever they stand: zero-width spaces and joiners,
  soft hyphens, byte-order marks, direction marks. A name refused because of one could
  not be understood. Direction overrides stay, and are refused in a name.
* Accents are composed (Unicode's NFC). `NA`, `None` and `null` are names.
* A `'` before a `=`, `+`, `-`, `@`, tab or carriage return at the beginning of a cell
  is taken off: the error report puts it there so that no spreadsheet runs the cell.

## Odd files

However odd a file of that size is, it is read within bounds:

* **Columns** beyond the {cells}th, the last of a spreadsheet, are not looked at. Of
  unknown columns up to {named} are kept by name, each up to {name} characters.
* **Cells** are kept up to {cell} characters, as many as a spreadsheet's cell holds; an
  `…` stands for the rest. Of more than {cleaned} characters, white space goes at the
  ends only.
* **Texts** in the `Error` column show up to {shown} characters of a value.

## Duplicates

Two rows mean the same recipient if first name, last name and birth date agree. Upper
and lower case, the shape of apostrophes and hyphens, and white space make no
difference; accents do. The e-mail address does not count: families share one.

Why a row or a file is refused, and what to do: [reasons.md](reasons.md).
"""

_REASONS = """\
# Reasons

{made}

Nothing is dropped silently: a row is loaded, or it is in `BulkError.csv` with a reason.

## Rows

The `Error` column says `Line N: ` and then all reasons of the row, joined by `; `.

| code | what is wrong | how to put it right | for example |
|---|---|---|---|
{rows}

## Files

A refused file is not loaded at all. The notice says what was found, and what to do.

| code | what is wrong | how to put it right |
|---|---|---|
{files}
"""

_RIGHT = {
    columns.FIRST_NAME: "{name}",
    columns.LAST_NAME: "{name}",
    columns.BIRTH_DATE: (
        "`M/D/YYYY` or `MM/DD/YYYY`, not in the future, at most {age} years ago"
    ),
    columns.EMAIL: "one address with a dotted domain, at most {email} characters",
}
_NAME = (
    "letters and accents of any script, digits, spaces, full stops, apostrophes"
    " (`'` `\u2019` `\u2018` `\u02bc` `\u02bb`), hyphens (`-` `\u2010` `\u2011`"
    " `\u2013`); at least one letter; at most {length} characters"
)


def csv_format() -> str:
    """Return the page about what an upload may look like."""
    right = {
        "name": _NAME.format(length=reasons.MAX_NAME_LENGTH),
        "age": rules.MAX_AGE_YEARS,
        "email": rules.MAX_EMAIL_LENGTH,
    }
    titles = zip(columns.REQUIRED, columns.TEMPLATE_HEADER, strict=True)
    return _CSV_FORMAT.format(
        made=_MADE,
        template=",".join(columns.TEMPLATE_HEADER),
        columns="\n".join(
            _row(title, _codes(columns.ALIASES[c]), _RIGHT[c].format(**right))
            for c, title in titles
        ),
        own=columns.REPORT_HEADER[-1],
        cells=f"{tokenising.MAX_CELLS:,}",
        named=columns.MAX_IGNORED,
        name=columns.MAX_NAME_LENGTH,
        cell=f"{reading.MAX_CELL_LENGTH:,}",
        cleaned=f"{cleaning.MAX_CLEANED:,}",
        shown=wording.MAX_SHOWN,
        max_bytes=f"{upload.MAX_BYTES:,}",
        low=f"{upload.Lane.LOW_VOLUME.max_rows:,}",
        high=f"{upload.Lane.HIGH_VOLUME.max_rows:,}",
    )


def reasons_page() -> str:
    """Return the page about every reason: code, sentence, remedy."""
    return _REASONS.format(
        made=_MADE,
        rows="\n".join(
            _row(f"`{r.code}`", r.sentence, r.remedy, f"`{r.example}`")
            for r in reasons.REASONS.values()
        ),
        files="\n".join(
            _row(f"`{r.code}`", r.sentence, r.remedy) for r in reasons.REFUSALS.values()
        ),
    )


def _row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def _codes(words: tuple[str, ...]) -> str:
    return ", ".join(f"`{word}`" for word in words)
