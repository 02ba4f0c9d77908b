"""What we write to people: notices, receipts, invitations, alerts. Pure.

Values in, a `Message` out.  How a message becomes an e-mail is `emails`, how it
travels is `mailer`, and whether it has been sent is `store.outbox`.
"""

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from email import utils

from cvms_pipeline.domain import columns
from cvms_pipeline.domain import outcome as outcomes
from cvms_pipeline.notify import bodies

REPORT = "BulkError.csv"
SUCCESS = "Bulk Employee Upload - Success"
FAILURE = "Bulk Employee Upload - Failure"
WELCOME = "Welcome to the North Carolina Vaccine Management COVID-19 Vaccine Portal"

_MOST_COLUMNS = 12
_MOST_CHARACTERS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that goes with a message; `content_type` such as `text/csv`."""

    name: str
    content_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message, whole but for its date.

    Attributes:
        to: The addresses, each without a name.
        sender: The address it is from, with a name if wanted: `Name <a@b.org>`.
        message_id: Stays the same when the message is sent again: `<...@...>`.
        subject: One line.
        text: The body as plain text.
        html: The same as HTML, or None.
        attachments: Files that go with it.
    """

    to: tuple[str, ...]
    sender: str
    message_id: str
    subject: str
    text: str
    html: str | None = None
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a provider is told about an upload.

    `sentences` say in words why rows were rejected, `ignored_columns` name what no
    column of ours matches, `outcome` has counts that add up.
    """

    upload_id: str
    file_name: str
    outcome: outcomes.Outcome
    sentences: Sequence[str] = ()
    ignored_columns: Sequence[str] = ()


def message_id(purpose: str, sender: str) -> str:
    """Return the Message-ID for a `purpose`, always the same, telling nothing of it."""
    domain = utils.parseaddr(sender)[1].rpartition("@")[2] or "localhost"
    digest = hashlib.sha256(purpose.encode("utf-8", "backslashreplace")).hexdigest()
    return f"<{digest[:40]}@{domain}>"


def notice(
    result: Result,
    *,
    to: Sequence[str],
    sender: str,
    message_id: str,
    report: bytes | None = None,
    results_folder: str | None = None,
) -> Message:
    """Return the notice of an upload's outcome to its provider.

    `report` is the error report's bytes, `results_folder` names the folder in the
    provider's `results` where receipt and report lie.
    """
    blocks = _told(result, f"{REPORT} is attached" if report is not None else None)
    if results_folder is not None:
        lies = "lies" if report is None else f"and {REPORT} lie"
        where = f"your folder results/{results_folder}"
        blocks.append(bodies.Paragraph(f"This outcome {lies} in {where}, too."))
    attached = Attachment(
        name=REPORT, content_type="text/csv; charset=utf-8", data=report or b""
    )
    is_success = not result.outcome.rejected and result.outcome.refusal is None
    return Message(
        to=tuple(to),
        sender=sender,
        message_id=message_id,
        subject=SUCCESS if is_success else FAILURE,
        text=bodies.as_text(blocks),
        html=bodies.as_html(blocks),
        attachments=() if report is None else (attached,),
    )


def receipt(result: Result) -> str:
    """Return the text that is put beside the error report in the results folder."""
    return bodies.as_text(_told(result, f"{REPORT} lies beside this receipt"))


def invitation(
    *,
    to: str,
    sender: str,
    message_id: str,
    username: str,
    link: str,
    valid_until: dt.datetime,
    name: str = "",
) -> Message:
    """Return the welcome message to a recipient.

    `valid_until` is told in its own time zone; `name` is whom to greet, which tells
    the members of a family that shares an address apart.
    """
    blocks: list[bodies.Block] = [
        bodies.Paragraph(f"Dear {name}," if name else "Hello,"),
        bodies.Paragraph(
            "You have been registered for the North Carolina COVID-19 Vaccine Portal."
            " To make an appointment, first set your password."
        ),
        bodies.Facts([("Your username", username)]),
        bodies.Paragraph("Set your password here:"),
        bodies.Link(link),
        bodies.Paragraph(f"The link is valid until {_moment(valid_until)}."),
        bodies.Paragraph(
            "If you did not expect this message, you can ignore it. Please do not"
            " forward it: whoever has the link can set your password."
        ),
        bodies.Paragraph("Vaccine Management System"),
    ]
    return _plain(to, sender, message_id, WELCOME, blocks)


def alert(
    *,
    to: str,
    sender: str,
    message_id: str,
    subject: str,
    sentences: Sequence[str],
    link: str | None = None,
) -> Message:
    """Return a message to data-ops: what is wrong, and where to see it.

    The caller sees to it that there is no personal data in it.
    """
    blocks: list[bodies.Block] = [bodies.Paragraph(each) for each in sentences]
    if link is not None:
        blocks += [bodies.Paragraph("See it in the Dagster UI:"), bodies.Link(link)]
    return _plain(to, sender, message_id, f"CVMS upload: {subject}", blocks)


def _plain(
    to: str,
    sender: str,
    message_id: str,
    subject: str,
    blocks: Sequence[bodies.Block],
) -> Message:
    return Message(
        to=(to,),
        sender=sender,
        message_id=message_id,
        subject=subject,
        text=bodies.as_text(blocks),
        html=bodies.as_html(blocks),
    )


def _told(result: Result, where_report: str | None) -> list[bodies.Block]:
    """Return the body that notice and receipt share."""
    outcome = result.outcome
    updated = f" (of which {outcome.updated} updated)" if outcome.updated else ""
    facts = [
        ("Filename", result.file_name),
        ("Number of Records In File", str(outcome.rows)),
        ("Successfully Loaded", f"{outcome.loaded}{updated}"),
        ("Failed", str(outcome.rejected)),
    ]
    blocks: list[bodies.Block] = [bodies.Facts(facts)]
    if outcome.refusal is not None:
        first = "The file could not be taken, and none of its rows was loaded."
        blocks += [bodies.Paragraph(first), bodies.Paragraph(outcome.refusal.message)]
    if outcome.rejected:
        blocks += _advice(outcome.rejected, result.sentences, where_report)
    if result.ignored_columns:
        blocks.append(bodies.Paragraph(_ignored(result.ignored_columns)))
    blocks.append(bodies.Facts([("Upload", result.upload_id)]))
    return blocks


def _advice(
    rejected: int, sentences: Sequence[str], where_report: str | None
) -> list[bodies.Block]:
    rows = "1 row was" if rejected == 1 else f"{rejected:,} rows were"
    them = "it" if rejected == 1 else "them"
    what = bodies.Paragraph(f"{rows} not loaded. What to do:")
    if where_report is None:
        return [what, bodies.Points(sentences)]
    how = bodies.Paragraph(
        f"{where_report}: it holds what was not loaded, with the line in your file"
        f" and what is wrong. Correct {them} there and drop that file;"
        " what was loaded need not be sent again."
    )
    return [what, bodies.Points(sentences), how]


def _ignored(ignored: Sequence[str]) -> str:
    named = ", ".join(_short(column) for column in ignored[:_MOST_COLUMNS])
    is_cut = ignored[-1] == columns.AND_MORE
    count, over = len(ignored) - is_cut, "more than " if is_cut else ""
    more = count - _MOST_COLUMNS
    if len(ignored) == 1:
        return f"1 column was ignored, because the upload has no such column: {named}."
    return (
        f"{over.capitalize()}{count:,} columns were ignored, because the upload has no"
        f" such columns: {named}{f' and {over}{more:,} more' if more > 0 else ''}."
    )


def _short(column: str) -> str:
    if not column.strip():
        return "(no name)"
    return column[:_MOST_CHARACTERS] + ("…" if len(column) > _MOST_CHARACTERS else "")


def _moment(at: dt.datetime) -> str:
    return f"{at:%B} {at.day}, {at.year}, {at.hour % 12 or 12}:{at:%M %p %Z}".rstrip()
