"""The messages to recipients who were invited: what is queued when.

Their words are `mail.recipients`.  A row in the outbox holds neither a link nor a name:
both are read when the message is sent.
"""

from cvms_pipeline.database import engine
from cvms_pipeline.mail import recipients as words
from cvms_pipeline.store import outbox
from cvms_pipeline.store.recipient_access import access
from cvms_pipeline.use_cases import pipelines

About = words.About
_LINK_MINUTES = 5
"""One message with a link is queued for a recipient in so many minutes."""


def queue(
    conn: engine.Connection,
    pipeline: pipelines.Pipeline,
    found: access.Recipient,
    about: About,
) -> bool:
    """Queue a message to a recipient; return False if it is not sent.

    Nothing is sent to somebody who was removed or is not at the address, nor a second
    link in a few minutes, nor twice that the registration is complete.
    """
    if not found.is_reachable:
        return False
    now = pipeline.now()
    slots = {
        About.LINK: str(int(now.timestamp()) // (_LINK_MINUTES * 60)),
        About.REGISTERED: "once",
        About.PASSWORD_CHANGED: now.isoformat(),
    }
    return outbox.queue(
        conn,
        purpose=f"recipient:{found.id}:{about.value}:{slots[about]}",
        kind=outbox.Kind.RECIPIENT,
        addresses=[found.email],
        recipient_id=found.id,
        now=now,
        details={"about": about.value},
    )
