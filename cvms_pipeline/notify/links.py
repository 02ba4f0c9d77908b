"""Signed links with which a recipient sets a password, and their verification.

A link holds the recipient's public id and when it ends, nothing else, and is the
same however often it is made.  What a recipient may do with it is the portal's.
"""

import datetime as dt
import hashlib
from dataclasses import dataclass, field

import itsdangerous

from cvms_pipeline import errors

_PURPOSE = "cvms.set-password"
_PATH = "/set-password/"


class LinkExpired(errors.PermanentError):
    """The link is no longer valid; ask for a new one."""


class LinkForged(errors.PermanentError):
    """The link is not one of ours, or was not copied whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Makes links below `base_url`, signed with `secret`, valid for `days`."""

    secret: str = field(repr=False)
    base_url: str
    days: int

    def valid_until(self, issued_at: dt.datetime) -> dt.datetime:
        """Return when a link that is issued then ends, to the second."""
        return (issued_at + dt.timedelta(days=self.days)).replace(microsecond=0)

    def link(self, public_id: str, *, issued_at: dt.datetime) -> str:
        """Return the link for the recipient with that public id."""
        token = sign(self.secret, public_id, expires_at=self.valid_until(issued_at))
        return link(self.base_url, token)

    def recipient(self, token: str, *, now: dt.datetime) -> str:
        """Return the public id of the recipient for whom `token` was made.

        Raises:
            LinkExpired: If it has ended by `now`.
            LinkForged: If it was not signed with `secret`.
        """
        return verify(self.secret, token, now=now)


def sign(secret: str, public_id: str, *, expires_at: dt.datetime) -> str:
    """Return a token for a URL: `public_id` and when it ends, signed."""
    return str(_signer(secret).dumps([public_id, int(expires_at.timestamp())]))


def verify(secret: str, token: str, *, now: dt.datetime) -> str:
    """Return the public id in `token`.

    Raises:
        LinkExpired: If it has ended by `now`.
        LinkForged: If it was not signed with `secret`.
    """
    try:
        public_id, expires = _signer(secret).loads(token)
    except (itsdangerous.BadData, ValueError, TypeError):
        raise LinkForged from None
    if now.timestamp() >= expires:
        raise LinkExpired
    return str(public_id)


def link(base_url: str, token: str) -> str:
    """Return the address that leads to the portal with `token`."""
    return f"{base_url.rstrip('/')}{_PATH}{token}"


def _signer(secret: str) -> itsdangerous.URLSafeSerializer:
    return itsdangerous.URLSafeSerializer(
        secret,
        salt=_PURPOSE,
        signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
    )
