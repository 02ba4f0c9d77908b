"""What the pipeline does for the accounts of the portal: links, messages, the audit.

The accounts themselves, their passwords and sessions are in Django's tables, which only
`portal` reads and writes.  An account is named here by its id; its current `nonce` is
what makes a link to set a password valid, once.
"""

import datetime as dt
import enum
from collections.abc import Callable, Mapping

from cvms_pipeline.domain.vocabulary import audit_events
from cvms_pipeline.mail import links
from cvms_pipeline.store import audit, outbox
from cvms_pipeline.use_cases import pipelines

Event = audit_events.Event
LinkExpired = links.LinkExpired
LinkForged = links.LinkForged


class LinkReason(enum.StrEnum):
    """Why an account gets a link to set its password."""

    INVITED = "invited"
    FORGOTTEN = "forgotten"


_FORGOTTEN_HOURS = 2
"""How long the link lives that anybody can ask for who knows a username."""


def queue_link(
    pipeline: pipelines.Pipeline,
    *,
    account_id: str,
    username: str,
    address: str,
    nonce: str,
    reason: LinkReason,
) -> None:
    """Queue the message with the link; the audit records that, not the address.

    The outbox holds no link: it is made when the message is sent, from the nonce and
    the secret key.
    """
    now = pipeline.now()
    details = {
        "account": account_id,
        "username": username,
        "nonce": nonce,
        "reason": reason.value,
        "expires": _get_end(pipeline, reason).isoformat(),
    }
    note = audit.Note(
        event=Event.LINK_QUEUED, details={"account": account_id, "reason": reason.value}
    )
    with pipeline.store.begin() as conn:
        outbox.queue(
            conn,
            purpose=f"account:{account_id}:{nonce}",
            kind=outbox.Kind.ACCOUNT,
            addresses=[address],
            now=now,
            details=details,
        )
        audit.write(conn, [note])


def make_link(pipeline: pipelines.Pipeline, *, account_id: str, nonce: str) -> str:
    """Return the link of a new account, to be handed over by other ways than mail."""
    expires_at = _get_end(pipeline, LinkReason.INVITED)
    return pipeline.links.make_account_link(account_id, nonce, expires_at=expires_at)


def verify_link(
    pipeline: pipelines.Pipeline,
    token: str,
    *,
    find_nonce: Callable[[str], str | None],
) -> str:
    """Return the id of the account for which the link with `token` was made.

    Args:
        pipeline: The pipeline.
        token: The last part of the link.
        find_nonce: Returns the nonce that an account has now, or None.

    Raises:
        LinkExpired: If its time is over, it was used, or a newer one was made.
        LinkForged: If it was not made here.
    """
    return pipeline.links.verify_account(
        token, find_nonce=find_nonce, now=pipeline.now()
    )


def record(
    pipeline: pipelines.Pipeline,
    event: Event,
    *,
    account_id: str | None = None,
    provider: str | None = None,
    details: Mapping[str, object] | None = None,
) -> None:
    """Write into the audit what has happened to an account.

    `details` holds counts, codes and ids; no name, no address, no password.
    """
    facts = dict(details or {})
    if account_id is not None:
        facts["account"] = account_id
    note = audit.Note(event=event, provider=provider, details=facts)
    with pipeline.store.begin() as conn:
        audit.write(conn, [note])


def _get_end(pipeline: pipelines.Pipeline, reason: LinkReason) -> dt.datetime:
    now = pipeline.now()
    if reason is LinkReason.INVITED:
        return pipeline.links.valid_until(now)
    return (now + dt.timedelta(hours=_FORGOTTEN_HOURS)).replace(microsecond=0)
