"""The words of notices and receipts, which tell a provider about its uploads.

Pure: values in, a `mime.Message` or a text out.  How a message is sent is `mailer`;
when a receipt is written is `use_cases.publish`.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from cvms_pipeline.domain.reporting import outcome
from cvms_pipeline.domain.text import display
from cvms_pipeline.domain.vocabulary import reasons, upload
from cvms_pipeline.mail import follow_up, messages, mime

_SUCCESS = "Bulk Employee Upload - Success"
_FAILURE = "Bulk Employee Upload - Failure"

_OPENINGS = {
    upload.UploadStatus.COMPLETED: (
        "The Bulk Employee upload file has been successfully loaded with no rejected"
        " records. Details of the file loaded are below:"
    ),
    upload.UploadStatus.COMPLETED_WITH_ERRORS: (
        "The Bulk Employee upload file has loaded with errors.{review} Details of the"
        " file loaded are below:"
    ),
    upload.UploadStatus.REFUSED: (
        "The Bulk Employee upload file could not be loaded, and none of its records was"
        " loaded. Details of the file are below:"
    ),
}
"""The first words of notice and receipt: those of the user guide of CVMS."""

_REVIEW = " Please review {where} for the records that failed."

_WITHDRAWN = "Bulk Employee Upload - Withdrawn"
_NAMES_OF_FILE = {"Filename", "Provider", "Received", "Upload"}
_MAX_COLUMNS = 12
_MAX_CHARACTERS = 41
_LOW, _HIGH = upload.Lane.LOW_VOLUME, upload.Lane.HIGH_VOLUME


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierUpload:
    """The earlier upload of the very same bytes, its day, and how many rows loaded."""

    upload_id: str
    day: dt.date
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The outcome of an upload, as its provider is informed of it.

    Attributes:
        upload_id: The upload.
        provider: The name of the provider, or None if it is not known.
        received_at: When the file was taken in; shown in its own time zone.
        finished_at: When its outcome was decided; shown in its own time zone.
        file_name: The name of its file, fit to be shown.
        counts: Its numbers of rows, which add up, and its refusal if it has one.
        sentences: Why rows were rejected.
        ignored_columns: The columns of the file that the upload does not have.
        remarks: What else there is to know about the file, as sentences.
        corrections: The lines that corrected an e-mail address, each with the earlier
            address, masked.
        origin: Of which other file it is the corrected error report, if it is known.
        relatives: The uploads of which it brings back rows, or that bring back its.
        outstanding: How many of its rejected rows are outstanding.
        withdrawn_at: When it was withdrawn, if it was; shown in its own time zone.
        earlier: The earlier upload of the very same bytes, if there is one.
        may_be_cut: Whether the last line of the file has no line break.
        encoding: The encoding in which the file was read.
        read_name: A loaded name with letters outside ASCII, if the encoding was not
            UTF-8.
    """

    upload_id: str
    provider: str | None
    received_at: dt.datetime
    finished_at: dt.datetime
    file_name: str
    counts: outcome.Outcome
    sentences: Sequence[str] = ()
    ignored_columns: Sequence[str] = ()
    remarks: Sequence[str] = ()
    corrections: Sequence[tuple[int, str]] = ()
    origin: upload.ReportOrigin | None = None
    relatives: Sequence[upload.Relative] = ()
    outstanding: int = 0
    withdrawn_at: dt.datetime | None = None
    earlier: EarlierUpload | None = None
    may_be_cut: bool = False
    encoding: str | None = None
    read_name: str | None = None


