"""Removing files that are old, of an upload or of nobody, and what was interrupted.

The audit says that a file was removed once it was, and once.  For a received file a
mark in the archive (`files.archive`) outlives a crash between the two: the next night
finds the mark without the file, and an entry for it or none.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path

from cvms_pipeline.domain.vocabulary import audit_events, upload
from cvms_pipeline.files import access
from cvms_pipeline.maintenance import (
    incoming_backup,
    passing_over,
    quarantine,
    retention,
)
from cvms_pipeline.store import audit, listing, outbox
from cvms_pipeline.use_cases import pipelines
from cvms_pipeline.use_cases.provider_actions import review

_BATCH = 100
_ARCHIVED = "Files in the archive"

_Batches = Sequence[Sequence[retention.SettledUpload]]
_Kept = passing_over.PassedOver[str]


def remove_files(
    pipeline: pipelines.Pipeline, limits: retention.Limits, *, dry_run: bool
) -> Sequence[retention.CleanupResult]:
    """Remove received files that are old, and what interrupted runs left behind."""
    before = pipeline.now() - dt.timedelta(days=limits.archive_days)
    if not dry_run:
        _finish_removals(pipeline, before)
    archived = _list_archived(pipeline.archive.root, until=before)
    quarantined = incoming_backup.list_ids(pipeline.folders.quarantine)
    results = []
    for what, upload_ids, remove in (
        (_ARCHIVED, archived, _remove_archived),
        ("Files in quarantine", quarantined, _remove_quarantined),
    ):
        batches = list(_find_settled(pipeline, upload_ids, before))
        kept = _Kept()
        removed = 0 if dry_run else remove(pipeline, what, batches, kept)
        result = retention.CleanupResult(
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
    pipeline: pipelines.Pipeline, limits: retention.Limits, *, dry_run: bool
) -> retention.CleanupResult:
    """Remove what interrupted runs have left behind."""
    untouched = _find_untouched(pipeline, limits)
    kept = _Kept()
    for upload_id in () if dry_run else untouched:
        with kept.passing_over(), kept.removing(upload_id):
            pipeline.work.remove(upload_id)
    return retention.CleanupResult(
        what="Work folders",
        rule=f"unchanged for {limits.work_days} days",
        found=len(untouched),
        removed=0 if dry_run else len(untouched) - len(kept.keys),
        **kept.facts,
    )


def _remove_reviews(
    pipeline: pipelines.Pipeline, *, dry_run: bool
) -> retention.CleanupResult:
    """Remove files about whose review in the portal nobody has decided."""
    found = review.remove_expired(pipeline, dry_run=dry_run)
    return retention.CleanupResult(
        what="Reviews in the portal",
        rule="begun a day ago",
        found=found,
        removed=0 if dry_run else found,
    )


def _find_settled(
    pipeline: pipelines.Pipeline, upload_ids: Sequence[str], before: dt.datetime
) -> Iterator[Sequence[retention.SettledUpload]]:
    """Yield, in batches, which of the uploads are settled since before a moment."""
    for start in range(0, len(upload_ids), _BATCH):
        batch = upload_ids[start : start + _BATCH]
        with pipeline.store.begin() as conn:
            yield listing.find_settled(conn, batch, before=before, limit=len(batch))


def _remove_archived(
    pipeline: pipelines.Pipeline, what: str, batches: _Batches, kept: _Kept
) -> int:
    """Remove files from the archive and record which; return how many."""
    removed = 0
    for batch in batches:
        gone = []
        for each in batch:
            with kept.passing_over(), kept.removing(each.id):
                pipeline.archive.remove(each.id, is_marked=True)
                gone.append(each)
        _record_removal(pipeline, what, gone)
        pipeline.archive.remove_marks([each.id for each in gone])
        removed += len(gone)
    return removed


def _finish_removals(pipeline: pipelines.Pipeline, before: dt.datetime) -> None:
    """Record what was removed just before a crash, unless it was recorded, too."""
    marked = pipeline.archive.list_marked()
    for batch in _find_settled(pipeline, marked, before):
        gone = [each for each in batch if not pipeline.archive.has(each.id)]
        with pipeline.store.begin() as conn:
            recorded = audit.find_uploads(
                conn,
                [each.id for each in gone],
                event=audit_events.Event.FILE_REMOVED,
                details={"what": _ARCHIVED},
            )
        _record_removal(
            pipeline, _ARCHIVED, [each for each in gone if each.id not in recorded]
        )
    pipeline.archive.remove_marks(marked)


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
    pipeline: pipelines.Pipeline, what: str, removed: Sequence[retention.SettledUpload]
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


def _find_untouched(
    pipeline: pipelines.Pipeline, limits: retention.Limits
) -> list[str]:
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
