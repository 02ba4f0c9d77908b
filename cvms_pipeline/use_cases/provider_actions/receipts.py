"""Receipts of uploads: a code on the printed page that the help desk can verify.

The code is made of the upload's facts and the secret key of the installation.  So it
fits these facts only, and nobody can make it elsewhere.
"""

import hmac

from cvms_pipeline.store import uploads
from cvms_pipeline.use_cases import pipelines

_PURPOSE = "cvms.receipt.1"
_GROUP = 4


def make_code(pipeline: pipelines.Pipeline, found: uploads.Upload) -> str:
    """Return the code of an upload that has its outcome, such as `K7QF-2MXA-…`."""
    code = pipeline.links.sign_facts(_PURPOSE, _list_facts(found))
    return "-".join(code[at : at + _GROUP] for at in range(0, len(code), _GROUP))


def is_genuine(pipeline: pipelines.Pipeline, found: uploads.Upload, code: str) -> bool:
    """Return whether a receipt with this code has the facts that the upload has now.

    Capital letters, spaces and hyphens do not count.
    """
    if found.decided_at is None:
        return False
    typed = "".join(filter(str.isalnum, code)).upper()
    expected = pipeline.links.sign_facts(_PURPOSE, _list_facts(found))
    return hmac.compare_digest(typed.encode(), expected.encode())


def _list_facts(found: uploads.Upload) -> list[object]:
    moments = (found.received_at, found.decided_at)
    return [
        *(found.id, found.provider, found.sha256, found.rules_version),
        *(found.rows, found.loaded, found.updated, found.rejected, found.refused_rows),
        found.refusal and found.refusal.code,
        *(found.sent_from.value, found.sent_by),
        *(moment and int(moment.timestamp() * 1000) for moment in moments),
    ]