def make_notice(
    result: Result,
    *,
    to: Sequence[str],
    sender: str,
    message_id: str,
    report: bytes | None = None,
    results_folder: str | None = None,
) -> mime.Message:
    """Return the notice that informs a provider of an upload's outcome.

    `report` holds the bytes of the error report, `results_folder` names the folder in
    the provider's `results` with the receipt and the report.
    """
    name = upload.REPORT_NAME
    body = _make_result_body(
        result,
        f"{name} is attached" if report else None,
        review=_REVIEW.format(where="the attachment") if report else "",
    )
    if results_folder is not None:
        where_is = f"and {name} are" if report else "is"
        where = f"your folder results/{results_folder}"
        save = (
            " If you correct the file there and save it, it is taken in from there."
            if report and not _has_duplicates_only(result.counts)
            else ""
        )
        body.add_paragraph(f"This outcome {where_is} in {where}, too.{save}")
    attached = mime.Attachment(
        name=name, content_type="text/csv; charset=utf-8", data=report or b""
    )
    is_success = not result.counts.rejected and result.counts.refusal is None
    subject = _SUCCESS if is_success else _FAILURE
    return mime.Message(
        to=tuple(to),
        sender=sender,
        message_id=message_id,
        subject=subject if result.withdrawn_at is None else _WITHDRAWN,
        text=body.as_text(),
        html=body.as_html(),
        attachments=(attached,) if report else (),
    )


def make_receipt(result: Result) -> str:
    """Return the text that is put beside the error report in the results folder."""
    where = f"{upload.REPORT_NAME} is beside this receipt"
    how = "save the file, which is then taken in, or"
    review = _REVIEW.format(where=upload.REPORT_NAME)
    return _make_result_body(result, where, how, review=review).as_text()


def _make_result_body(
    result: Result, where_report: str | None, how: str = "", *, review: str
) -> mime.Body:
    """Return the body that both share.

    `how` is another way to send a correction, `review` says where the report is.
    """
    counts = result.counts
    body = mime.Body()
    if result.withdrawn_at is not None:
        return _add_withdrawal(body, result, result.withdrawn_at)
    if result.earlier is not None:
        body.add_paragraph(_describe_earlier(result.earlier))
    body.add_paragraph(_OPENINGS[counts.status].format(review=review))
    body.add_facts(_list_facts(result))
    if counts.refusal is not None:
        body.add_paragraph(counts.refusal.message)
    if result.may_be_cut:
        body.add_paragraph(
            "The last line of this file has no line break, so the file may have been"
            " cut: check that its last row is whole and that no rows are missing."
        )
    if counts.rejected:
        _add_advice(body, result, where_report, how)
    follow_up.add_relatives(body, result.relatives, result.outstanding)
    for remark in result.remarks:
        body.add_paragraph(remark)
    named = result.origin.describe_lines(result.file_name) if result.origin else {}
    follow_up.add_corrections(body, result.corrections, named)
    follow_up.add_possible_duplicates(body, counts.possible_duplicates, named)
    if result.read_name is not None:
        body.add_paragraph(_describe_encoding(result.encoding, result.read_name))
    if result.ignored_columns:
        body.add_paragraph(_describe_ignored(result.ignored_columns))
    if counts.loaded:
        body.add_paragraph(_describe_invitations(counts.loaded))
    body.add_paragraph(
        f"Drop your next file into your folder {_LOW} if it has up to"
        f" {_LOW.max_rows:,} records, or into {_HIGH} if it has up to"
        f" {_HIGH.max_rows:,}."
    )
    return body


def _add_withdrawal(
    body: mime.Body, result: Result, withdrawn_at: dt.datetime
) -> mime.Body:
    """Add what is said of a withdrawn upload, and return the body."""
    body.add_paragraph(
        "This Bulk Employee upload was withdrawn on"
        f" {messages.format_moment(withdrawn_at)}. None of its records is in the"
        " system, and nobody was invited because of it. If the people are to be"
        " registered, send the file again."
    )
    body.add_facts([fact for fact in _list_facts(result) if fact[0] in _NAMES_OF_FILE])
    return body


