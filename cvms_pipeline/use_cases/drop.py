"""Dropping a file for a provider, and following it to its outcome, for every way in.

Dropped files are received by `receive`; how a file is written whole into its folder is
`files.provider_folders`.
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cvms_pipeline import errors
from cvms_pipeline.domain.reading import reader
from cvms_pipeline.domain.text import display
from cvms_pipeline.domain.vocabulary import upload
from cvms_pipeline.files import incoming, names, provider_folders
from cvms_pipeline.store import providers, uploads
from cvms_pipeline.use_cases import pipelines

_REPORT_SECONDS = 10.0
_POLL_SECONDS = 0.2
_RECENT_UPLOADS = 500


class ProviderDisabled(errors.PermanentError):
    """The provider is disabled."""


class OutcomePending(errors.TransientError):
    """The upload has no outcome yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A file to drop: its bytes or path, its name, the provider's slug, the lane."""

    source: bytes | Path
    file_name: str
    provider: str
    lane: upload.Lane


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """A file that was dropped.

    Attributes:
        request: The request that was carried out.
        path: The path of the new file; it may be claimed before the caller reads it.
        sha256: The digest of its bytes, in hexadecimal.
        earlier_uploads: The ids of the uploads before it; it is none of them.
    """

    request: Request
    path: Path
    sha256: str
    earlier_uploads: frozenset[str]

    def explain_name(self) -> str | None:
        """Return why the file has another name than requested; None if it has not."""
        wanted, given = self.request.file_name, self.path.name
        if given == wanted:
            return None
        if not names.is_upload(wanted):
            why = "is not that of a file that is taken in"
        else:
            why = "is taken, or cannot be kept as it is"
        return f"Called {given} there: the name {wanted} {why}."


def choose_lane(source: Path, *, max_bytes: int) -> upload.Lane:
    """Return the smallest lane that takes the file, or else the largest.

    Raises:
        OSError: If the file cannot be read.
    """
    with source.open("rb") as file:
        data = file.read(max_bytes + 1)
    return reader.choose_lane(data if len(data) <= max_bytes else None)


def check_enabled(pipeline: pipelines.Pipeline, slug: str) -> None:
    """Check that files dropped for the provider `slug` are received.

    Raises:
        ProviderUnknown: If there is no such provider.
        ProviderDisabled: If its uploads are not accepted.
    """
    with pipeline.store.begin() as conn:
        is_enabled = providers.get(conn, slug).is_enabled
    if not is_enabled:
        raise ProviderDisabled(
            f"The provider {slug} is disabled, so nothing was dropped. Let it"
            f" upload again with `cvms providers enable {slug}`."
        )


def drop_file(pipeline: pipelines.Pipeline, request: Request) -> Dropped:
    """Drop a file for an enabled provider, to be followed with `find_upload`.

    Raises:
        ProviderUnknown: If there is no such provider.
        ProviderDisabled: If its uploads are not accepted.
        ProviderFolderMissing: If it has no folder for the lane.
        OSError: If the source cannot be read.
    """
    check_enabled(pipeline, request.provider)
    with pipeline.store.begin() as conn:
        recent = uploads.list_recent(conn, limit=_RECENT_UPLOADS)
    earlier = frozenset(each.id for each in recent)
    return put_file(pipeline.folders, request, earlier_uploads=earlier)


def put_file(
    folders: incoming.Folders,
    request: Request,
    *,
    earlier_uploads: frozenset[str] = frozenset(),
) -> Dropped:
    """Drop a file without the store, which may be away.

    Raises:
        ProviderFolderMissing: If the provider has no folder for the lane.
        OSError: If the source cannot be read.
    """
    path = provider_folders.put_file(
        folders,
        request.source,
        slug=request.provider,
        lane=request.lane,
        file_name=request.file_name,
    )
    return Dropped(
        request=request,
        path=path,
        sha256=_digest(request.source),
        earlier_uploads=earlier_uploads,
    )


def find_upload(
    pipeline: pipelines.Pipeline, dropped: Dropped
) -> uploads.Upload | None:
    """Return the upload of a dropped file, or None if it was not received yet."""
    with pipeline.store.begin() as conn:
        recent = uploads.list_recent(conn, limit=_RECENT_UPLOADS)
    for each in reversed(recent):
        if each.id not in dropped.earlier_uploads and _is_same(each, dropped):
            return each
    return None


def wait_for_outcome(
    pipeline: pipelines.Pipeline,
    dropped: Dropped,
    *,
    seconds: float,
    report_progress: Callable[[uploads.Upload], None] = lambda _found: None,
) -> uploads.Upload:
    """Return the upload of a dropped file when it is finished or has failed.

    Until then, `report_progress` is called with the upload each 0.2 seconds.  A
    finished one is returned with its error report there, unless the report takes
    longer than ten seconds.

    Raises:
        OutcomePending: If it is neither after so many `seconds`.
    """
    deadline = time.monotonic() + seconds
    while True:
        found = find_upload(pipeline, dropped)
        if found and (found.status.is_finished or found.has_failed):
            _wait_for_report(pipeline, found, until=deadline)
            return found
        if time.monotonic() >= deadline:
            raise OutcomePending(_explain_delay(dropped, found, seconds))
        if found:
            report_progress(found)
        time.sleep(_POLL_SECONDS)


def _wait_for_report(
    pipeline: pipelines.Pipeline, found: uploads.Upload, *, until: float
) -> None:
    """Wait until the error report is there, which a later step of the run makes."""
    path = pipeline.reports.path(found.id)
    until = min(until, time.monotonic() + _REPORT_SECONDS)
    while found.rejected and not path.exists() and time.monotonic() < until:
        time.sleep(_POLL_SECONDS)


def _is_same(found: uploads.Upload, dropped: Dropped) -> bool:
    request = dropped.request
    return (
        (found.folder, found.lane) == (request.provider, request.lane)
        and found.file_name == display.escape_hidden(dropped.path.name)
        and found.sha256 in (dropped.sha256, None)
    )


def _digest(source: bytes | Path) -> str:
    if isinstance(source, bytes):
        return upload.compute_sha256(source)
    with source.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _explain_delay(
    dropped: Dropped, found: uploads.Upload | None, seconds: float
) -> str:
    if found is None:
        return (
            f"{dropped.path} was not taken in within {seconds:g} seconds. It stays"
            " there; see whether `cvms up` runs, and `cvms uploads` later."
        )
    why = f" A step is being retried: {found.failure}" if found.failure else ""
    return (
        f"The upload {found.id} is {found.status} after {seconds:g} seconds and goes"
        f" on.{why} See `cvms upload {found.id}` later."
    )
