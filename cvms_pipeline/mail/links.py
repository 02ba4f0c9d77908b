"""Signed links with which somebody sets a password, and their verification.

A link holds the recipient's public id, when it ends and a keyed digest of the address
that it is sent to: once that address is corrected, the link is dead.  The same facts
always give the same link.  A link of a portal account is bound to the account's nonce
in the same way: once the nonce is another, the link is dead.  What somebody does with a
link is the portal's task.
"""

import base64
import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import itsdangerous

from cvms_pipeline import errors

_PURPOSE = "cvms.set-password.2"  # the first form was bound to no address: it is dead
_ADDRESS_PURPOSE = "cvms.set-password.address"
_PATH = "/set-password/"
_ACCOUNT_PURPOSE = "cvms.account-password.1"
_ACCOUNT_PATH = "/accounts/set-password/"
_CODE_BYTES = 10  # 16 letters and digits


class LinkExpired(errors.PermanentError):
    """The link is no longer valid; ask for a new one."""


class LinkForged(errors.PermanentError):
    """The link was not made by this installation, or was not copied whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Makes links below `base_url`, signed with a secret, valid for `days`.

    The secret is read when the first link is made, so that commands that make none
    need no access to it.
    """

    read_secret: Callable[[], str] = field(repr=False)
    base_url: str
    days: int

    def valid_until(self, issued_at: dt.datetime) -> dt.datetime:
        """Return when a link that is issued at `issued_at` ends, to the second."""
        return (issued_at + dt.timedelta(days=self.days)).replace(microsecond=0)

    def make_link(self, public_id: str, address: str, *, issued_at: dt.datetime) -> str:
        """Return the link for a recipient, valid while it has this e-mail address."""
        expires = int(self.valid_until(issued_at).timestamp())
        digest = self._compute_digest(public_id, address)
        token = self._signer(_PURPOSE).dumps([public_id, expires, digest])
        return f"{self.base_url.rstrip('/')}{_PATH}{token}"

    def make_account_link(
        self, account_id: str, nonce: str, *, expires_at: dt.datetime
    ) -> str:
        """Return the link for an account of the portal, valid while it has `nonce`."""
        expires = int(expires_at.timestamp())
        digest = self._compute_digest(account_id, nonce)
        token = self._signer(_ACCOUNT_PURPOSE).dumps([account_id, expires, digest])
        return f"{self.base_url.rstrip('/')}{_ACCOUNT_PATH}{token}/"

    def sign_facts(self, purpose: str, facts: Sequence[object]) -> str:
        """Return 16 letters and digits that only this installation makes for `facts`.

        `facts` are texts, numbers and None; other facts, or another `purpose`, give
        another code.
        """
        text = json.dumps([purpose, *facts])
        key = self.read_secret().encode()
        digest = hmac.new(key, text.encode(), hashlib.sha256).digest()
        return base64.b32encode(digest[:_CODE_BYTES]).decode()

    def verify(
        self,
        token: str,
        *,
        find_address: Callable[[str], str | None],
        now: dt.datetime,
    ) -> str:
        """Return the public id of the recipient for whom `token` was made.

        Args:
            token: The last part of the link.
            find_address: Returns the e-mail address that the recipient with a public id
                has now, or None if there is none.  It is called for signed ids only.
            now: The time.

        Raises:
            LinkExpired: If it has ended by `now`, or was sent to another address than
                the recipient has now.
            LinkForged: If it was not signed with the secret.
        """
        return self._verify(_PURPOSE, token, find_address, now)

    def verify_account(
        self, token: str, *, find_nonce: Callable[[str], str | None], now: dt.datetime
    ) -> str:
        """Return the id of the portal account for which `token` was made.

        `find_nonce` returns the nonce that an account has now; None if it has none.

        Raises:
            LinkExpired: If it has ended, or the account has another nonce now.
            LinkForged: If it was not signed with the secret.
        """
        return self._verify(_ACCOUNT_PURPOSE, token, find_nonce, now)

    def _verify(
        self,
        purpose: str,
        token: str,
        find_bound: Callable[[str], str | None],
        now: dt.datetime,
    ) -> str:
        """Return the id in `token`; `find_bound` returns what it is bound to now."""
        try:
            public_id, expires, digest = self._signer(purpose).loads(token)
        except (itsdangerous.BadData, ValueError, TypeError):
            raise LinkForged from None
        if now.timestamp() >= expires:
            raise LinkExpired
        bound = find_bound(public_id)
        if bound is None or not hmac.compare_digest(
            digest, self._compute_digest(public_id, bound)
        ):
            raise LinkExpired
        return str(public_id)

    def _compute_digest(self, public_id: str, address: str) -> str:
        """Return what binds a link to an address and does not show it."""
        facts = json.dumps([_ADDRESS_PURPOSE, public_id, address])
        key = self.read_secret().encode()
        return hmac.new(key, facts.encode(), hashlib.sha256).hexdigest()[:32]

    def _signer(self, purpose: str) -> itsdangerous.URLSafeSerializer:
        return itsdangerous.URLSafeSerializer(
            self.read_secret(),
            salt=purpose,
            signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
        )
