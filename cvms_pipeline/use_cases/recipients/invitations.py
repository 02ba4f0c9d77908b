"""An invitation that went to the Maildir, to be opened in a demonstration.

Where a mail server is used, messages are nowhere here, and nothing is found.
"""

import email
import email.policy
import re
from dataclasses import dataclass, field

from cvms_pipeline.store import listing, outbox
from cvms_pipeline.store.recipient_access import access
from cvms_pipeline.use_cases import compose, pipelines

_LINK = re.compile(r"^http\S+/set-password/\S+/$", re.MULTILINE)
_LATEST = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """What the recipient of an invitation needs to set a password."""

    username: str = field(repr=False)
    link: str = field(repr=False)


def find_in_maildir(pipeline: pipelines.Pipeline) -> Invitation | None:
    """Return one of the latest invitations whose link works; None without any."""
    with pipeline.store.begin() as conn:
        sent = listing.list_messages(
            conn,
            kinds=[outbox.Kind.INVITATION],
            statuses=[outbox.Status.SENT],
            limit=_LATEST,
        )
        # The first invitation of a recipient has the recipient's id.
        invited = [access.find(conn, each.id) for each in sent]
    for message, recipient in zip(sent, invited, strict=True):
        if recipient is None or recipient.current_link != message.id:
            continue
        path = compose.find_file(pipeline, message.id)
        if path is None:
            continue
        read = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        body = read.get_body(("plain",))
        link = _LINK.search("" if body is None else body.get_content())
        if link is not None:
            return Invitation(username=recipient.username, link=link[0])
    return None
