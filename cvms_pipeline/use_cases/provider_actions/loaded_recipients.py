"""What providers do with the recipients that they have loaded: list, look, invite.

Only with their own: another provider's recipient is unknown here.  Each reading writes
its entry into the audit in the same transaction, with neither names nor search words.
"""

from collections.abc import Sequence

from cvms_pipeline.database import engine
from cvms_pipeline.domain.vocabulary import audit_events
from cvms_pipeline.store import audit, outbox
from cvms_pipeline.store.provider_reads import loaded_recipients, recipient, to_correct
from cvms_pipeline.use_cases import deliver, pipelines

Page = loaded_recipients.Page
Wanted = loaded_recipients.Wanted
Recipient = recipient.Recipient
AddressToCorrect = to_correct.AddressToCorrect
RecipientUnknown = recipient.RecipientUnknown
NotRefused = outbox.NotRefused
InvitationStatus = outbox.Status
SORTS = loaded_recipients.SORTS
MAX_MATCHES = loaded_recipients.MAX_MATCHES


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
    """Send the invitation again that a mail server has refused.

    Raises:
        RecipientUnknown: If the provider has no recipient with this id.
        NotRefused: If the invitation was not refused.
    """
    with pipeline.store.begin() as conn:
        invitation = recipient.get(conn, recipient_id, provider=provider).invitation
    if invitation is None:
        raise NotRefused
    deliver.resend_messages(pipeline, [invitation.id], provider=provider)


def _note(conn: engine.Connection, provider: str, **details: object) -> None:
    event = audit_events.Event.RECIPIENTS_READ
    audit.write(conn, [audit.Note(event=event, provider=provider, details=details)])
