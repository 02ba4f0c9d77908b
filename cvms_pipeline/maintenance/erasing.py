"""Erasing: people who were removed some time ago, and registrations that were paused.

A record without names and addresses stays: that somebody was loaded and removed, when,
and by which case.  What else is removed after some days is `retention`.
"""

import datetime as dt
from collections.abc import Sequence

from cvms_pipeline.maintenance import passing_over, retention
from cvms_pipeline.store.recipient_access import registrations
from cvms_pipeline.store.removals import erasing
from cvms_pipeline.use_cases import pipelines

_BATCH = 1_000


def drop_drafts(
    pipeline: pipelines.Pipeline, limits: retention.Limits, *, dry_run: bool
) -> Sequence[retention.CleanupResult]:
    """Forget registrations that were paused and not gone on with for some days."""
    before = pipeline.now() - dt.timedelta(days=limits.draft_days)
    with pipeline.store.begin() as conn:
        found = registrations.count_old_drafts(conn, before=before)
    removed, count = 0, 0 if dry_run else found
    while count:
        with pipeline.store.begin() as conn:
            count = len(
                registrations.drop_old_drafts(conn, before=before, limit=_BATCH)
            )
        removed += count
    rule = f"saved {limits.draft_days} days ago"
    return [
        retention.CleanupResult(
            what="Paused registrations", rule=rule, found=found, removed=removed
        )
    ]


def erase_removed(
    pipeline: pipelines.Pipeline, limits: retention.Limits, *, dry_run: bool
) -> Sequence[retention.CleanupResult]:
    """Erase the people who were removed long enough ago, each in a transaction.

    Error reports with a row of such a person are removed, too.  They are made again
    without it when somebody asks for them.
    """
    now = pipeline.now()
    before = now - dt.timedelta(days=limits.removed_days)
    with pipeline.store.begin() as conn:
        due = erasing.list_due(conn, before=before)
    erased, kept = 0, passing_over.PassedOver[str]()
    for recipient_id in () if dry_run else due:
        with kept.passing_over():
            with pipeline.store.begin() as conn:
                uploads = erasing.erase(conn, recipient_id, now=now)
                with kept.removing(recipient_id):
                    for upload_id in uploads or ():
                        pipeline.reports.remove(upload_id)
            erased += uploads is not None
    people = retention.CleanupResult(
        what="Removed recipients",
        rule=f"removed {limits.removed_days} days ago",
        found=len(due),
        removed=erased,
        **kept.facts,
    )
    return [people]
