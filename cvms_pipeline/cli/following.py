"""Following what was dropped: which upload it has become, and how that ends.

Only looking; nothing is changed.  Used by `drop --wait` and by the demonstration.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cvms_pipeline import errors
from cvms_pipeline import settings as settings_
from cvms_pipeline.domain import upload
from cvms_pipeline.files import names
from cvms_pipeline.local import supervisor
from cvms_pipeline.store import listing, outbox, uploads

POLL_SECONDS = 0.2
_LOOKED_AT = 500


class NothingRuns(errors.PermanentError):
    """Nothing is running that takes uploads in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """A file that was dropped.

    Attributes:
        provider: The slug whose folder it lies in.
        lane: The lane.
        path: Where it was put.
        sha256: Of its bytes.
        known: The uploads that were there before; it is none of them.
    """

    provider: str
    lane: upload.Lane
    path: Path
    sha256: str
    known: frozenset[str]


def check_running(settings: settings_.Settings) -> None:
    """Check that something takes uploads in, as far as this machine can tell.

    With a database of the user's own the processes may run anywhere.

    Raises:
        NothingRuns: If nothing does.
    """
    if settings.database_url is None and not is_up(settings):
        raise NothingRuns(
            "Nothing is running that takes uploads in, so nothing was dropped. Start"
            " `cvms up` in another terminal, or leave out --wait."
        )


def is_up(settings: settings_.Settings) -> bool:
    """Return whether `cvms up` runs with these settings' data folder."""
    return bool(supervisor.process_states(settings.data))


def known_uploads(conn: Any) -> frozenset[str]:
    """Return the ids of the latest uploads."""
    return frozenset(each.id for each in uploads.recent(conn, limit=_LOOKED_AT))


def find(conn: Any, dropped: Dropped) -> uploads.Upload | None:
    """Return the upload that a dropped file has become, or None so far."""
    for each in reversed(uploads.recent(conn, limit=_LOOKED_AT)):
        if each.id not in dropped.known and _is_same(each, dropped):
            return each
    return None


def _is_same(found: uploads.Upload, dropped: Dropped) -> bool:
    return (
        (found.folder, found.lane) == (dropped.provider, dropped.lane)
        and found.file_name == names.shown(dropped.path.name)
        and found.sha256 in (dropped.sha256, None)
    )


def notice(conn: Any, upload_id: str) -> listing.Message | None:
    """Return the notice of an upload, or the alert in its place; None so far."""
    told = (outbox.Kind.NOTICE, outbox.Kind.ALERT)
    for message in listing.messages(conn, upload_id=upload_id):
        if message.kind in told:
            return message
    return None


def digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
