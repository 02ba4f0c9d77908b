"""Retention: what may go, how old it must be, and its removal from store and folders.

Whatever has not finished, has failed or has a message to go stays, however old.
What the tables say of an upload stays for good.  Dagster's own records are removed
by `defs.retention`, which asks here which.
"""

import datetime as dt
import functools
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from cvms_pipeline.domain import events
from cvms_pipeline.files import ageing
from cvms_pipeline.ingest import pipeline as pipelines
from cvms_pipeline.store import audit, neighbours, retention

MOST_AT_ONCE = 10_000
"""How many partitions one run removes at most: about five minutes' work."""

_UPLOADS_A_TRANSACTION = 50
_ROWS_A_TRANSACTION = 2_000
_FILES_A_LOOK = 500
_FILES_A_TRANSACTION = 50
_A_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much is kept: a number of partitions, and days for all else."""

    live_partitions: int
    run_days: int
    rejected_rows_days: int
    archive_days: int
    work_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What a sweep found of one kind, and removed unless it was a dry run.

    Attributes:
        what: What it is, for people.
        rule: What makes it go.
        found: How many were to go.
        removed: How many went.
    """

    what: str
    rule: str
    found: int
    removed: int


def partitions_to_go(
    pipeline: pipelines.Pipeline, live: Collection[str], limits: Limits
) -> Sequence[retention.DoneWith]:
    """Return the uploads whose partitions are beyond the limit, oldest finished first.

    Args:
        pipeline: The pipeline.
        live: The partition keys that Dagster has; every one of them counts.
        limits: How many may stay.
    """
    excess = min(len(live) - limits.live_partitions, MOST_AT_ONCE)
    if excess <= 0:
        return []
    with pipeline.store.begin() as conn:
        return retention.done_with(conn, live, before=pipeline.now(), limit=excess)


def runs_before(pipeline: pipelines.Pipeline, limits: Limits) -> dt.datetime:
    """Return before when a run of no upload shown must have ended to go."""
    return pipeline.now() - dt.timedelta(days=limits.run_days)


def purge_rejected_rows(
    pipeline: pipelines.Pipeline, limits: Limits, *, dry_run: bool
) -> Sequence[Swept]:
    """Forget the rejected rows of old uploads, and the error reports made of them."""
    now = pipeline.now()
    before = now - dt.timedelta(days=limits.rejected_rows_days)
    with pipeline.store.begin() as conn:
        to_do = retention.purgeable(conn, before=before)
    uploads = rows = 0
    while not dry_run:
        with pipeline.store.begin() as conn:
            purged = retention.purge_rejected_rows(
                conn, before=before, now=now, limit=_UPLOADS_A_TRANSACTION
            )
            for upload_id in purged:
                pipeline.reports.remove(upload_id)
        if not purged:
            break
        uploads, rows = uploads + len(purged), rows + sum(purged.values())
    rule = f"finished {limits.rejected_rows_days} days ago"
    return [
        Swept(what="Rejected rows", rule=rule, found=to_do.rows, removed=rows),
        Swept(what="Error reports", rule=rule, found=to_do.uploads, removed=uploads),
    ]


def remove_leftovers(
    pipeline: pipelines.Pipeline, *, partitions: str, dry_run: bool
) -> Sequence[Swept]:
    """Remove what Dagster and Celery left in our database a day ago or earlier.

    Args:
        pipeline: The pipeline.
        partitions: What Dagster calls the partitions of uploads.
        dry_run: Whether to count only.
    """
    before = pipeline.now() - _A_DAY
    old = neighbours.Old(before=before, partitions=partitions, zone=str(pipeline.zone))
    return [_remove_leftover(pipeline, each, old, dry_run) for each in neighbours.ALL]


