"""Receiving: from a settled file in the incoming folder to a registered upload.

The order makes every crash harmless: the claim is one rename, then the bytes are
archived, then the upload is registered, and only then is the claim discarded.  What
a crash has left half done, the next call finishes.  An error report that its provider
has corrected in `results` takes the same way, and our own copy is put back before the
claim is discarded.
"""

import collections
import datetime as dt
import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cvms_pipeline.database import dagster_tables
from cvms_pipeline.domain.vocabulary import reasons, upload
from cvms_pipeline.files import claims, incoming, pauses, watching
from cvms_pipeline.files.portal_files import submitted
from cvms_pipeline.store import providers, uploads
from cvms_pipeline.use_cases import advise, corrections, pipelines

_MAX_BATCH = 25
"""The largest number of files that are received at once, so that no call is long."""

_MAX_QUEUED_RUNS = 25
"""While so many runs of a provider's lane are queued, no more are requested.

Dagster reads its whole queue each time, so the queue must stay short.
"""

_REQUEST_TIMEOUT = dt.timedelta(minutes=2)
"""After this time a run that was requested and has not begun is requested again."""

_PAUSE_SECONDS = 0.1
_POLL_SECONDS = 5.0
_POLL_WHILE_FULL_SECONDS = 0.5
_RESULTS_SECONDS = 1.0
"""The shortest time between two inspections of what is not in a lane."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reception:
    """The result of one pass over the incoming folder.

    Attributes:
        is_complete: Whether every file that was there has been received.
        error: The first error that prevented a file from being received.
    """

    is_complete: bool
    error: Exception | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _RunRequests:
    """The uploads for which a run is to be requested.

    Attributes:
        uploads: In the order in which they are to be processed.
        is_full: Whether a provider's lane has as many queued runs as are allowed, so
            that other uploads may have to wait.
    """

    uploads: Sequence[uploads.Upload]
    is_full: bool


def wait_for_uploads(
    pipeline: pipelines.Pipeline,
    *,
    seconds: float,
    acknowledged_at: dt.datetime | None = None,
) -> Sequence[uploads.Upload]:
    """Receive settled files, and return the uploads for which to request a run.

    Their order is that in which they are to be processed; the requests are recorded.
    If there is none because a file could not be received, its error is raised.

    Args:
        pipeline: The pipeline.
        seconds: How long to wait for the first of them.
        acknowledged_at: Until when Dagster has received every request.
    """
    next_poll = next_results = time.monotonic()
    deadline = next_poll + seconds
    received = _Reception(is_complete=False, error=None)
    changes = watching.watch_changes(
        pipeline.folders.root, pause_seconds=_PAUSE_SECONDS
    )
    for has_changed in changes:
        moment = time.monotonic()
        if has_changed or not received.is_complete or moment >= next_poll:
            is_everything = moment >= next_results
            received = receive(pipeline, lanes_only=not is_everything)
            if is_everything:
                next_results = time.monotonic() + _RESULTS_SECONDS
            requests = _request_after(pipeline, received, acknowledged_at)
            if requests.uploads:
                return requests.uploads
            pause = _POLL_WHILE_FULL_SECONDS if requests.is_full else _POLL_SECONDS
            next_poll = moment + pause if is_everything else next_results
        if moment > deadline:
            break
    return []


def _request_after(
    pipeline: pipelines.Pipeline,
    received: _Reception,
    acknowledged_at: dt.datetime | None,
) -> _RunRequests:
    """Request runs; raise what kept a file from being received if there are none."""
    requests = request_runs(pipeline, acknowledged_at=acknowledged_at)
    if not requests.uploads and received.error is not None:
        raise received.error
    return requests


def receive(pipeline: pipelines.Pipeline, *, lanes_only: bool = False) -> _Reception:
    """Receive settled files, and finish what an earlier call has left half done.

    Unless `lanes_only` is set, corrected error reports are received, too, and providers
    are advised about files that are not taken in.
    """
    now = pipeline.now()
    first_error: Exception | None = None
    open_claims = claims.list_open_claims(pipeline.folders, now=now, limit=_MAX_BATCH)
    found = [f for f in incoming.scan(pipeline.folders, now=now) if not f.is_misplaced]
    if not lanes_only:
        submitted.remove_unfinished(pipeline.folders, now=now)
        try:
            found += corrections.find_corrected(pipeline, now)
        except Exception as error:  # the files in lanes are received all the same
            first_error = error
    settled = [f for f in found if f.is_settled]
    _refuse_fixed(pipeline, [f for f in settled if f.is_fixed], now)
    settled_files = [f for f in settled if not f.is_fixed]
    is_complete = len(settled) == len(found) and len(settled_files) <= _MAX_BATCH
    is_complete &= len(open_claims) < _MAX_BATCH
    candidates: list[incoming.Entry | claims.Claim]
    candidates = [*open_claims, *order_by_turns(settled_files)[:_MAX_BATCH]]
    for candidate in candidates:
        try:
            is_complete &= _receive_one(pipeline, candidate, now)
        except pauses.NotReadableYet:
            continue  # the others are received meanwhile
        except Exception as error:  # of this file alone: the others are received
            first_error = first_error or error
    if not lanes_only:
        try:
            advise.advise_providers(pipeline)
        except Exception as fault:  # what was received stays so
            first_error = first_error or fault
    return _Reception(is_complete=is_complete, error=first_error)


def order_by_turns(found: Sequence[incoming.Entry]) -> list[incoming.Entry]:
    """Return the files so that providers take turns, low volume first."""
    low_first = sorted(found, key=lambda file: file.lane == upload.Lane.HIGH_VOLUME)
    turns: dict[str, Iterator[int]] = collections.defaultdict(itertools.count)
    return sorted(low_first, key=lambda file: next(turns[file.folder]))


def request_runs(
    pipeline: pipelines.Pipeline, *, acknowledged_at: dt.datetime | None = None
) -> _RunRequests:
    """Return the uploads for which to request a run, and record the request.

    Runs that were requested after `acknowledged_at` are requested again at once: the
    process that requested them has died before Dagster received it.
    """
    now = pipeline.now()
    with pipeline.store.begin() as conn:
        queued = dagster_tables.find_queued_uploads(conn)
        counts = collections.Counter(queued.values())
        full = [lane for lane in counts if counts[lane] >= _MAX_QUEUED_RUNS]
        awaiting = uploads.find_awaiting_run(
            conn,
            limit=_MAX_BATCH,
            now=now,
            requested_before=now - _REQUEST_TIMEOUT,
            requested_after=acknowledged_at,
            queued=list(queued),
            full=full,
        )
        if awaiting:
            ids = [upload.id for upload in awaiting]
            uploads.mark_requested(conn, ids, now=now)
    return _RunRequests(uploads=awaiting, is_full=bool(full))


def _receive_one(
    pipeline: pipelines.Pipeline, found: incoming.Entry | claims.Claim, now: dt.datetime
) -> bool:
    """Claim, archive and register a file; return whether nothing is left to do."""
    claim: claims.Claim | None
    if isinstance(found, claims.Claim):
        claim = found
    else:
        upload_id = upload.make_id(now)
        claim = claims.claim(pipeline.folders, found, upload_id=upload_id, now=now)
    if claim is None:
        return True  # it was removed, or another process was faster
    return receive_claim(pipeline, claim)


def receive_claim(pipeline: pipelines.Pipeline, claim: claims.Claim) -> bool:
    """Archive and register what was claimed; return whether nothing is left to do.

    After a crash, the next pass over the incoming folder does the same again.

    Raises:
        NotReadableYet, FolderForbidden, DiskFull, FolderAway: The claim stays open.
    """
    advise.tell_received(pipeline, claim)
    provider = _find_enabled_provider(pipeline, claim.folder)
    kept = claims.finish(
        pipeline.folders,
        claim,
        pipeline.archive,
        now=pipeline.now(),
        quarantine=provider is None,
    )
    if kept is None:
        return False  # it is still being written
    with pipeline.store.begin() as conn:
        uploads.register(conn, _describe(claim, provider, kept))
    if provider is None:
        advise.tell_not_enabled(pipeline, claim)
    corrections.put_report_back(pipeline, claim)
    claims.discard(pipeline.folders, claim)
    return True


def _refuse_fixed(
    pipeline: pipelines.Pipeline, found: Sequence[incoming.Entry], now: dt.datetime
) -> None:
    """Refuse folders that cannot be moved; they stay in their lane.

    The upload id is made from the identity of the folder, so that each is registered
    once, however often it is found.
    """
    ids = {_make_fixed_id(entry): entry for entry in found}
    if not ids:
        return
    with pipeline.store.begin() as conn:
        known = uploads.find_known(conn, ids)
    for upload_id in [each for each in ids if each not in known][:_MAX_BATCH]:
        entry = ids[upload_id]
        claim = claims.Claim(
            upload_id=upload_id,
            folder=entry.folder,
            lane=entry.lane or upload.Lane.LOW_VOLUME,
            file_name=entry.file_name,
            claimed_at=now,
            identity=entry.identity,
        )
        provider = _find_enabled_provider(pipeline, entry.folder)
        refusal = reasons.PROVIDER_UNKNOWN if provider is None else reasons.NOT_A_FILE
        outcome = claims.ClaimOutcome(size=None, sha256=None, refusal=refusal)
        with pipeline.store.begin() as conn:
            uploads.register(conn, _describe(claim, provider, outcome))


def _make_fixed_id(entry: incoming.Entry) -> str:
    facts = repr((entry.path, entry.identity)).encode()
    return f"folder-{upload.compute_sha256(facts)[:24]}"


def _describe(
    claim: claims.Claim, provider: str | None, kept: claims.ClaimOutcome
) -> upload.ReceivedUpload:
    return upload.ReceivedUpload(
        id=claim.upload_id,
        folder=claim.folder,
        provider=provider,
        lane=claim.lane,
        file_name=claim.file_name,
        sha256=kept.sha256,
        size=kept.size,
        received_at=claim.claimed_at,
        claim_refusal=kept.refusal,
        sent_from=claim.sent_from,
        sent_by=claim.sent_by,
    )


def _find_enabled_provider(pipeline: pipelines.Pipeline, folder: str) -> str | None:
    with pipeline.store.begin() as conn:
        found = providers.find(conn, folder)
    return found.slug if found is not None and found.is_enabled else None
