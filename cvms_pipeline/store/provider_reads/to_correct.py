"""The recipients of a provider whose e-mail address has to be corrected.

Over all uploads; the lines of one upload whose invitations were refused are in
`store.refusals`.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from cvms_pipeline.database import engine

_statement = engine.load_statements(__package__)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressToCorrect:
    """An address that does not reach its recipient.

    Attributes:
        recipient_id: The recipient.
        upload_id: The upload that the address came from, in the line `source_line`.
        error: The answer of the mail server, such as `SMTP 550`; None if it has
            accepted the message.
        denied_at: When somebody who got it has said that it is not them, or None.
    """

    recipient_id: str
    first_name: str = field(repr=False)
    last_name: str = field(repr=False)
    email: str = field(repr=False)
    upload_id: str
    source_line: int
    error: str | None
    denied_at: dt.datetime | None


def list_addresses(
    conn: sa.Connection, provider: str, *, limit: int
) -> Sequence[AddressToCorrect]:
    """Return up to `limit` addresses of a provider's recipients, the latest first."""
    values = {"provider": provider, "limit": limit}
    rows = conn.execute(_statement("list_to_correct"), values)
    return [AddressToCorrect(**row._mapping) for row in rows]
