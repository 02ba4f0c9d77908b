"""What an upload is: its lane, its status, its id and the bytes' identity.

Only values and the rules about them; where an upload's bytes lie is `files`,
where its history lies is `store`.
"""

import datetime as dt
import enum
import hashlib
import re
import secrets
from dataclasses import dataclass

RULES_VERSION = "2026.1"
"""Which edition of the rules judged an upload; moves when a rule changes."""

MAX_BYTES = 10_000_000
"""The largest file that is read, in bytes (DESIGN 4, `file-too-large`)."""

_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_ALPHABET = "abcdefghjkmnpqrstvwxyz23456789"


class Lane(enum.StrEnum):
    """The folder an upload was dropped into, which says how large it may be."""

    LOW_VOLUME = "low_volume"
    HIGH_VOLUME = "high_volume"

    @property
    def max_rows(self) -> int:
        """Return the most data rows that an upload of this lane may hold."""
        return 100 if self is Lane.LOW_VOLUME else 5_000


class UploadStatus(enum.StrEnum):
    """How far an upload has come (DESIGN 3)."""

    RECEIVED = "received"
    PROCESSING = "processing"
    COMPLETED = "completed"
    COMPLETED_WITH_ERRORS = "completed_with_errors"
    REFUSED = "refused"
    FAILED = "failed"

    @property
    def is_finished(self) -> bool:
        """Return whether the provider has an outcome."""
        return self in _FINISHED


_FINISHED = frozenset(
    {
        UploadStatus.COMPLETED,
        UploadStatus.COMPLETED_WITH_ERRORS,
        UploadStatus.REFUSED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """An upload as it was claimed, before anyone looked into its bytes.

    `folder` is the name of the provider folder it was found in; `provider` is
    the slug it belongs to, or None while nobody enabled is known by that folder.
    `sha256` and `size` (bytes) are None for what was never opened.
    `claim_refusal` is the code of a refusal known from the claim alone
    (`not-a-file`, `file-too-large`, `provider-unknown`), else None.
    """

    id: str
    folder: str
    provider: str | None
    lane: Lane
    file_name: str
    sha256: str | None
    size: int | None
    received_at: dt.datetime
    claim_refusal: str | None = None


def new_id(now: dt.datetime) -> str:
    """Return a fresh upload id: sortable by second, 30^8 apart within one."""
    tail = "".join(secrets.choice(_ALPHABET) for _ in range(8))
    return f"{now:%Y%m%d-%H%M%S}-{tail}"


def is_id(text: str) -> bool:
    """Return whether `text` can be an upload id, and so a partition key."""
    return _ID.fullmatch(text) is not None


def is_slug(text: str) -> bool:
    """Return whether `text` can be a provider's slug, and so a folder name."""
    return _SLUG.fullmatch(text) is not None


def digest(data: bytes) -> str:
    """Return the SHA-256 of `data` in hexadecimal."""
    return hashlib.sha256(data).hexdigest()
