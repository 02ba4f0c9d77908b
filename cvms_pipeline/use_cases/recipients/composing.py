"""Composing what is sent to recipients who were invited, and the links in messages.

The words are `mail.recipients`; the invitation itself is composed in `compose`.
"""

import datetime as dt

from cvms_pipeline.mail import mime, recipients
from cvms_pipeline.store import outbox
from cvms_pipeline.store.recipient_access import access
from cvms_pipeline.use_cases import pipelines

Kind = outbox.Kind
_LINK = recipients.About.LINK


def compose(
    pipeline: pipelines.Pipeline, claimed: outbox.ClaimedMessage, message_id: str
) -> mime.Message:
    """Return a message to a recipient who was invited before."""
    about, now = recipients.About(claimed.details["about"]), pipeline.now()
    home = f"{pipeline.links.base_url.rstrip('/')}/"
    facts = recipients.Facts(
        names=pipeline.programme.names,
        username=claimed.username or "",
        link=make_link(pipeline, claimed, now) if about is _LINK else home,
        valid_until=pipeline.links.valid_until(now).astimezone(pipeline.zone),
    )
    language = recipients.Language(claimed.language) if claimed.language else None
    return recipients.make_message(
        about,
        facts,
        to=claimed.to[0],
        sender=pipeline.sender,
        message_id=message_id,
        language=language,
    )


def make_link(
    pipeline: pipelines.Pipeline, claimed: outbox.ClaimedMessage, now: dt.datetime
) -> str:
    """Return the link that a message carries: its own id is the link's."""
    return pipeline.links.make_link(
        claimed.recipient_id or "", claimed.to[0], claimed.id, issued_at=now
    )


def issue_link(pipeline: pipelines.Pipeline, claimed: outbox.ClaimedMessage) -> None:
    """Make the link that a message carries the only one of its recipient.

    It is made so before the message is sent, so that after a crash the same message
    carries a link that works.  The first invitation's is so from the beginning.
    """
    is_link = claimed.kind is Kind.INVITATION or (
        claimed.kind is Kind.RECIPIENT and claimed.details["about"] == _LINK
    )
    if is_link and claimed.id != (claimed.link_id or claimed.recipient_id):
        with pipeline.store.begin() as conn:
            access.issue_link(conn, claimed)
