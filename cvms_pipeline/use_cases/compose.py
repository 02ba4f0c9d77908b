"""Composing: from a message's row in the outbox to the message itself.

The words are `mail.messages`; here the facts for them are read from the tables.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cvms_pipeline.domain.vocabulary import audit_events, faults
from cvms_pipeline.domain.vocabulary import cases as vocabulary
from cvms_pipeline.files import reports
from cvms_pipeline.mail import (
    accounts,
    advice,
    cases,
    follow_up,
    links,
    messages,
    mime,
    notices,
)
from cvms_pipeline.store import audit, listing, outbox, uploads
from cvms_pipeline.store.help_desk import activity
from cvms_pipeline.store.help_desk import cases as case_rows
from cvms_pipeline.use_cases import advise, pipelines, publish
from cvms_pipeline.use_cases.help_desk import mails
from cvms_pipeline.use_cases.recipients import composing

_Alert = tuple[str, Sequence[str], str]
"""The subject of an alert, its sentences, and the path of a page of the Dagster UI."""


def compose_message(
    pipeline: pipelines.Pipeline, claimed: outbox.ClaimedMessage
) -> mime.Message:
    """Return the message of a row in the outbox."""
    message_id = messages.make_message_id(claimed.purpose, pipeline.sender)
    return _COMPOSERS[claimed.kind](pipeline, claimed, message_id)


def show_message(
    pipeline: pipelines.Pipeline, message_id: str
) -> tuple[listing.ListedMessage, mime.Message]:
    """Return a message as it would be composed now, without a link to a password.

    The audit records who has read what may hold personal data.

    Raises:
        MessageUnknown: If there is none.
    """
    events = audit_events.Event
    with pipeline.store.begin() as conn:
        listed, claimed = listing.get_message(conn, message_id)
        if claimed.kind is not outbox.Kind.ALERT:
            is_invitation = claimed.kind in _TO_RECIPIENTS
            note = audit.Note(
                event=events.RECIPIENTS_READ if is_invitation else events.REPORT_READ,
                upload_id=claimed.upload_id,
                details={"message": claimed.id},
            )
            audit.write(conn, [note])
    hidden = _HiddenLinks(
        read_secret=str, base_url=pipeline.links.base_url, days=pipeline.links.days
    )
    return listed, compose_message(replace(pipeline, links=hidden), claimed)


def find_file(pipeline: pipelines.Pipeline, message_id: str) -> Path | None:
    """Return the file in the Maildir that a message has become, if it is there."""
    with pipeline.store.begin() as conn:
        _, claimed = listing.get_message(conn, message_id)
    return pipeline.mailer.find_file(
        messages.make_message_id(claimed.purpose, pipeline.sender),
        is_invitation=claimed.kind is outbox.Kind.INVITATION,
    )


_TO_RECIPIENTS = (outbox.Kind.INVITATION, outbox.Kind.RECIPIENT)
_HIDDEN_LINK = "(the link is not shown)"


class _HiddenLinks(links.Links):
    """Whoever has the link of an invitation can set a password."""

    def make_link(
        self, recipient_id: str, address: str, link_id: str, *, issued_at: dt.datetime
    ) -> str:
        return _HIDDEN_LINK

    def make_account_link(
        self, account_id: str, nonce: str, *, expires_at: dt.datetime
    ) -> str:
        return _HIDDEN_LINK


def _notice(
    pipeline: pipelines.Pipeline, claimed: outbox.ClaimedMessage, message_id: str
) -> mime.Message:
    with pipeline.store.begin() as conn:
        upload = uploads.get(conn, claimed.upload_id or "")
    result, report = publish.read_published(pipeline, upload)
    return notices.make_notice(
        result,
        to=claimed.to,
        sender=pipeline.sender,
        message_id=message_id,
        report=report,
        results_folder=reports.name_results_folder(upload.file_name, upload.id),
    )


def _invitation(
    pipeline: pipelines.Pipeline, claimed: outbox.ClaimedMessage, message_id: str
) -> mime.Message:
    now = pipeline.now()
    return messages.make_invitation(
        to=claimed.to[0],
        sender=pipeline.sender,
        message_id=message_id,
        first_name=claimed.first_name or "",
        provider=claimed.provider or "",
        username=claimed.username or "",
        link=composing.make_link(pipeline, claimed, now),
        valid_until=pipeline.links.valid_until(now).astimezone(pipeline.zone),
        spot_url=pipeline.spot_url,
    )


def _refused_addresses(
    pipeline: pipelines.Pipeline, claimed: outbox.ClaimedMessage, message_id: str
) -> mime.Message:
    refused = claimed.details["refused"]
    with pipeline.store.begin() as conn:
        found = {row["upload"]: uploads.get(conn, row["upload"]) for row in refused}
    rows = [
        follow_up.RefusedRow(
            upload_id=row["upload"],
            file_name=found[row["upload"]].file_name,
            line=row["line"],
            error=row["error"],
        )
        for row in sorted(refused, key=lambda row: (row["upload"], row["line"]))
    ]
    return follow_up.make_refused_notice(
        rows, to=claimed.to, sender=pipeline.sender, message_id=message_id
    )


def _account(
    pipeline: pipelines.Pipeline, claimed: outbox.ClaimedMessage, message_id: str
) -> mime.Message:
    details = claimed.details
    expires_at = dt.datetime.fromisoformat(details["expires"])
    return accounts.make_link_message(
        to=claimed.to[0],
        sender=pipeline.sender,
        message_id=message_id,
        username=details["username"],
        link=pipeline.links.make_account_link(
            details["account"], details["nonce"], expires_at=expires_at
        ),
        valid_until=messages.format_moment(expires_at.astimezone(pipeline.zone)),
        is_new=details["reason"] == "invited",
    )


def _delay(
    pipeline: pipelines.Pipeline, claimed: outbox.ClaimedMessage, message_id: str
) -> mime.Message:
    with pipeline.store.begin() as conn:
        found = [uploads.get(conn, each) for each in claimed.details["uploads"]]
    return advice.make_delay_notice(
        [advise.describe(pipeline, each) for each in found if not each.finished_at],
        to=claimed.to,
        sender=pipeline.sender,
        message_id=message_id,
    )


def _case(
    pipeline: pipelines.Pipeline, claimed: outbox.ClaimedMessage, message_id: str
) -> mime.Message:
    number, is_to_staff = claimed.details["case"], claimed.details["staff"]
    with pipeline.store.begin() as conn:
        found = case_rows.get(conn, number)
        first = activity.find_first(conn, number)
    purpose = mails.make_purpose(number, first, is_to_staff=is_to_staff)
    return cases.make_case_message(
        to=claimed.to[0],
        sender=pipeline.sender,
        message_id=message_id,
        first_id=messages.make_message_id(purpose, pipeline.sender),
        number=number,
        kind=found.kind,
        state=found.state,
        about=cases.About(claimed.details["about"]),
        url=f"{pipeline.links.base_url}/cases/{vocabulary.format_number(number)}/",
        is_to_staff=is_to_staff,
    )


def _alert(
    pipeline: pipelines.Pipeline, claimed: outbox.ClaimedMessage, message_id: str
) -> mime.Message:
    details = claimed.details
    subject, sentences, link = _ALERTS[details["about"]](claimed.upload_id, details)
    return messages.make_alert(
        to=claimed.to[0],
        sender=pipeline.sender,
        message_id=message_id,
        subject=subject,
        sentences=sentences,
        link=f"{pipeline.ui_url}{link}",
    )


def _run_failed(upload_id: str | None, details: Mapping[str, Any]) -> _Alert:
    job, step, whose = details["job"], details.get("step"), details.get("provider")
    where = f"in the step {step} of the job {job}" if step else f"in the job {job}"
    if upload_id is None:
        subject = f"A run of the job {job} has failed"
        what, kept = f"A run has failed {where}.", ""
    else:
        of = f" of {whose!r}" if whose else ""
        subject = f"A run has failed for upload {upload_id}{of}"
        what = f"A run has failed for the upload {upload_id}{of}, {where}."
        kept = "Nothing is lost: the file is in the archive. "
    advice = (
        f'{kept}When the cause is corrected, open the run and choose "Re-execute from'
        ' failure" (on its page: "From failure"). Running it again never loads or sends'
        " anything twice."
    )
    why = details.get("why") or faults.UNEXPECTED.describe()
    return subject, [what, why, advice], f"/runs/{details['run']}"


def _provider_unknown(upload_id: str | None, details: Mapping[str, Any]) -> _Alert:
    return (
        "A file in a folder of no enabled provider",
        [
            f"A file was dropped into the folder {details['folder']!r}, which belongs"
            " to no provider that may upload.",
            f"It is kept in quarantine as {upload_id}; nobody else was informed. Add"
            " the provider with `cvms providers add`, or ask who has write access"
            " there.",
        ],
        f"/assets/upload?view=partitions&partition={upload_id}",
    )


def _not_readable(upload_id: str | None, details: Mapping[str, Any]) -> _Alert:
    return (
        "A file may not be read",
        [
            f"The provider {details['provider']!r} has dropped a file of which the"
            f" permissions do not allow us to read it: upload {upload_id}. The provider"
            " was informed, and the file is kept in quarantine.",
            "If that happens again, correct the access of the provider: its files"
            " need permission for the service's user or group. There is one such"
            " message a day for each provider.",
        ],
        f"/assets/upload?view=partitions&partition={upload_id}",
    )


def _not_removed(_upload_id: str | None, details: Mapping[str, Any]) -> _Alert:
    return (
        "Files in quarantine cannot be removed",
        [
            f"Retention could not remove the quarantined files of {details['count']}"
            " uploads, because they are in folders that only another user may change.",
            f"They are now in {details['folder']}, one folder for each upload, and"
            " retention does not try again: remove them there as root.",
        ],
        "/jobs/retention",
    )


def _not_all_removed(_upload_id: str | None, details: Mapping[str, Any]) -> _Alert:
    return (
        "Retention could not remove everything",
        [
            "Some things could not be removed; all others were.",
            *details["kept"],
            "Each night tries again: correct the cause, for example the owner of a"
            " file. This mail is sent once, until other things are left.",
        ],
        "/jobs/retention",
    )


_COMPOSERS = {
    outbox.Kind.NOTICE: _notice,
    outbox.Kind.INVITATION: _invitation,
    outbox.Kind.ALERT: _alert,
    outbox.Kind.REFUSED_ADDRESSES: _refused_addresses,
    outbox.Kind.ACCOUNT: _account,
    outbox.Kind.DELAY: _delay,
    outbox.Kind.CASE: _case,
    outbox.Kind.RECIPIENT: composing.compose,
}
_ALERTS = {
    "run-failed": _run_failed,
    "provider-unknown": _provider_unknown,
    "not-readable": _not_readable,
    "not-removed": _not_removed,
    "not-all-removed": _not_all_removed,
}
