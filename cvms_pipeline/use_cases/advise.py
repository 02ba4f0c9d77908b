"""What providers are told besides outcomes: files received, delayed, or not taken in.

Files that are not taken in are found, and the notes about them written, by
`files.notes`; receipts are put into the results by `files.reports`; the words are
`mail.advice`.  Only `tell_delays` needs the database: the rest is told without it, too,
also while Dagster cannot start a sensor's tick because its database is away.
"""

import contextlib
import datetime as dt
import itertools
import operator
import threading
import time
from pathlib import Path

from cvms_pipeline import errors
from cvms_pipeline.files import claims, names, notes, reports
from cvms_pipeline.mail import advice
from cvms_pipeline.store import delays, uploads
from cvms_pipeline.use_cases import pipelines

_TOLD_AFTER = dt.timedelta(seconds=40)
"""How long a file is left where it is not taken in: somebody may still move it.

Another pass follows after a few seconds, so that nobody waits more than a minute.
"""

_MADE_BY_PROGRAM_AFTER = dt.timedelta(minutes=10)
"""How long a name is left that programs give: they may still rename the file."""

_MAX_CLAIMS = 100
_WATCH_SECONDS = 2.0
_UNWATCHED_SECONDS = 10.0
"""When no tick has looked at the files for so long, the watch does."""

_last_looks: dict[Path, float] = {}
_watched: set[Path] = set()


def advise_providers(pipeline: pipelines.Pipeline) -> None:
    """Write a note about each file that is not taken in, and remove those of old ones.

    Raises:
        FolderAway, FolderForbidden, DiskFull: Notes cannot be recorded now.
    """
    _last_looks[pipeline.folders.root] = time.monotonic()
    now = pipeline.now()
    by_slug = operator.attrgetter("slug")
    found = notes.find_strays(pipeline.folders, waiting_since=now - _TOLD_AFTER)
    strays = {slug: list(some) for slug, some in itertools.groupby(found, key=by_slug)}
    for slug in {*strays, *notes.list_noted(pipeline.folders)}:
        notes.update_notes(
            pipeline.folders,
            slug,
            strays.get(slug, []),
            lambda stray: _explain(stray, now),
        )


def tell_received(pipeline: pipelines.Pipeline, claim: claims.Claim) -> None:
    """Put a receipt into the provider's results, unless there is one."""
    _announce(pipeline, claim, advice.explain_received(describe(pipeline, claim)))


def tell_not_enabled(pipeline: pipelines.Pipeline, claim: claims.Claim) -> None:
    """Replace the receipt of a file whose provider may not upload, if it has one."""
    file = describe(pipeline, claim)
    for before in (advice.explain_received(file), advice.explain_delayed(file)):
        _announce(pipeline, claim, advice.explain_not_enabled(file), before)


def tell_delays(pipeline: pipelines.Pipeline) -> None:
    """Tell providers of uploads that take long: in the receipt, then once by mail."""
    now = pipeline.now()
    with pipeline.store.begin() as conn:
        before = now - pipeline.delayed_after
        for upload in delays.take_delayed(conn, before=before, now=now):
            _tell_delayed(pipeline, upload)
        before = now - pipeline.delay_mailed_after
        delays.queue_mails(conn, before=before, now=now)


def list_announced(
    pipeline: pipelines.Pipeline, upload: uploads.Upload
) -> tuple[str, ...]:
    """Return the receipts that an upload may have had before its outcome."""
    file = describe(pipeline, upload)
    return advice.explain_received(file), advice.explain_delayed(file)


def describe(
    pipeline: pipelines.Pipeline,
    received: claims.Claim | delays.DelayedUpload | uploads.Upload,
) -> advice.ReceivedFile:
    """Return what a provider is told of a received file before its outcome."""
    if isinstance(received, claims.Claim):
        upload_id, at = received.upload_id, received.claimed_at
    else:
        upload_id, at = received.id, received.received_at
    return advice.ReceivedFile(
        upload_id=upload_id,
        file_name=received.file_name,
        received_at=at.astimezone(pipeline.zone),
    )


def watch_once(pipeline: pipelines.Pipeline) -> None:
    """Start a thread of this process that looks at the files while no tick does.

    Without its database, Dagster starts no tick.  Then providers are still told about
    files that wait in their lanes, and about those that were claimed.
    """
    root = pipeline.folders.root
    if root not in _watched:
        _watched.add(root)
        threading.Thread(target=_watch, args=(root, pipeline), daemon=True).start()


def look_without_store(pipeline: pipelines.Pipeline) -> None:
    """Tell providers what can be told without the database.

    Raises:
        FolderAway, FolderForbidden, DiskFull: Nothing can be told now.
    """
    advise_providers(pipeline)
    now = pipeline.now()
    found = claims.list_open_claims(pipeline.folders, now=now, limit=_MAX_CLAIMS)
    for claim in found:
        tell_received(pipeline, claim)
        if now - claim.claimed_at >= pipeline.delayed_after:
            _tell_delayed(pipeline, claim)


def _watch(root: Path, pipeline: pipelines.Pipeline) -> None:
    """Look until the folder is gone; the first tick after it is back begins anew."""
    while _may_be_there(root):
        time.sleep(_WATCH_SECONDS)
        if time.monotonic() - _last_looks.get(root, 0.0) > _UNWATCHED_SECONDS:
            with contextlib.suppress(errors.CvmsError, OSError):
                look_without_store(pipeline)
    _watched.discard(root)


def _may_be_there(root: Path) -> bool:
    """Return whether a folder exists, or nobody may see whether it does."""
    try:
        return root.is_dir()
    except OSError:
        return True


def _tell_delayed(
    pipeline: pipelines.Pipeline, received: claims.Claim | delays.DelayedUpload
) -> None:
    file = describe(pipeline, received)
    before = advice.explain_received(file)
    _announce(pipeline, received, advice.explain_delayed(file), before)


def _announce(
    pipeline: pipelines.Pipeline,
    received: claims.Claim | delays.DelayedUpload,
    receipt: str,
    instead_of: str | None = None,
) -> None:
    file = describe(pipeline, received)
    reports.announce(
        pipeline.folders,
        slug=received.folder,
        upload_id=file.upload_id,
        file_name=file.file_name,
        receipt=receipt,
        instead_of=instead_of,
    )


def _explain(stray: notes.Stray, now: dt.datetime) -> str | None:
    """Return the text of a note, or None if it is not due."""
    is_upload = stray.kind is names.NameKind.UPLOAD
    is_known = is_upload or stray.kind is names.NameKind.OTHER
    wait = _TOLD_AFTER if is_known else _MADE_BY_PROGRAM_AFTER
    if now - stray.changed_at < wait:
        return None
    if is_upload and stray.is_in_lane:
        return advice.explain_waiting(stray.file_name, stray.place)
    if is_upload:
        return advice.explain_place(stray.file_name, stray.place)
    return advice.explain_name(
        stray.file_name,
        stray.place,
        is_in_lane=stray.is_in_lane,
        why=_describe_kind(stray),
    )


def _describe_kind(stray: notes.Stray) -> str:
    if stray.kind is names.NameKind.OTHER:
        return advice.describe_ending(names.find_ending(stray.file_name))
    return {
        names.NameKind.TEMPORARY: advice.TEMPORARY,
        names.NameKind.CONFLICT: advice.CONFLICT,
        names.NameKind.HIDDEN: advice.HIDDEN,
    }[stray.kind]
