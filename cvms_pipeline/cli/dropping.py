"""`cvms drop`: a file into a provider's folder, and on request its outcome.

How a file gets there whole is `files.providers`; the outcome is printed as
`cvms upload` prints it.
"""

import contextlib
import time
from dataclasses import dataclass
from pathlib import Path

import rich.status

from cvms_pipeline import errors, opening
from cvms_pipeline import settings as settings_
from cvms_pipeline.cli import (
    access,
    following,
    history,
    local_files,
    rejects,
    terminal,
)
from cvms_pipeline.domain import provider, upload
from cvms_pipeline.files import names, providers
from cvms_pipeline.store import engine, uploads
from cvms_pipeline.store import providers as stored

EXIT_CODES = {
    upload.UploadStatus.COMPLETED: 0,
    upload.UploadStatus.COMPLETED_WITH_ERRORS: 1,
    upload.UploadStatus.REFUSED: 2,
}
NO_OUTCOME = 3
"""The exit code of `--wait` when the upload failed or took too long."""


class TookTooLong(errors.TransientError):
    """The upload has no outcome yet."""


class ProviderDisabled(errors.PermanentError):
    """The provider is disabled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to drop, and where."""

    file: Path
    provider: str
    lane: upload.Lane


def drop(request: Request, settings: settings_.Settings, *, as_json: bool) -> int:
    """Drop the file and say where it lies; return the exit code.

    Raises:
        ProviderUnknown, ProviderDisabled: If the database answers and says so; where
            it does not, only folders are asked.
    """
    if access.is_at_hand(settings):
        _check_taken(settings, request.provider)
    dropped = _put(request, settings, frozenset())
    if as_json:
        terminal.print_json(
            {
                "path": rejects.storable(str(dropped.path)),
                "file_name": rejects.storable(dropped.path.name),
                "provider": dropped.provider,
                "lane": dropped.lane.value,
                "sha256": dropped.sha256,
            }
        )
    else:
        terminal.out().print(terminal.plain(f"Dropped as {dropped.path}"))
    return 0


def drop_and_wait(
    request: Request,
    settings: settings_.Settings,
    timeout: float,
    *,
    as_json: bool,
) -> int:
    """Drop the file, follow its upload, print the outcome; return the exit code."""
    with terminal.failing(NO_OUTCOME):
        following.check_running(settings)
        with access.opened(settings) as store:
            with store.begin() as conn:
                _check_enabled(stored.get(conn, request.provider))
                known = following.known_uploads(conn)
            dropped = _put(request, settings, known)
            ended = _wait(store, dropped, timeout)
            with store.begin() as conn:
                rows = history.rejected_rows(conn, ended)
    if as_json:
        terminal.print_json(history.upload_as_json(ended, rows))
    else:
        history.show(terminal.out(), ended, rows)
    return EXIT_CODES.get(ended.status, NO_OUTCOME)


def _check_taken(settings: settings_.Settings, slug: str) -> None:
    """Check that what is dropped for `slug` is taken in, not put into quarantine."""
    with contextlib.suppress(engine.StoreAway, access.DatabaseOld, OSError):
        with access.opened(settings) as store, store.begin() as conn:
            found = stored.get(conn, slug)
        _check_enabled(found)


def _check_enabled(found: provider.Provider) -> None:
    if not found.is_enabled:
        raise ProviderDisabled(
            f"The provider {found.slug} is disabled, so nothing was dropped. Let it"
            f" upload again with `cvms providers enable {found.slug}`."
        )


def _say_if_renamed(wanted: str, given: str) -> None:
    """Say that a file does not lie under its own name, and why."""
    if names.is_temporary(wanted):
        why = "looks like that of a file that is not whole yet"
    else:
        why = "is taken, or cannot be kept as it is"
    if given != wanted:
        terminal.print_note(f"Called {given} there: the name {wanted} {why}.")


def _put(
    request: Request, settings: settings_.Settings, known: frozenset[str]
) -> following.Dropped:
    local_files.check_readable(request.file)
    path = providers.put(
        opening.open_folders(settings),
        request.file,
        slug=request.provider,
        lane=request.lane,
        file_name=request.file.name,
    )
    _say_if_renamed(request.file.name, path.name)
    return following.Dropped(
        provider=request.provider,
        lane=request.lane,
        path=path,
        sha256=following.digest(request.file),
        known=known,
    )


def _wait(
    store: engine.Store, dropped: following.Dropped, timeout: float
) -> uploads.Upload:
    """Return the upload once it has an outcome, or has failed.

    Raises:
        TookTooLong: If it has neither after `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    with terminal.err().status("Waiting until the file is taken in …") as progress:
        while True:
            with store.begin() as conn:
                found = following.find(conn, dropped)
            if found and (found.status.is_finished or _has_failed(found)):
                return found
            if time.monotonic() >= deadline:
                raise TookTooLong(_too_long(dropped, found, timeout))
            _say(progress, found)
            time.sleep(following.POLL_SECONDS)


def _say(progress: rich.status.Status, found: uploads.Upload | None) -> None:
    if found:
        progress.update(f"Upload {found.id}: {found.status.value} …")


def _has_failed(found: uploads.Upload) -> bool:
    return found.status is upload.UploadStatus.FAILED


def _too_long(
    dropped: following.Dropped, found: uploads.Upload | None, timeout: float
) -> str:
    if found is None:
        return (
            f"{dropped.path} was not taken in within {timeout:g} seconds. It stays"
            " there; see whether `cvms up` runs, and `cvms uploads` later."
        )
    return (
        f"The upload {found.id} is {found.status} after {timeout:g} seconds and goes"
        f" on. See `cvms upload {found.id}` later."
    )
