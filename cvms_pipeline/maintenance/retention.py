"""Retention: what may be removed, how old it must be, and its removal.

An upload that has not finished, has failed or has an unsent message keeps everything,
however old it is.  The history of uploads in the tables is permanent.  `defs.retention`
removes Dagster's own records, and decides with this module which.
"""

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cvms_pipeline.database import dagster_tables
from cvms_pipeline.domain.vocabulary import audit_events, upload
from cvms_pipeline.files import access
from cvms_pipeline.maintenance import incoming_backup, passing_over, quarantine
from cvms_pipeline.store import audit, listing, outbox, rejected_rows
from cvms_pipeline.use_cases import pipelines
from cvms_pipeline.use_cases.provider_actions import review

SettledUpload = listing.SettledUpload
"""An upload that has finished, and of which no message is unsent."""

_MAX_PARTITIONS = 10_000
"""How many partitions one run removes at most, in about five minutes."""

_PURGE_BATCH = 50
_LEFTOVERS_BATCH = 2_000
_FILES_BATCH = 100
_A_DAY = dt.timedelta(days=1)
_AFTER_LINKS = dt.timedelta(days=7)
"""How long an account is kept whose last link has ended, and that has no password."""

_Batches = Sequence[Sequence[SettledUpload]]
_Kept = passing_over.PassedOver[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much is kept: a number of partitions, and days for everything else."""

    live_partitions: int
    run_days: int
    rejected_rows_days: int
    removed_days: int
    draft_days: int
    archive_days: int
    case_days: int
    work_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanupResult:
    """How many things of one kind were to be removed, and how many were.

    Attributes:
        what: The kind, for people.
        rule: Which of them are to be removed, for people.
        found: How many were to be removed.
        removed: How many were; none in a dry run.
        kept: How many could not be removed, and are tried again the next night.
        why: What has prevented the first of these; without personal data.
    """

    what: str
    rule: str
    found: int
    removed: int
    kept: int = 0
    why: str = ""


def find_surplus_partitions(
    pipeline: pipelines.Pipeline, keys: Collection[str], limits: Limits
) -> Sequence[SettledUpload]:
    """Return the uploads whose partitions are beyond the limit, oldest finished first.

    Args:
        pipeline: The pipeline.
        keys: All partitions that Dagster has.
        limits: How many may stay.
    """
    surplus = min(len(keys) - limits.live_partitions, _MAX_PARTITIONS)
    if surplus <= 0:
        return []
    with pipeline.store.begin() as conn:
        return listing.find_settled(conn, keys, before=pipeline.now(), limit=surplus)


def get_runs_limit(pipeline: pipelines.Pipeline, limits: Limits) -> dt.datetime:
    """Return the moment before which a run without a partition must have ended."""
    return pipeline.now() - dt.timedelta(days=limits.run_days)


def purge_rejected_rows(
    pipeline: pipelines.Pipeline, limits: Limits, *, dry_run: bool
) -> Sequence[CleanupResult]:
    """Delete the rejected rows of old uploads, and their error reports."""
    now = pipeline.now()
    before = now - dt.timedelta(days=limits.rejected_rows_days)
    with pipeline.store.begin() as conn:
        found_uploads, found_rows = rejected_rows.count_purgeable(conn, before=before)
    purged_uploads = purged_rows = 0
    kept = _Kept()
    while not dry_run:
        with kept.passing_over():
            with pipeline.store.begin() as conn:
                purged = rejected_rows.purge(
                    conn,
                    before=before,
                    now=now,
                    limit=_PURGE_BATCH,
                    without=kept.keys,
                )
                for upload_id in purged:
                    with kept.removing(upload_id):
                        pipeline.reports.remove(upload_id)
            if not purged:
                break
            purged_uploads += len(purged)
            purged_rows += sum(purged.values())
    rule = f"finished {limits.rejected_rows_days} days ago"
    rows = CleanupResult(
        what="Rejected rows", rule=rule, found=found_rows, removed=purged_rows
    )
    reports = CleanupResult(
        what="Error reports",
        rule=rule,
        found=found_uploads,
        removed=purged_uploads,
        **kept.facts,
    )
    return [rows, reports]


def remove_leftovers(
    pipeline: pipelines.Pipeline, *, dry_run: bool
) -> Sequence[CleanupResult]:
    """Remove what Dagster, Celery and the portal left in our database.

    A day ago or earlier; accounts that nobody uses, some days after their last link.
    """
    now, zone = pipeline.now(), str(pipeline.zone)
    links_before = now - dt.timedelta(days=pipeline.links.days) - _AFTER_LINKS
    values = {"before": now - _A_DAY, "zone": zone, "links_before": links_before}
    results = []
    for leftover in dagster_tables.LEFTOVERS:
        with pipeline.store.begin() as conn:
            found = dagster_tables.count_leftovers(conn, leftover, values)
        removed, count = 0, 0 if dry_run else found
        while count:
            with pipeline.store.begin() as conn:
                count = dagster_tables.remove_leftovers(
                    conn, leftover, values, limit=_LEFTOVERS_BATCH
                )
            removed += count
        result = CleanupResult(
            what=leftover.what, rule=leftover.rule, found=found, removed=removed
        )
        results.append(result)
    return results


def remove_files(
    pipeline: pipelines.Pipeline, limits: Limits, *, dry_run: bool
) -> Sequence[CleanupResult]:
    """Remove received files that are old, and what interrupted runs left behind."""
    before = pipeline.now() - dt.timedelta(days=limits.archive_days)
    archived = _list_archived(pipeline.archive.root, until=before)
    quarantined = incoming_backup.list_ids(pipeline.folders.quarantine)
    results = []
    for what, upload_ids, remove in (
        ("Files in the archive", archived, _remove_archived),
        ("Files in quarantine", quarantined, _remove_quarantined),
    ):
        batches = list(_find_settled(pipeline, upload_ids, before))
        kept = _Kept()
        removed = 0 if dry_run else remove(pipeline, what, batches, kept)
        result = CleanupResult(
            what=what,
            rule=f"finished {limits.archive_days} days ago",
            found=sum(map(len, batches)),
            removed=removed,
            **kept.facts,
        )
        results.append(result)
    work_folders = _remove_work_folders(pipeline, limits, dry_run=dry_run)
    return [*results, work_folders, _remove_reviews(pipeline, dry_run=dry_run)]


def _remove_work_folders(
    pipeline: pipelines.Pipeline, limits: Limits, *, dry_run: bool
) -> CleanupResult:
    """Remove what interrupted runs have left behind."""
    untouched = _find_untouched(pipeline, limits)
    kept = _Kept()
    for upload_id in () if dry_run else untouched:
        with kept.passing_over(), kept.removing(upload_id):
            pipeline.work.remove(upload_id)
    return CleanupResult(
        what="Work folders",
        rule=f"unchanged for {limits.work_days} days",
        found=len(untouched),
        removed=0 if dry_run else len(untouched) - len(kept.keys),
        **kept.facts,
    )


def _remove_reviews(pipeline: pipelines.Pipeline, *, dry_run: bool) -> CleanupResult:
    """Remove files about whose review in the portal nobody has decided."""
    found = review.remove_expired(pipeline, dry_run=dry_run)
    return CleanupResult(
        what="Reviews in the portal",
        rule="begun a day ago",
        found=found,
        removed=0 if dry_run else found,
    )


def record(
    pipeline: pipelines.Pipeline, results: Sequence[CleanupResult], *, run_id: str
) -> None:
    """Write into the audit how much a Dagster run has removed, if it was anything."""
    removed = {result.what: result.removed for result in results if result.removed}
    if removed:
        event = audit_events.Event.RETENTION
        with pipeline.store.begin() as conn:
            audit.write(conn, [audit.Note(event=event, run_id=run_id, details=removed)])


def check_all_removed(results: Sequence[CleanupResult]) -> None:
    """Check that nothing that was to be removed is still there.

    Raises:
        NotAllRemoved: Says of each kind how many are, and why.
    """
    told = [
        f"{result.what}: {result.kept} are left. {result.why}"
        for result in results
        if result.kept
    ]
    if told:
        raise passing_over.NotAllRemoved(
            "\n".join(["Some things could not be removed; all others were.", *told])
        )


def _find_settled(
    pipeline: pipelines.Pipeline, upload_ids: Sequence[str], before: dt.datetime
) -> Iterator[Sequence[SettledUpload]]:
    """Yield, in batches, which of the uploads are settled since before a moment."""
    for start in range(0, len(upload_ids), _FILES_BATCH):
        batch = upload_ids[start : start + _FILES_BATCH]
        with pipeline.store.begin() as conn:
            yield listing.find_settled(conn, batch, before=before, limit=len(batch))


def _remove_archived(
    pipeline: pipelines.Pipeline, what: str, batches: _Batches, kept: _Kept
) -> int:
    """Remove files from the archive, after they are in the audit; return how many.

    After a crash between the two, the next night removes them, with a second entry.
    So it does with what cannot be removed now.
    """
    for batch in batches:
        _record_removal(pipeline, what, batch)
        for each in batch:
            with kept.passing_over(), kept.removing(each.id):
                pipeline.archive.remove(each.id)
    return sum(map(len, batches)) - len(kept.keys)


def _remove_quarantined(
    pipeline: pipelines.Pipeline, what: str, batches: _Batches, _kept: _Kept
) -> int:
    """Remove the quarantined files of uploads; return of how many uploads.

    A folder in quarantine may be closed to us, so that an upload is in the audit only
    when its files are removed, and its own folder is removed last.  What cannot be
    removed is set aside, so that it is reported once.
    """
    folders, count = pipeline.folders, 0
    closed: list[str] = []
    for batch in batches:
        emptied = [each for each in batch if quarantine.empty(folders, each.id)]
        _record_removal(pipeline, what, emptied)
        quarantine.remove_emptied(folders, [each.id for each in emptied])
        count += len(emptied)
        closed += [each.id for each in batch if each not in emptied]
    if closed:
        with pipeline.store.begin() as conn:
            outbox.queue_alert(
                conn,
                f"not-removed:{closed[0]}",
                pipeline.data_ops,
                now=pipeline.now(),
                details={
                    "about": "not-removed",
                    "count": len(closed),
                    "folder": str(quarantine.get_closed_folder(folders)),
                },
            )
        quarantine.set_aside(folders, closed)
    return count


def _record_removal(
    pipeline: pipelines.Pipeline, what: str, removed: Sequence[SettledUpload]
) -> None:
    notes = [
        audit.Note(
            event=audit_events.Event.FILE_REMOVED,
            upload_id=each.id,
            provider=each.provider,
            details={"what": what},
        )
        for each in removed
    ]
    with pipeline.store.begin() as conn:
        audit.write(conn, notes)


def _list_archived(root: Path, *, until: dt.datetime) -> list[str]:
    """Return the ids of the archived uploads up to the month of a moment, sorted."""
    last = f"{until:%Y%m}"
    with access.translate_errors(root):
        months = [month for month in root.glob("[0-9]" * 6) if month.name <= last]
        found = [path.name for month in months for path in month.iterdir()]
    return sorted(filter(upload.is_id, found))


def _find_untouched(pipeline: pipelines.Pipeline, limits: Limits) -> list[str]:
    """Return the uploads whose work folder has not changed for some days."""
    before = (pipeline.now() - dt.timedelta(days=limits.work_days)).timestamp()
    root = pipeline.work.root
    with access.translate_errors(root):
        return [
            upload_id
            for upload_id in pipeline.work.list_ids()
            if _get_change_time(root / upload_id) < before
        ]


def _get_change_time(folder: Path) -> float:
    """Return when a folder or a file in it was last changed, in Unix seconds."""
    return max(path.stat().st_mtime for path in (folder, *folder.iterdir()))
