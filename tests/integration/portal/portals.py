"""The portal on a real database, asked by Django's test client.

Django is configured once in a process; each test gets a clone of a migrated database
and a pipeline of its own.
"""

import base64
import hashlib
import hmac
import re
import secrets
import struct
import time
from dataclasses import dataclass
from typing import Any

import installations
from allauth.mfa.recovery_codes.internal import auth as recovery
from allauth.mfa.totp.internal import auth as totp
from django import test
from django.conf import settings

from cvms_pipeline.portal.accounts import models

PASSWORD = "four blue horses 7"
SECRET = base64.b32encode(b"a secret of twenty b").decode()


def make_code(at: float | None = None, secret: str = SECRET) -> str:
    """Return the code that an authenticator app shows (RFC 6238)."""
    counter = struct.pack(">Q", int((at or time.time()) // 30))
    digest = hmac.new(base64.b32decode(secret), counter, hashlib.sha1).digest()
    start = digest[-1] & 15
    (number,) = struct.unpack(">I", digest[start : start + 4])
    return f"{(number & 0x7FFFFFFF) % 1_000_000:06d}"


def text_of(response: Any) -> str:
    """Return the words of a page, with single spaces."""
    page = re.sub(r"<(script|style)\b.*?</\1>", " ", response.content.decode())
    words = re.sub(r"<[^>]*>", " ", page)
    return re.sub(r"\s+", " ", words).replace("&#x27;", "'").strip()


@dataclass(kw_only=True)
class Site:
    """What a test does with the portal."""

    installation: installations.Installation

    @property
    def pipeline(self) -> Any:
        return settings.CVMS.pipeline

    def add_account(
        self,
        address: str = "ann@mercy.example.org",
        role: str = "provider",
        *,
        provider: str = "mercy",
        has_factor: bool = True,
        **facts: Any,
    ) -> models.Account:
        """Add an account with a password and, as a rule, an authenticator app."""
        slug = provider if role == "provider" else ""
        if role == "recipient":
            facts["recipient"] = self.add_recipient(address)
        account = models.Account.objects.add(
            address, models.Role(role), provider=slug, **facts
        )
        account.set_password(PASSWORD)
        account.save()
        if has_factor:
            totp.TOTP.activate(account, SECRET)
            recovery.RecoveryCodes.activate(account)
        return account

    def add_recipient(self, address: str) -> str:
        """Load somebody at an address who has set a password; return the id."""
        name = re.sub(r"[^a-z]", "", address.partition("@")[0].lower())
        self.installation.bring([f"{name},Recipient,1/2/1990,{address}"])
        (recipient_id,) = self.installation.column(
            "UPDATE cvms.recipients SET password_set_at = now()"  # noqa: S608 # ours
            f" WHERE email = '{address}' RETURNING id::text"
        )
        return str(recipient_id)

    def open_case(
        self, account: models.Account, kind: str = "bulk_upload", **facts: Any
    ) -> dict[str, str]:
        """Open a case with a file; return what routes need of it."""
        from cvms_pipeline.use_cases.help_desk import opening, reading

        rows = facts.pop("rows", [installations.ANN, installations.BAD])
        data = "\n".join([installations.HEADER, *rows]).encode()
        asked = {
            "vfc_pin": "NCA654321",
            "organisation": "Harbor Clinic",
            "name": "Rosa Diaz",
            "email": account.email,
            "details": "Please load this file.",
            "file": opening.AttachedFile(file_name="clinic.csv", data=data),
        }
        person = account.person
        request = opening.Request(kind=opening.Kind(kind), **(asked | facts))
        key = secrets.token_hex(8)
        opened = opening.open_case(self.pipeline, request, by=person, key=key)
        found = reading.get_own_case(self.pipeline, opened.number, by=person)
        return {
            "number": f"VACHCP{opened.number:07}",
            "file_id": found.files[0].id if found.files else "",
        }

    def browser(self, **options: Any) -> test.Client:
        """Return a browser that nobody has logged in with."""
        return test.Client(**options)

    def browser_of(self, account: models.Account, **options: Any) -> test.Client:
        """Return a browser in which somebody is logged in."""
        client = test.Client(**options)
        client.force_login(account)
        return client

    def type_password(
        self, client: test.Client, username: str, password: str = PASSWORD
    ) -> Any:
        typed = {"login": username, "password": password}
        return client.post("/accounts/login/", typed)

    def log_in(self, client: test.Client, username: str) -> Any:
        """Log in with both factors; return the last answer."""
        asked = self.type_password(client, username)
        assert asked["Location"] == "/accounts/factors/log-in/", text_of(asked)
        return client.post("/accounts/factors/log-in/", {"code": make_code()})

    def audit(self, *events: str) -> list[dict[str, Any]]:
        """Return the entries of these events, the earliest first."""
        from cvms_pipeline.use_cases import history

        found = history.list_audit_entries(self.pipeline, limit=1000)
        return [
            {"event": each.event.value, "actor": each.actor, **each.details}
            for each in reversed(found)
            if each.event.value in events
        ]
