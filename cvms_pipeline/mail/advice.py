"""What a provider is told before there is an outcome, or where there will be none.

The words of the notes about files that are not taken in, of the first receipts, and of
the message about uploads that take very long.  Pure: values in, a text out.  Where a
note is written, and how often, is `files.notes`; when, is `use_cases.advise`.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from cvms_pipeline.domain.text import display
from cvms_pipeline.domain.vocabulary import reasons, upload
from cvms_pipeline.mail import messages, mime

_LOW, _HIGH = upload.Lane.LOW_VOLUME, upload.Lane.HIGH_VOLUME

TEMPORARY = "its name is that of a backup, temporary or lock file of a program"
CONFLICT = (
    "its name is that of a conflict copy, which a program that synchronises folders"
    " makes when a file was changed in two places"
)
HIDDEN = "its name begins with a dot, as those of hidden and unfinished files do"


_DELAYED = "Bulk Employee Upload - Delayed"
_NOTHING_TO_DO = "There is nothing to do: do not send it again."


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedFile:
    """A file that was received; `received_at` is shown in its own time zone."""

    upload_id: str
    file_name: str
    received_at: dt.datetime


def explain_received(file: ReceivedFile) -> str:
    """Return the receipt that is there at once."""
    return _make_receipt(
        file,
        f"This file was received on {messages.format_moment(file.received_at)}, and is"
        " being worked on. The outcome will be written here and sent by mail, usually"
        " within a minute.",
    )


def explain_delayed(file: ReceivedFile) -> str:
    """Return the receipt of a file that takes longer than usual."""
    return _make_receipt(
        file,
        f"This file was received on {messages.format_moment(file.received_at)}, and is"
        " delayed by a fault of ours. Nothing is lost: the file is processed as soon as"
        f" that is fixed. {_NOTHING_TO_DO} The outcome will be written here and sent by"
        " mail.",
    )


def explain_not_enabled(file: ReceivedFile) -> str:
    """Return the receipt of a file in the folder of a provider that may not upload."""
    refusal = reasons.make_refusal(reasons.PROVIDER_UNKNOWN)
    return _make_receipt(file, f"This file was not taken in. {refusal.message}")


def explain_waiting(file_name: str, place: str) -> str:
    """Return the note about a file in a lane that has not been taken in for long."""
    body = mime.Body()
    body.add_facts([("Filename", f"{place}/{file_name}")])
    body.add_paragraph(
        "This file is in the right folder, and has not been taken in yet. If a program"
        " such as Excel has it open, close it there; if it is still being copied, wait"
        " until that has ended."
    )
    body.add_paragraph(
        "Otherwise it is delayed by a fault of ours. Leave it where it is."
        f" {_NOTHING_TO_DO} This note is removed as soon as the file is taken in."
    )
    return body.as_text()


def make_delay_notice(
    files: Sequence[ReceivedFile], *, to: Sequence[str], sender: str, message_id: str
) -> mime.Message:
    """Return the message about uploads that take very long."""
    body = mime.Body()
    body.add_paragraph(
        "1 file is delayed by a fault of ours:"
        if len(files) == 1
        else f"{len(files):,} files are delayed by a fault of ours:"
    )
    body.add_points(
        [
            f"{file.file_name}, received on {messages.format_moment(file.received_at)}"
            f" (upload {file.upload_id})"
            for file in files
        ]
    )
    one = len(files) == 1
    them, they_are = ("it", "it is") if one else ("them", "they are")
    body.add_paragraph(
        f"Nothing is lost: {they_are} processed as soon as that is fixed. There is"
        f" nothing to do: do not send {them} again. A message with the outcome will"
        " follow."
    )
    return mime.Message(
        to=tuple(to),
        sender=sender,
        message_id=message_id,
        subject=_DELAYED,
        text=body.as_text(),
        html=body.as_html(),
    )


def describe_ending(ending: str) -> str:
    """Return why a file with an unknown ending is not taken in."""
    return f"its name ends in .{ending}, and uploads end in .csv, .txt or .tsv"


def explain_place(file_name: str, place: str) -> str:
    """Return the note about a file that is in no lane; `place` is its folder or ""."""
    why = f"it is directly in your folder, outside of {_LOW} and {_HIGH}"
    if place:
        why = f"your folder {place} is not one for uploads"
    body = _begin(file_name, place, why)
    body.add_paragraph(
        f"Move it into your folder {_LOW} if it has up to {_LOW.max_rows:,} rows, or"
        f" into your folder {_HIGH} if it has up to {_HIGH.max_rows:,} rows."
    )
    return body.as_text()


def explain_name(file_name: str, place: str, *, is_in_lane: bool, why: str) -> str:
    """Return the note about a file with a name that is not taken in, because `why`."""
    body = _begin(file_name, place, why)
    where = "" if is_in_lane else f", and move it into your folder {_LOW} or {_HIGH}"
    body.add_paragraph(
        "If it is to be loaded, give it a name that ends in .csv, such as"
        f" staff.csv{where}. If not, you can remove it."
    )
    return body.as_text()


def _make_receipt(file: ReceivedFile, sentences: str) -> str:
    body = mime.Body()
    name = display.make_storable(file.file_name)
    body.add_facts([("Filename", name), ("Upload", file.upload_id)])
    body.add_paragraph(sentences)
    return body.as_text()


def _begin(file_name: str, place: str, why: str) -> mime.Body:
    body = mime.Body()
    body.add_facts([("Filename", f"{place}/{file_name}" if place else file_name)])
    body.add_paragraph(f"This file was not taken in, because {why}.")
    return body
