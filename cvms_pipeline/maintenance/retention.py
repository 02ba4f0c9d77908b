"""Retention: what may be removed, how old it must be, and its removal.

An upload that has not finished, has failed or has an unsent message keeps everything,
however old it is.  The history of uploads in the tables is permanent.  `defs.retention`
removes Dagster's own records, and decides with this module which.  Files are removed by
`file_retention`, and what belongs to cases by `case_retention`.
"""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from cvms_pipeline.database import dagster_tables
from cvms_pipeline.domain.vocabulary import audit_events
from cvms_pipeline.maintenance import passing_over
from cvms_pipeline.store import audit, listing, outbox, rejected_rows
from cvms_pipeline.use_cases import pipelines

SettledUpload = listing.SettledUpload
"""An upload that has finished, and of which no message is unsent."""

_MAX_PARTITIONS = 10_000
"""How many partitions one run removes at most, in about five minutes."""

_PURGE_BATCH = 50
_LEFTOVERS_BATCH = 2_000
_A_DAY = dt.timedelta(days=1)
_AFTER_LINKS = dt.timedelta(days=7)
"""How long an account is kept whose last link has ended, and that has no password."""

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
        which: A digest that changes when others are kept.
        why: What has prevented the first of these; without personal data.
    """

    what: str
    rule: str
    found: int
    removed: int
    kept: int = 0
    which: str = ""
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


def record(
    pipeline: pipelines.Pipeline, results: Sequence[CleanupResult], *, run_id: str
) -> None:
    """Write into the audit how much a Dagster run has removed, if it was anything."""
    removed = {result.what: result.removed for result in results if result.removed}
    if removed:
        event = audit_events.Event.RETENTION
        with pipeline.store.begin() as conn:
            audit.write(conn, [audit.Note(event=event, run_id=run_id, details=removed)])


def report_kept(
    pipeline: pipelines.Pipeline, results: Sequence[CleanupResult]
) -> Sequence[str]:
    """Alert data-ops to what could not be removed: once, until it is something else.

    Returns:
        For each kind of which something is left: how much, and why.
    """
    kept = [result for result in results if result.kept]
    told = [f"{each.what}: {each.kept} are left. {each.why}" for each in kept]
    if kept:
        with pipeline.store.begin() as conn:
            outbox.queue_alert(
                conn,
                "not-all-removed:" + ":".join(each.which for each in kept),
                pipeline.data_ops,
                now=pipeline.now(),
                details={"about": "not-all-removed", "kept": told},
            )
    return told