def remove_files(
    pipeline: pipelines.Pipeline, limits: Limits, *, dry_run: bool
) -> Sequence[Swept]:
    """Remove received files that are old, and what interrupted runs left behind."""
    now = pipeline.now()
    before = now - dt.timedelta(days=limits.archive_days)
    untouched = ageing.untouched(
        pipeline.work, before=now - dt.timedelta(days=limits.work_days)
    )
    finished = f"finished {limits.archive_days} days ago"
    return [
        _sweep_files(
            pipeline,
            "Files in the archive",
            finished,
            _done_with(
                pipeline, ageing.on_shelves(pipeline.archive.root, until=before), before
            ),
            None if dry_run else pipeline.archive.remove,
        ),
        _sweep_files(
            pipeline,
            "Files in quarantine",
            finished,
            _done_with(pipeline, ageing.in_quarantine(pipeline.folders), before),
            None
            if dry_run
            else functools.partial(ageing.remove_quarantined, pipeline.folders),
        ),
        _sweep(
            "Work folders",
            f"unchanged for {limits.work_days} days",
            untouched,
            None if dry_run else pipeline.work.remove,
        ),
    ]


def note(
    pipeline: pipelines.Pipeline, swept: Sequence[Swept], *, run_id: str | None
) -> None:
    """Let the audit tell what the run `run_id` has removed, if it was anything."""
    removed = {each.what: each.removed for each in swept if each.removed}
    if removed:
        event = events.Event.RETENTION
        with pipeline.store.begin() as conn:
            audit.write(conn, [audit.Note(event=event, run_id=run_id, details=removed)])


def _remove_leftover(
    pipeline: pipelines.Pipeline,
    leftover: neighbours.Leftover,
    old: neighbours.Old,
    dry_run: bool,
) -> Swept:
    with pipeline.store.begin() as conn:
        found = neighbours.count(conn, leftover, old)
    removed = 0
    while found and not dry_run:
        with pipeline.store.begin() as conn:
            some = neighbours.remove(conn, leftover, old, limit=_ROWS_A_TRANSACTION)
        removed += some
        if not some:
            break
    return Swept(
        what=leftover.what,
        rule="a day old and not needed",
        found=found,
        removed=removed,
    )


def _done_with(
    pipeline: pipelines.Pipeline, upload_ids: Sequence[str], before: dt.datetime
) -> Sequence[retention.DoneWith]:
    """Return those of the uploads that had finished before and are done with."""
    gone: list[retention.DoneWith] = []
    for start in range(0, len(upload_ids), _FILES_A_LOOK):
        some = upload_ids[start : start + _FILES_A_LOOK]
        with pipeline.store.begin() as conn:
            gone += retention.done_with(conn, some, before=before, limit=len(some))
    return gone


def _sweep_files(
    pipeline: pipelines.Pipeline,
    what: str,
    rule: str,
    found: Sequence[retention.DoneWith],
    remove: Callable[[str], None] | None,
) -> Swept:
    """Remove uploads' files, each only once the audit has it.

    After a crash in between the next night removes them, with a second entry.
    """
    for start in range(0, len(found) if remove else 0, _FILES_A_TRANSACTION):
        some = found[start : start + _FILES_A_TRANSACTION]
        with pipeline.store.begin() as conn:
            audit.write(conn, [_removed(upload, what) for upload in some])
        _sweep(what, rule, [upload.id for upload in some], remove)
    removed = len(found) if remove else 0
    return Swept(what=what, rule=rule, found=len(found), removed=removed)


def _removed(upload: retention.DoneWith, what: str) -> audit.Note:
    return audit.Note(
        event=events.Event.FILE_REMOVED,
        upload_id=upload.id,
        provider=upload.provider,
        details={"what": what},
    )


def _sweep(
    what: str, rule: str, found: Sequence[str], remove: Callable[[str], None] | None
) -> Swept:
    """Remove what was found; only count it where there is nothing to `remove` with."""
    if remove is not None:
        for upload_id in found:
            remove(upload_id)
    removed = len(found) if remove is not None else 0
    return Swept(what=what, rule=rule, found=len(found), removed=removed)
