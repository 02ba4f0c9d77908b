"""The registration: drafts, sending it once, changing it later.

Everything here is for the recipient alone; nobody else reads an answer.
"""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from cvms_pipeline import errors
from cvms_pipeline.database import engine
from cvms_pipeline.domain.vocabulary import audit_events
from cvms_pipeline.domain.vocabulary import registration as vocabulary
from cvms_pipeline.store import audit
from cvms_pipeline.store.recipient_access import access, registrations
from cvms_pipeline.use_cases import pipelines
from cvms_pipeline.use_cases.recipients import mails
from cvms_pipeline.use_cases.recipients.access import RecipientUnknown

Answers = vocabulary.Answers
Draft = registrations.Draft
Event = audit_events.Event
Fault = vocabulary.Fault
Step = vocabulary.Step


class AnswersInvalid(errors.PermanentError):
    """The answers are not complete, or one of them cannot be used.

    Attributes:
        faults: What is wrong, by the name of the answer; no answer is in it.
    """

    faults: Mapping[str, Fault] = {}


def get_draft(pipeline: pipelines.Pipeline, recipient_id: str) -> Draft | None:
    """Return the form that a recipient has paused, or None."""
    with pipeline.store.begin() as conn:
        return registrations.find_draft(conn, recipient_id)


def save_draft(
    pipeline: pipelines.Pipeline,
    recipient_id: str,
    *,
    step: str,
    answers: Mapping[str, Any],
) -> None:
    """Keep what was typed so far, right or wrong, with the step that is shown.

    Answers of other names are left out, and long ones cut.

    Raises:
        RecipientUnknown: If there is no such recipient, or it was removed.
        ValueError: If `step` is none of `Step`.
    """
    kept = {name: _cut(answers[name]) for name in vocabulary.FIELDS if name in answers}
    with _owned(pipeline, recipient_id) as (conn, _):
        registrations.save_draft(
            conn, recipient_id, step=Step(step).value, answers=kept, now=pipeline.now()
        )


def drop_draft(pipeline: pipelines.Pipeline, recipient_id: str) -> None:
    """Forget what was typed so far."""
    with pipeline.store.begin() as conn:
        registrations.drop_draft(conn, recipient_id)


def get_answers(pipeline: pipelines.Pipeline, recipient_id: str) -> Answers | None:
    """Return what a recipient has sent, or None."""
    with pipeline.store.begin() as conn:
        return registrations.find(conn, recipient_id)


def clean(pipeline: pipelines.Pipeline, answers: Mapping[str, Any]) -> Answers:
    """Return what was typed as it is stored.

    Raises:
        AnswersInvalid: If something is missing or cannot be used.
    """
    if faults := vocabulary.find_faults(answers, pipeline.programme):
        invalid = AnswersInvalid()
        invalid.faults = faults
        raise invalid
    return vocabulary.clean(answers, pipeline.programme)


def send(pipeline: pipelines.Pipeline, recipient_id: str, answers: Answers) -> bool:
    """Register a recipient, or change the answers; all of it or nothing.

    Sent twice, it registers once, and one message says that it is complete.

    Returns:
        Whether the recipient is registered by this; else it was before.

    Raises:
        RecipientUnknown: If there is no such recipient, or it was removed.
    """
    now = pipeline.now()
    with _owned(pipeline, recipient_id) as (conn, found):
        before = registrations.find(conn, recipient_id)
        registrations.drop_draft(conn, recipient_id)
        if before == answers:
            return False
        registrations.save(conn, recipient_id, answers, now=now)
        if found.registered_at is None:
            access.mark_registered(conn, recipient_id, now=now)
        is_first = before is None
        event = Event.REGISTRATION_SENT if is_first else Event.REGISTRATION_CHANGED
        details = {"recipient": recipient_id}
        note = audit.Note(event=event, provider=found.provider, details=details)
        audit.write(conn, [note])
        if is_first:
            mails.queue(conn, pipeline, found, mails.About.REGISTERED)
    return is_first


@contextlib.contextmanager
def _owned(
    pipeline: pipelines.Pipeline, recipient_id: str
) -> Iterator[tuple[engine.Connection, access.Recipient]]:
    """Hold a recipient for one change by its owner.

    Raises:
        RecipientUnknown: If there is none, or it was removed.
    """
    with pipeline.store.begin() as conn:
        found = access.find(conn, recipient_id, is_locked=True)
        if found is None or found.removed_at is not None:
            raise RecipientUnknown
        yield conn, found


def _cut(answer: object) -> object:
    """Return an answer of a draft, no longer than one that can be sent."""
    if isinstance(answer, list | tuple):
        return [str(each)[: vocabulary.MAX_LENGTH] for each in answer[:20]]
    return str(answer).replace("\0", "")[: vocabulary.MAX_LENGTH]
