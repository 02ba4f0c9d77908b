"""Receiving: from a settled file in the incoming folder to a registered upload.

The order makes every crash harmless: the claim is one rename, then the bytes are
archived, then the upload is registered, and only then is the claim given up.  What
a crash has left half done, the next look finishes.
"""

import collections
import datetime as dt
import time
from collections.abc import Sequence
from dataclasses import dataclass

from cvms_pipeline import errors
from cvms_pipeline.domain import upload
from cvms_pipeline.files import claims, incoming, watching
from cvms_pipeline.ingest import pipeline as pipelines
from cvms_pipeline.store import neighbours, providers, uploads

MOST_AT_ONCE = 25
"""How many files one look takes in, so that no look takes long."""

ENOUGH_QUEUED = 25
"""While so many runs of a provider's lane wait for a worker, no more is asked for.

What looks into Dagster's queue reads all of it, every time.
"""

ASK_AGAIN = dt.timedelta(minutes=2)
"""After this time a run that was asked for and has not begun is asked for again."""

_PAUSE_SECONDS = 0.1
_LOOK_ANYWAY_SECONDS = 5.0
_LOOK_WHILE_FULL_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one look at the incoming folder came to.

    Attributes:
        is_over: Whether everything that lay there has been taken in.
        problem: The first thing that could not be taken in for a fault of ours.
    """

    is_over: bool
    problem: errors.CvmsError | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a run is asked for.

    Attributes:
        uploads: These, the first to be worked on first.
        is_full: Whether others may have to wait until fewer of a provider's runs do.
    """

    uploads: Sequence[uploads.Upload]
    is_full: bool


def wait_for_uploads(
    pipeline: pipelines.Pipeline,
    *,
    seconds: float,
    heard_at: dt.datetime | None = None,
) -> Sequence[uploads.Upload]:
    """Receive what has settled; wait up to `seconds` for the first of it.

    Args:
        pipeline: The pipeline.
        seconds: How long to wait.
        heard_at: Until when runs that were asked for are known to have been heard.

    Returns:
        The uploads that await a run, the first to be worked on first; they are
        noted as asked for.

    Raises:
        CvmsError: If nothing awaits a run and something could not be taken in.
    """
    deadline = time.monotonic() + seconds
    look = Look(is_over=False, problem=None)
    next_look = time.monotonic()
    root = pipeline.folders.root
    for changed in watching.changes(root, pause_seconds=_PAUSE_SECONDS):
        moment = time.monotonic()
        if changed or not look.is_over or moment >= next_look:
            look = receive(pipeline)
            asked = ask(pipeline, heard_at=heard_at)
            if asked.uploads:
                return asked.uploads
            pause = _LOOK_WHILE_FULL_SECONDS if asked.is_full else _LOOK_ANYWAY_SECONDS
            next_look = moment + pause
            if look.problem is not None:
                raise look.problem
        if moment > deadline:
            break
    return []


def receive(pipeline: pipelines.Pipeline) -> Look:
    """Take in what has settled, and what an earlier look left half done."""
    now = pipeline.now()
    problem: errors.CvmsError | None = None
    open_claims = claims.open_claims(pipeline.folders)
    found = [f for f in incoming.look(pipeline.folders, now=now) if not f.is_misplaced]
    settled = [f for f in found if f.is_settled]
    is_over = len(settled) == len(found) and len(settled) <= MOST_AT_ONCE
    everything: list[incoming.Found | claims.Claim]
    everything = [*open_claims, *in_turns(settled)[:MOST_AT_ONCE]]
    for each in everything:
        try:
            is_over &= _take_in(pipeline, each, now)
        except errors.CvmsError as error:
            problem = problem or error
    return Look(is_over=is_over, problem=problem)


def in_turns(found: Sequence[incoming.Found]) -> list[incoming.Found]:
    """Return what was found so that each provider has its turn, low volume first."""
    seen: collections.Counter[str] = collections.Counter()
    turns: list[tuple[int, incoming.Found]] = []
    for each in sorted(found, key=lambda one: one.lane == upload.Lane.HIGH_VOLUME):
        turns.append((seen[each.folder], each))
        seen[each.folder] += 1
    return [each for _, each in sorted(turns, key=lambda turn: turn[0])]


def ask(pipeline: pipelines.Pipeline, *, heard_at: dt.datetime | None = None) -> Asked:
    """Return the uploads that a run is to be asked for, and note that it is.

    What was asked for after `heard_at` was asked by somebody who has died since,
    and is asked for again at once.
    """
    now = pipeline.now()
    with pipeline.store.begin() as conn:
        queued = neighbours.queued_uploads(conn)
        waiting = collections.Counter(queued.values())
        full = [whose for whose in waiting if waiting[whose] >= ENOUGH_QUEUED]
        awaiting = uploads.awaiting_run(
            conn,
            limit=MOST_AT_ONCE,
            asked_before=now - ASK_AGAIN,
            asked_after=heard_at,
            queued=list(queued),
            full=full,
        )
        if awaiting:
            uploads.note_requested(conn, [each.id for each in awaiting], now=now)
    return Asked(uploads=awaiting, is_full=bool(full))


def take_awaiting(pipeline: pipelines.Pipeline) -> Sequence[uploads.Upload]:
    """Return the uploads that await a run, and note that one is asked for."""
    return ask(pipeline).uploads


def _take_in(
    pipeline: pipelines.Pipeline, found: incoming.Found | claims.Claim, now: dt.datetime
) -> bool:
    """Claim, store, register and let go; return whether it is done with."""
    claim: claims.Claim | None
    if isinstance(found, claims.Claim):
        claim = found
    else:
        upload_id = upload.new_id(now)
        claim = claims.claim(pipeline.folders, found, upload_id=upload_id, now=now)
    if claim is None:
        return True  # gone, or somebody else was faster
    provider = _enabled_provider(pipeline, claim.folder)
    stored = claims.finish(
        pipeline.folders,
        claim,
        pipeline.archive,
        now=pipeline.now(),
        quarantine=provider is None,
    )
    if stored is None:
        return False  # a writer still has it
    with pipeline.store.begin() as conn:
        uploads.register(conn, _received(claim, provider, stored))
    claims.discard(pipeline.folders, claim)
    return True


def _received(
    claim: claims.Claim, provider: str | None, stored: claims.Stored
) -> upload.Received:
    return upload.Received(
        id=claim.upload_id,
        folder=claim.folder,
        provider=provider,
        lane=claim.lane,
        file_name=claim.file_name,
        sha256=stored.sha256,
        size=stored.size,
        received_at=claim.claimed_at,
        claim_refusal=stored.refusal,
    )


def _enabled_provider(pipeline: pipelines.Pipeline, folder: str) -> str | None:
    with pipeline.store.begin() as conn:
        found = providers.find(conn, folder)
    return found.slug if found is not None and found.is_enabled else None
