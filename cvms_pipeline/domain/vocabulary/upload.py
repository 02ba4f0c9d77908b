"""An upload: its lane, its status, its id and the digest of its bytes.

Only values and the rules about them; `files` keeps the bytes, `store` the history.
"""

import datetime as dt
import enum
import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

RULES_VERSION = "2026.4"
"""The edition of the rules, stored with each upload; changed together with a rule."""

MAX_BYTES = 10_000_000
"""The largest file that is read, in bytes; a larger one is `file-too-large`."""

REPORT_NAME = "BulkError.csv"
"""The name of an upload's error report, wherever it is kept or sent."""

_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_ALPHABET = "abcdefghjkmnpqrstvwxyz23456789"


class Lane(enum.StrEnum):
    """The folder that an upload was dropped into; it limits the number of rows."""

    LOW_VOLUME = "low_volume"
    HIGH_VOLUME = "high_volume"

    @property
    def max_rows(self) -> int:
        """Return the most data rows that an upload of this lane may hold."""
        return 100 if self is Lane.LOW_VOLUME else 5_000


class Way(enum.StrEnum):
    """How a file came to us: dropped into a folder, or sent by a page."""

    FOLDER = "folder"
    PORTAL = "portal"
    HELP_DESK = "help_desk"


class UploadStatus(enum.StrEnum):
    """The state of an upload; docs/architecture.md shows the transitions."""

    RECEIVED = "received"
    PROCESSING = "processing"
    COMPLETED = "completed"
    COMPLETED_WITH_ERRORS = "completed_with_errors"
    REFUSED = "refused"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"

    @property
    def is_finished(self) -> bool:
        """Return whether the provider gets an outcome."""
        cls = type(self)
        decided = {cls.COMPLETED, cls.COMPLETED_WITH_ERRORS, cls.REFUSED}
        return self in decided or self is cls.WITHDRAWN


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedUpload:
    """An upload as it was claimed, before its bytes are read.

    Attributes:
        id: The upload id.
        folder: The name of the provider folder in which it was found.
        provider: The slug of the provider, or None if no enabled one has the folder.
        file_name: The name of the dropped file; it may hold personal data.
        sha256: The digest of the bytes, or None if they were never read.
        size: The number of bytes, or None if the file was never opened.
        claim_refusal: The code of a refusal that is known from the claim alone
            (`not-a-file`, `not-readable`, `file-too-large`, `provider-unknown`), or
            None.
        sent_from: How it came; `sent_by` is the id of the portal's account, if any.
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
    sent_from: Way = Way.FOLDER
    sent_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOrigin:
    """Of which file an error report is that was dropped.

    Attributes:
        file_name: The name of that file, fit to be shown.
        lines: Which line of it a line of the report is, as far as it is known.
    """

    file_name: str
    lines: Mapping[int, int]

    def describe_lines(self, file_name: str) -> Mapping[int, str]:
        """Return what to write after the number of each line of the report.

        `file_name` is the name under which the report was dropped.
        """
        return {
            line: f" of {file_name} (line {origin} of {self.file_name})"
            for line, origin in self.lines.items()
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Relative:
    """An upload of which another brings back rejected rows, or that brings back its.

    Attributes:
        file_name: The name of its file, fit to be shown.
        is_parent: Whether it is the earlier of the two.
        rows: How many rejected rows of the earlier one the later one brings back.
        loaded: How many of them the later one loaded; it rejected the others again.
        outstanding: How many rejected rows of this upload are outstanding.
    """

    upload_id: str
    file_name: str
    is_parent: bool
    rows: int
    loaded: int
    outstanding: int


def read_origin(stored: Mapping[str, Any] | None) -> ReportOrigin | None:
    """Return the origin that is stored as JSON, whose keys are texts."""
    if stored is None:
        return None
    lines = {int(at): line for at, line in stored["lines"].items()}
    return ReportOrigin(file_name=stored["file_name"], lines=lines)


def make_id(now: dt.datetime) -> str:
    """Return a new upload id: the second of `now`, and one of 30^8 random endings."""
    tail = "".join(secrets.choice(_ALPHABET) for _ in range(8))
    return f"{now:%Y%m%d-%H%M%S}-{tail}"


def derive_id(at: dt.datetime, facts: str) -> str:
    """Return the id of an upload that is what `facts` say: always the same."""
    number = int(compute_sha256(facts.encode()), 16)
    tail = "".join(_ALPHABET[number // 30**place % 30] for place in range(8))
    return f"{at:%Y%m%d-%H%M%S}-{tail}"


def is_id(text: str) -> bool:
    """Return whether `text` can be an upload id, and so a partition key."""
    return _ID.fullmatch(text) is not None


def is_slug(text: str) -> bool:
    """Return whether `text` can be a provider's slug, and so a folder name."""
    return _SLUG.fullmatch(text) is not None


def compute_sha256(data: bytes) -> str:
    """Return the SHA-256 of `data` in hexadecimal."""
    return hashlib.sha256(data).hexdigest()
