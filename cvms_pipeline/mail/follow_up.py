"""What a provider should look at again, in words.

Parts of notice and receipt: corrected e-mail addresses, possible duplicates, and rows
that came back.  And the message about invitations that mail servers have refused.
Pure, like `messages`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cvms_pipeline.domain.vocabulary import likeness, refusal_codes, upload
from cvms_pipeline.mail import mime

_UNNAMED: Mapping[int, str] = {}
_REFUSED = "Bulk Employee Upload - E-mail Addresses Refused"
_ABOUT_RELATIVES = re.compile(
    r"[\d,]+ (?:rejected )?rows? of this file (?:is|are|came)\b"
    r"|No rejected row of this file is\b"
)
"""How each paragraph begins that `add_relatives` adds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRow:
    """A row whose invitation was refused; `error` such as `SMTP 550`."""

    upload_id: str
    file_name: str
    line: int
    error: str


def add_corrections(
    body: mime.Body,
    corrections: Sequence[tuple[int, str]],
    named: Mapping[int, str] = _UNNAMED,
) -> None:
    """Add the lines that corrected an e-mail address, if there are any.

    Args:
        body: The body of a notice or a receipt.
        corrections: Each line, and the earlier address, masked.
        named: What to write after the number of a line, as `ReportOrigin` returns it.
    """
    if not corrections:
        return
    what = (
        "1 row has changed the e-mail address of a person"
        if len(corrections) == 1
        else f"{len(corrections):,} rows have changed the e-mail addresses of people"
    )
    body.add_paragraph(
        f"{what} loaded before. Check that it is the same person; if it is not, drop"
        " the row with the earlier address again."
    )
    body.add_points(
        [
            f"Line {line}{named.get(line, '')}: the earlier address was {old}"
            for line, old in corrections
        ]
    )


def add_possible_duplicates(
    body: mime.Body,
    found: Sequence[likeness.PossibleDuplicate],
    named: Mapping[int, str] = _UNNAMED,
) -> None:
    """Add the rows that resemble other people of the same provider, if any do.

    `named` is the same as for `add_corrections`.
    """
    points = likeness.list_points(found, named)
    if not points:
        return
    body.add_paragraph(
        f"{likeness.describe_count(found, is_loaded=True)} If it is the same person,"
        " ask the help desk to remove one of the two."
    )
    body.add_points(points)


def add_relatives(
    body: mime.Body, relatives: Sequence[upload.Relative], outstanding: int
) -> None:
    """Add where rows come from and came back, and how many are outstanding.

    Args:
        body: The body of a notice or a receipt.
        relatives: The parents and the children of the upload.
        outstanding: How many of its own rejected rows are outstanding.
    """
    relatives = [each for each in relatives if each.rows]  # not those of a withdrawal
    for each in relatives:
        named = f"{each.file_name} (upload {each.upload_id})"
        if each.is_parent:
            rows = "row of this file is a rejected row"
            many = "rows of this file are rejected rows"
            what = f"{_count(each.rows, rows, many)} of {named}"
        else:
            rows, many = "rejected row of this file", "rejected rows of this file"
            what = f"{_count(each.rows, rows, many)} came back in {named}"
        again = each.rows - each.loaded
        result = f"{what}: {each.loaded:,} loaded, {again:,} rejected again."
        left = f" {_describe_left(each.outstanding, each.file_name)}"
        body.add_paragraph(result + (left if each.is_parent else ""))
    if any(not each.is_parent for each in relatives):
        body.add_paragraph(_describe_left(outstanding, "this file"))


def drop_relatives(text: str) -> str:
    """Return the plain text of a body without what `add_relatives` has added to it."""
    paragraphs = text.split("\n\n")
    return "\n\n".join(p for p in paragraphs if not _ABOUT_RELATIVES.match(p))


def make_refused_notice(
    rows: Sequence[RefusedRow], *, to: Sequence[str], sender: str, message_id: str
) -> mime.Message:
    """Return the message about rows whose invitations were refused permanently."""
    body = mime.Body()
    what = (
        "1 person was loaded, but could not be invited, because the invitation was"
        " refused permanently:"
        if len(rows) == 1
        else f"{len(rows):,} people were loaded, but could not be invited, because the"
        " invitations were refused permanently:"
    )
    body.add_paragraph(what)
    body.add_points(
        [
            f"Line {row.line} of {row.file_name} (upload {row.upload_id}):"
            f" {refusal_codes.describe_refusal(row.error)}"
            for row in rows
        ]
    )
    body.add_paragraph(
        "Correct the e-mail address, and drop a file with the corrected rows; the names"
        " and birth dates must stay the same. A new invitation is then sent to the"
        " corrected address. The other rows need not be sent again."
    )
    return mime.Message(
        to=tuple(to),
        sender=sender,
        message_id=message_id,
        subject=_REFUSED,
        text=body.as_text(),
        html=body.as_html(),
    )


def _describe_left(count: int, of: str) -> str:
    if not count:
        return f"No rejected row of {of} is outstanding any more."
    one, many = "rejected row of {} is", "rejected rows of {} are"
    return f"{_count(count, one, many).format(of)} still outstanding."


def _count(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"
