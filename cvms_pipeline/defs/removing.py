"""Removing partitions and runs from Dagster through the instance's own functions.

What may go, `ingest.retention` decides; a run that has not ended, and the partition
it works on, are never touched.  What these functions leave behind in Dagster's
tables, `store.neighbours` removes.
"""

import collections
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import dagster as dg

from cvms_pipeline.defs import partitions

ENDED = [
    dg.DagsterRunStatus.SUCCESS,
    dg.DagsterRunStatus.FAILURE,
    dg.DagsterRunStatus.CANCELED,
]
_AT_ONCE = 100
_PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """A partition that goes, with so many runs."""

    key: str
    runs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """What was removed, or would be in a dry run.

    Attributes:
        partitions: The partitions, in the order given.
        runs: How many runs of no live partition.
    """

    partitions: Sequence[Partition]
    runs: int


def live(instance: dg.DagsterInstance) -> Sequence[str]:
    """Return the keys of the uploads that Dagster shows."""
    return instance.get_dynamic_partitions(partitions.UPLOADS.name or "")


def remove(
    instance: dg.DagsterInstance,
    keys: Sequence[str],
    *,
    runs_before: dt.datetime,
    dry_run: bool,
) -> Gone:
    """Remove partitions with their runs and events, and old runs of no partition.

    A partition's key goes last: whatever interrupts it, the next time finds what is
    left.

    Args:
        instance: The instance.
        keys: The partitions; one with a run that has not ended stays.
        runs_before: Runs of no live partition go if they ended before it.
        dry_run: Whether only to look.
    """
    gone = [
        each
        for start in range(0, len(keys), _AT_ONCE)
        for each in _remove_some(instance, keys[start : start + _AT_ONCE], dry_run)
    ]
    return Gone(partitions=gone, runs=_remove_runs(instance, runs_before, dry_run))


def _remove_some(
    instance: dg.DagsterInstance, keys: Sequence[str], dry_run: bool
) -> Iterator[Partition]:
    runs = _runs_of(instance, keys)
    for key in keys:
        if all(run.is_finished for run in runs[key]):
            if not dry_run:
                _delete_runs(instance, runs[key])
                instance.delete_dynamic_partition(partitions.UPLOADS.name or "", key)
            yield Partition(key=key, runs=len(runs[key]))


def _remove_runs(
    instance: dg.DagsterInstance, before: dt.datetime, dry_run: bool
) -> int:
    kept = set(live(instance))
    old = dg.RunsFilter(statuses=ENDED, updated_before=before)
    gone = [
        run
        for run in _pages(instance, old)
        if run.tags.get(partitions.PARTITION_TAG) not in kept
    ]
    if not dry_run:
        _delete_runs(instance, gone)
    return len(gone)


def _runs_of(
    instance: dg.DagsterInstance, keys: Sequence[str]
) -> Mapping[str, list[dg.DagsterRun]]:
    found: dict[str, list[dg.DagsterRun]] = collections.defaultdict(list)
    wanted = dg.RunsFilter(tags={partitions.PARTITION_TAG: list(keys)})
    for run in instance.get_runs(wanted):
        found[run.tags[partitions.PARTITION_TAG]].append(run)
    return found


def _pages(
    instance: dg.DagsterInstance, wanted: dg.RunsFilter
) -> Iterator[dg.DagsterRun]:
    cursor = None
    while page := instance.get_runs(wanted, cursor=cursor, limit=_PAGE):
        yield from page
        cursor = page[-1].run_id


def _delete_runs(instance: dg.DagsterInstance, runs: Sequence[dg.DagsterRun]) -> None:
    for run in runs:
        instance.delete_run(run.run_id)
