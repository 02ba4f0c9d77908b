"""Keys of forms: the same form with the same content counts once, however often sent.

Each form has a signed key.  The id of an upload is made of it, of the account and of
the bytes; what the help desk is told has a key that is made in the same way.  So a
second click, or the form sent again after a fault, repeats.
"""

import datetime as dt
import hashlib
import secrets
from typing import Any

from django.conf import settings
from django.core import signing

from cvms_pipeline.domain.vocabulary import upload

SUBMISSION = "cvms-submission"
CORRECTION = "cvms-correction"
CASE = "cvms-case"
"""What a key is for; one for another purpose counts as changed."""


def make_key(purpose: str) -> str:
    """Return the key of a new form."""
    facts = {"at": settings.CVMS.pipeline.now().timestamp()}
    return signing.dumps(facts | {"once": secrets.token_hex(8)}, salt=purpose)


def choose_id(key: str, purpose: str, *, account_id: str, data: bytes) -> str:
    """Return the id for bytes: the same one when the same form sends them again.

    A new one if somebody has changed the key.
    """
    facts = _read(key, purpose)
    if facts is None:
        return upload.make_id(settings.CVMS.pipeline.now())
    at = dt.datetime.fromtimestamp(facts["at"], dt.UTC)
    return upload.derive_id(at, _name(facts, account_id, data))


def choose_key(key: str, purpose: str, *, account_id: str, data: bytes) -> str:
    """Return what names the content of a form: the same one when it is sent again.

    A new one if somebody has changed the key.
    """
    facts = _read(key, purpose)
    if facts is None:
        return secrets.token_hex(32)
    return hashlib.sha256(_name(facts, account_id, data).encode()).hexdigest()


def _read(key: str, purpose: str) -> dict[str, Any] | None:
    """Return what a key says; None if it was not made here for this purpose."""
    try:
        facts: dict[str, Any] = signing.loads(key, salt=purpose)
    except signing.BadSignature:
        return None
    return facts


def _name(facts: dict[str, Any], account_id: str, data: bytes) -> str:
    return f"{account_id} {facts['once']} {upload.compute_sha256(data)}"
