"""What providers do with the recipients that they have loaded: list, look, invite.

Only with their own: another provider's recipient is unknown here.  Each reading writes
its entry into the audit in the same transaction, with neither names nor search words.
"""

from collections.abc import Sequence

from cvms_pipeline import errors
from cvms_pipeline.database import engine
from cvms_pipeline.domain.vocabulary import audit_events, steps
from cvms_pipeline.store import audit, outbox
from cvms_pipeline.store.provider_reads import loaded_recipients, recipient, to_correct
from cvms_pipeline.use_cases import deliver, pipelines

Page = loaded_recipients.Page
Wanted = loaded_recipients.Wanted
Recipient = recipient.Recipient
AddressToCorrect = to_correct.AddressToCorrect
RecipientUnknown = recipient.RecipientUnknown
NotRefused = outbox.NotRefused
Step = steps.Step
SORTS = loaded_recipients.SORTS
MAX_MATCHES = loaded_recipients.MAX_MATCHES
_RESENDABLE = (Step.SENT, Step.REFUSED, Step.WITHDRAWN)


class NotToBeSent(errors.PermanentError):
    """There is no invitation to be sent again."""


def list_recipients(pipeline: pipelines.Pipeline, wanted: Wanted) -> Page:
    """Return a page of the recipients that a provider has loaded.

    The audit records how many were shown.
    """
    with pipeline.store.begin() as conn:
        page = loaded_recipients.read_page(conn, wanted)
        if page.recipients:
            _note(conn, wanted.provider, recipients=len(page.recipients))
    return page


def list_addresses_to_correct(
    pipeline: pipelines.Pipeline, provider: str, *, limit: int
) -> Sequence[AddressToCorrect]:
    """Return the addresses that do not reach the provider's recipients, latest first.

    Over all uploads, and `limit` at most; the audit records how many were shown.
    """
    with pipeline.store.begin() as conn:
        found = to_correct.list_addresses(conn, provider, limit=limit)
        if found:
            _note(conn, provider, recipients=len(found))
    return found


def get_recipient(
    pipeline: pipelines.Pipeline, recipient_id: str, *, provider: str
) -> Recipient:
    """Return one recipient of the provider; the audit records who has looked.

    Raises:
        RecipientUnknown: If the provider has none with this id.
    """
    with pipeline.store.begin() as conn:
        found = recipient.get(conn, recipient_id, provider=provider)
        _note(conn, provider, recipient=found.id)
    return found


def resend_invitation(
    pipeline: pipelines.Pipeline, recipient_id: str, *, provider: str
) -> None:
    """Send the invitation of somebody without a password again.

    One that the mail server has refused is sent as it is.  One that was sent is written
    anew: from the moment when it is sent the link of the earlier one is dead.

    Raises:
        RecipientUnknown: If the provider has no recipient with this id.
        NotToBeSent: If it waits to be sent, or there is none, or the recipient has a
            password, or the address is somebody else's.
    """
    with pipeline.store.begin() as conn:
        found = recipient.lock(conn, recipient_id, provider=provider)
        if found.step not in _RESENDABLE or found.invitation is None:
            raise NotToBeSent
        message_id = found.invitation.id
        if found.step is not Step.REFUSED:
            message_id = outbox.invite_again(conn, recipient_id, now=pipeline.now())
            deliver.record_resent(conn, [message_id], provider=provider)
            return
    deliver.resend_messages(pipeline, [message_id], provider=provider)


def _note(conn: engine.Connection, provider: str, **details: object) -> None:
    event = audit_events.Event.RECIPIENTS_READ
    audit.write(conn, [audit.Note(event=event, provider=provider, details=details)])
