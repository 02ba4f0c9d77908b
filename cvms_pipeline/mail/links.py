"""Signed links with which somebody sets a password, and their verification.

A recipient's link holds the public id, when it ends, its own id, which is that of the
message that carries it, and a keyed digest of these and of the address that it is sent
to: once that address is corrected, the link is dead.  The same facts always give the
same link.  A link of a portal account is bound to the account's nonce in the same way:
once the nonce is another, the link is dead.  What else ends a recipient's link is
`use_cases.recipients.access`.
"""

import base64
import contextlib
import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import itsdangerous

from cvms_pipeline import errors

_PURPOSE = "cvms.set-password.3"
_OLD_PURPOSES = ("cvms.set-password", "cvms.set-password.2")
"""Of links that outlived corrections, or a password: they are dead, and say so."""

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
class SignedLink:
    """What a link of ours says, whether or not it still works.

    Attributes:
        recipient_id: Whom it was made for.
        link_id: The message that carried it; empty in an old form.
        expires_at: When it ends.
        digest: What binds it to its address; empty in an old form.
    """

    recipient_id: str
    link_id: str
    expires_at: dt.datetime
    digest: str = field(repr=False)

    @property
    def is_old_form(self) -> bool:
        """Return whether it was made before links ended when they were used."""
        return not self.link_id


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

    def make_link(
        self, recipient_id: str, address: str, link_id: str, *, issued_at: dt.datetime
    ) -> str:
        """Return the link for a recipient that a message to this address carries.

        Args:
            recipient_id: Whom it is for.
            address: Where it is sent to.
            link_id: The id of the message.
            issued_at: When it is sent.
        """
        expires = int(self.valid_until(issued_at).timestamp())
        digest = self._compute_digest(recipient_id, address, link_id)
        facts = [recipient_id, expires, link_id, digest]
        token = self._signer(_PURPOSE).dumps(facts)
        return f"{self.base_url.rstrip('/')}{_PATH}{token}/"

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

    def read(self, token: str) -> SignedLink:
        """Return what a link of a recipient says.

        Raises:
            LinkForged: If it was not signed with the secret.
        """
        recipient_id, expires, *bound = self._load(token, _PURPOSE, *_OLD_PURPOSES)
        link_id, digest = bound if len(bound) > 1 else ("", "")
        return SignedLink(
            recipient_id=recipient_id,
            link_id=link_id,
            expires_at=dt.datetime.fromtimestamp(expires, dt.UTC),
            digest=digest,
        )

    def is_bound_to(self, signed: SignedLink, address: str) -> bool:
        """Return whether a link was made for this address."""
        made = self._compute_digest(signed.recipient_id, address, signed.link_id)
        return hmac.compare_digest(signed.digest, made)

    def verify_account(
        self, token: str, *, find_nonce: Callable[[str], str | None], now: dt.datetime
    ) -> str:
        """Return the id of the portal account for which `token` was made.

        `find_nonce` returns the nonce that an account has now; None if it has none.

        Raises:
            LinkExpired: If it has ended, or the account has another nonce now.
            LinkForged: If it was not signed with the secret.
        """
        account_id, expires, digest = self._load(token, _ACCOUNT_PURPOSE)
        if now.timestamp() >= expires:
            raise LinkExpired
        nonce = find_nonce(account_id)
        if nonce is None or not hmac.compare_digest(
            digest, self._compute_digest(account_id, nonce)
        ):
            raise LinkExpired
        return str(account_id)

    def _load(self, token: str, *purposes: str) -> Any:
        """Return what was signed for the first of these purposes that fits."""
        for purpose in purposes:
            with contextlib.suppress(itsdangerous.BadData, ValueError, TypeError):
                return self._signer(purpose).loads(token)
        raise LinkForged

    def _compute_digest(self, public_id: str, *bound: str) -> str:
        """Return what binds a link to an address, and does not show it."""
        facts = json.dumps([_ADDRESS_PURPOSE, public_id, *bound])
        key = self.read_secret().encode()
        return hmac.new(key, facts.encode(), hashlib.sha256).hexdigest()[:32]

    def _signer(self, purpose: str) -> itsdangerous.URLSafeSerializer:
        return itsdangerous.URLSafeSerializer(
            self.read_secret(),
            salt=purpose,
            signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
        )