def _list_facts(result: Result) -> list[tuple[str, str]]:
    """Return the facts at the head, the first four with the labels of the guide."""
    counts = result.counts
    updated = f" (of which {counts.updated} updated)" if counts.updated else ""
    shown = (counts.rows_in_file, counts.rows_failed)
    in_file, failed = (display.UNKNOWN if n is None else str(n) for n in shown)
    return [
        ("Filename", result.file_name),
        ("Number of Records In File", in_file),
        ("Number of Records Successfully Loaded", f"{counts.loaded}{updated}"),
        ("Number of Records Failed", failed),
        *([("Provider", result.provider)] if result.provider is not None else []),
        ("Received", messages.format_moment(result.received_at)),
        ("Finished", messages.format_moment(result.finished_at)),
        ("Upload", result.upload_id),
    ]


def _describe_invitations(count: int) -> str:
    if count == 1:
        return "1 invitation is sent, to the person who was loaded."
    return f"{count:,} invitations are sent, one to each person who was loaded."


def _add_advice(
    body: mime.Body, result: Result, where_report: str | None, how: str
) -> None:
    rejected = result.counts.rejected
    if _has_duplicates_only(result.counts):
        body.add_paragraph(_describe_duplicates(rejected))
        if where_report is not None:
            which = "it" if rejected == 1 else "which they are"
            body.add_paragraph(f"{where_report}: it shows {which}.")
        return
    rows = "1 row was" if rejected == 1 else f"{rejected:,} rows were"
    them = "it" if rejected == 1 else "them"
    body.add_paragraph(f"{rows} not loaded. What to do:")
    body.add_points(result.sentences)
    if where_report is not None:
        lane = _LOW if rejected <= _LOW.max_rows else _HIGH
        drop = f"{how} drop that file into your folder {lane}".strip()
        body.add_paragraph(
            f"{where_report}: it contains what was not loaded, with the line in your"
            f" file and what is wrong. Correct {them} there and {drop};"
            " what was loaded does not have to be sent again."
        )


def _has_duplicates_only(counts: outcome.Outcome) -> bool:
    return bool(counts.rejected) and not set(counts.reasons) - reasons.DUPLICATES


def _describe_duplicates(rejected: int) -> str:
    """Return what is said where every rejected row is a duplicate."""
    what = (
        "1 row was not loaded, because it is a duplicate: the same person"
        if rejected == 1
        else f"{rejected:,} rows were not loaded, because they are duplicates: the"
        " same people"
    )
    return (
        f"{what} with the same name and birth date"
        f" {'was' if rejected == 1 else 'were'} loaded before, or by an earlier row of"
        " this file. There is nothing to correct and nothing to send again. If an"
        " e-mail address must change, or if it is another person, ask the help desk."
    )


def _describe_earlier(earlier: EarlierUpload) -> str:
    day = f"{earlier.day:%B} {earlier.day.day}, {earlier.day.year}"
    rows = "none" if not earlier.rows else f"{earlier.rows:,}"
    is_or_are = "is" if earlier.rows <= 1 else "are"
    what = "loaded" if earlier.rows else "dropped before,"
    return (
        f"The same file was {what} on {day} as {earlier.upload_id}: {rows} of its"
        f" rows {is_or_are} in the system."
    )


def _describe_encoding(encoding: str | None, read_name: str) -> str:
    return (
        f"The file is not in UTF-8; it was read as {encoding}. Please check the letters"
        f" of a name that was loaded: {read_name}. If they are wrong, inform the help"
        ' desk, and save your files as "CSV UTF-8".'
    )


def _describe_ignored(ignored: Sequence[str]) -> str:
    named = ", ".join(_shorten(column) for column in ignored[:_MAX_COLUMNS])
    is_cut = ignored[-1] == display.ELLIPSIS
    count, over = len(ignored) - is_cut, "more than " if is_cut else ""
    more = count - _MAX_COLUMNS
    if len(ignored) == 1:
        return f"1 column was ignored, because the upload has no such column: {named}."
    return (
        f"{over.capitalize()}{count:,} columns were ignored, because the upload has no"
        f" such columns: {named}{f' and {over}{more:,} more' if more > 0 else ''}."
    )


def _shorten(column: str) -> str:
    return display.shorten(column, _MAX_CHARACTERS) if column.strip() else "(no name)"
