"""What of cases is removed, and when: texts and names, files, and files of no case.

A file is removed with the transaction that says so.  After a crash between them the
next night does it again.
"""

import datetime as dt
from collections.abc import Sequence

from cvms_pipeline.database import engine
from cvms_pipeline.domain.vocabulary import audit_events, upload
from cvms_pipeline.files import access
from cvms_pipeline.maintenance import passing_over, retention
from cvms_pipeline.store import audit
from cvms_pipeline.store.help_desk import case_files, erasing
from cvms_pipeline.use_cases import pipelines

_BATCH = 100
_A_DAY = dt.timedelta(days=1)


def clean_cases(
    pipeline: pipelines.Pipeline, limits: retention.Limits, *, dry_run: bool
) -> Sequence[retention.CleanupResult]:
    """Erase cases that were closed long ago, and remove files that nobody needs."""
    return [
        _erase(pipeline, limits.case_days, dry_run=dry_run),
        _remove_old_files(pipeline, limits.archive_days, dry_run=dry_run),
        _remove_strays(pipeline, dry_run=dry_run),
    ]


def _erase(
    pipeline: pipelines.Pipeline, days: int, *, dry_run: bool
) -> retention.CleanupResult:
    now = pipeline.now()
    before = now - dt.timedelta(days=days)
    with pipeline.store.begin() as conn:
        found = erasing.count_erasable(conn, before=before)
    removed, kept = 0, passing_over.PassedOver[int]()
    while not dry_run:
        with kept.passing_over():
            with pipeline.store.begin() as conn:
                erased = erasing.erase(
                    conn, before=before, now=now, limit=_BATCH, without=kept.keys
                )
                for number, file_ids in erased.items():
                    with kept.removing(number):
                        for file_id in file_ids:
                            pipeline.case_files.remove(file_id)
                if erased:
                    _record(conn, list(erased))
            if not erased:
                break
            removed += len(erased)
    return retention.CleanupResult(
        what="Texts and names of cases",
        rule=f"closed {days} days ago",
        found=found,
        removed=removed,
        **kept.facts,
    )


def _record(conn: engine.Connection, numbers: Sequence[int]) -> None:
    event = audit_events.Event.CASES_ERASED
    audit.write(conn, [audit.Note(event=event, details={"cases": list(numbers)})])


def _remove_old_files(
    pipeline: pipelines.Pipeline, days: int, *, dry_run: bool
) -> retention.CleanupResult:
    now = pipeline.now()
    before = now - dt.timedelta(days=days)
    removed, kept = 0, passing_over.PassedOver[str]()
    with pipeline.store.begin() as conn:
        found = erasing.count_old_files(conn, before=before)
    while not dry_run:
        with kept.passing_over():
            with pipeline.store.begin() as conn:
                old = erasing.find_old_files(
                    conn, before=before, limit=_BATCH, without=kept.keys
                )
                erasing.mark_removed(conn, old, now)
                for file_id in old:
                    with kept.removing(file_id):
                        pipeline.case_files.remove(file_id)
            if not old:
                break
            removed += len(old)
    return retention.CleanupResult(
        what="Files of cases",
        rule=f"closed {days} days ago",
        found=found,
        removed=removed,
        **kept.facts,
    )


def _remove_strays(
    pipeline: pipelines.Pipeline, *, dry_run: bool
) -> retention.CleanupResult:
    """Remove files of which a crash, a day ago or earlier, has prevented the row."""
    strays = _list_strays(pipeline)
    kept = passing_over.PassedOver[str]()
    for file_id in () if dry_run else strays:
        with kept.passing_over(), kept.removing(file_id):
            pipeline.case_files.remove(file_id)
    return retention.CleanupResult(
        what="Files of no case",
        rule="a day old",
        found=len(strays),
        removed=0 if dry_run else len(strays) - len(kept.keys),
        **kept.facts,
    )


def _list_strays(pipeline: pipelines.Pipeline) -> list[str]:
    root, before = pipeline.case_files.root, (pipeline.now() - _A_DAY).timestamp()
    with access.translate_errors(root):
        old = [
            path.name
            for path in root.glob("[0-9]" * 6 + "/*")
            if upload.is_id(path.name) and path.stat().st_mtime < before
        ]
    strays: list[str] = []
    for start in range(0, len(old), _BATCH):
        batch = old[start : start + _BATCH]
        with pipeline.store.begin() as conn:
            known = case_files.list_known(conn, batch)
        strays += [each for each in batch if each not in known]
    return sorted(strays)
