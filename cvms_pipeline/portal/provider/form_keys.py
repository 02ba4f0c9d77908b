"""Keys of forms that send a file: the same form sends the same upload, however often.

Each form has a signed key, and the id of the upload is made of it, of the account and
of the bytes.  So a second click, or the form sent again after a fault, repeats.
"""

import datetime as dt
import secrets

from django.conf import settings
from django.core import signing

from cvms_pipeline.domain.vocabulary import upload

SUBMISSION = "cvms-submission"
CORRECTION = "cvms-correction"
"""What a key is for; one for another purpose counts as changed."""


def make_key(purpose: str) -> str:
    """Return the key of a new form."""
    facts = {"at": settings.CVMS.pipeline.now().timestamp()}
    return signing.dumps(facts | {"once": secrets.token_hex(8)}, salt=purpose)


def choose_id(key: str, purpose: str, *, account_id: str, data: bytes) -> str:
    """Return the id for bytes: the same one when the same form sends them again.

    A new one if somebody has changed the key.
    """
    try:
        facts = signing.loads(key, salt=purpose)
    except signing.BadSignature:
        return upload.make_id(settings.CVMS.pipeline.now())
    at = dt.datetime.fromtimestamp(facts["at"], dt.UTC)
    digest = upload.compute_sha256(data)
    return upload.derive_id(at, f"{account_id} {facts['once']} {digest}")
