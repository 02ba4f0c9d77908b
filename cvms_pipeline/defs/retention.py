"""The job `retention`: remove what finished long ago, from Dagster and from us.

Each op cleans one place and shows a table of what it removed, or, in a dry run,
would remove.  What may be removed is decided in `maintenance.retention`; here is how
partitions and runs are removed from Dagster, by the functions of its instance.
"""

import contextlib
import dataclasses
import datetime as dt
import itertools
import logging
from collections.abc import Iterable, Iterator
from typing import Any

import dagster as dg
import pydantic

from cvms_pipeline.defs import failures, metadata, partitions
from cvms_pipeline.maintenance import (
    case_retention,
    erasing,
    file_retention,
    retention,
)
from cvms_pipeline.use_cases import pipelines

_MAX_SHOWN = 100
"""How many of the removed partitions are listed."""

_PRIORITY = -20
"""After everything that somebody waits for."""

_RUNS_BATCH = 500


class _Config(dg.Config):
    """Whether anything is really removed."""

    dry_run: bool = pydantic.Field(
        default=True, description="Only count and show what would be removed."
    )


@dg.op(out=dg.Out(dg.Nothing))
def remove_partitions(
    context: dg.OpExecutionContext,
    config: _Config,
    pipeline: dg.ResourceParam[pipelines.Pipeline],
    limits: dg.ResourceParam[retention.Limits],
) -> None:
    """Remove the oldest finished uploads beyond the limit from Dagster, with runs."""
    instance, dry_run = context.instance, config.dry_run
    with _cleanup(context, config, pipeline) as results:
        keys = instance.get_dynamic_partitions(partitions.NAME)
        uploads = retention.find_surplus_partitions(pipeline, keys, limits)
        removed = _remove_partitions(instance, uploads, context.log, dry_run=dry_run)
        other_runs = _remove_runs_of_no_partition(
            instance,
            before=retention.get_runs_limit(pipeline, limits),
            dry_run=dry_run,
        )
        beyond = f"beyond {limits.live_partitions} of {len(keys)}, oldest first"
        ended = f"ended {limits.run_days} days ago"
        results += [
            _result("Partitions", beyond, len(removed), dry_run),
            _result("Runs of these", beyond, sum(removed.values()), dry_run),
            _result("Runs of no upload shown", ended, other_runs, dry_run),
        ]
    rows = map(_describe_partition, itertools.islice(removed.items(), _MAX_SHOWN))
    context.add_output_metadata({"the oldest of them": metadata.make_table(rows)})


@dg.op(ins={"partitions": dg.In(dg.Nothing)}, out=dg.Out(dg.Nothing))
def remove_leftovers(
    context: dg.OpExecutionContext,
    config: _Config,
    pipeline: dg.ResourceParam[pipelines.Pipeline],
) -> None:
    """Remove what Dagster and Celery never remove themselves."""
    with _cleanup(context, config, pipeline) as results:
        results += retention.remove_leftovers(pipeline, dry_run=config.dry_run)


@dg.op(out=dg.Out(dg.Nothing))
def purge_rejected_rows(
    context: dg.OpExecutionContext,
    config: _Config,
    pipeline: dg.ResourceParam[pipelines.Pipeline],
    limits: dg.ResourceParam[retention.Limits],
) -> None:
    """Delete the rejected rows of old uploads; their counts and reasons stay."""
    with _cleanup(context, config, pipeline) as results:
        results += retention.purge_rejected_rows(
            pipeline, limits, dry_run=config.dry_run
        )


@dg.op(out=dg.Out(dg.Nothing))
def erase_removed(
    context: dg.OpExecutionContext,
    config: _Config,
    pipeline: dg.ResourceParam[pipelines.Pipeline],
    limits: dg.ResourceParam[retention.Limits],
) -> None:
    """Erase what is left of people who were removed, and paused registrations."""
    with _cleanup(context, config, pipeline) as results:
        results += erasing.erase_removed(pipeline, limits, dry_run=config.dry_run)
        results += erasing.drop_drafts(pipeline, limits, dry_run=config.dry_run)


@dg.op(out=dg.Out(dg.Nothing))
def remove_files(
    context: dg.OpExecutionContext,
    config: _Config,
    pipeline: dg.ResourceParam[pipelines.Pipeline],
    limits: dg.ResourceParam[retention.Limits],
) -> None:
    """Remove old received files, and what interrupted runs have left behind."""
    with _cleanup(context, config, pipeline) as results:
        results += file_retention.remove_files(pipeline, limits, dry_run=config.dry_run)


@dg.op(out=dg.Out(dg.Nothing))
def clean_cases(
    context: dg.OpExecutionContext,
    config: _Config,
    pipeline: dg.ResourceParam[pipelines.Pipeline],
    limits: dg.ResourceParam[retention.Limits],
) -> None:
    """Erase the texts and names of old cases, and remove their files."""
    with _cleanup(context, config, pipeline) as results:
        results += case_retention.clean_cases(pipeline, limits, dry_run=config.dry_run)


@dg.config_mapping
def _same_for_all_ops(config: _Config) -> dict[str, Any]:
    ops = (
        remove_partitions,
        remove_leftovers,
        purge_rejected_rows,
        erase_removed,
        remove_files,
        clean_cases,
    )
    return {"ops": {op.name: {"config": config.model_dump()} for op in ops}}


@dg.job(
    name="retention",
    config=_same_for_all_ops,
    description=(
        "Keep Dagster's list of uploads short, and nothing for longer than the"
        " settings say. Without dry_run: false it only shows what it would do."
    ),
    tags={partitions.PRIORITY_TAG: str(_PRIORITY)},
)
def apply_retention() -> None:
    """Clean each place; a place that cannot be cleaned does not stop the others."""
    remove_leftovers(partitions=remove_partitions())
    purge_rejected_rows()
    erase_removed()
    remove_files()
    clean_cases()


@contextlib.contextmanager
def _cleanup(
    context: dg.OpExecutionContext,
    config: _Config,
    pipeline: pipelines.Pipeline,
) -> Iterator[list[retention.CleanupResult]]:
    """Enclose what an op removes; write its results to the audit, show them in the UI.

    The op adds its results to the list that it is given.  What could not be removed is
    in its log each night, and in one alert.
    """
    results: list[retention.CleanupResult] = []
    with failures.op_errors(context.retry_number):
        yield results
        retention.record(pipeline, results, run_id=context.run_id)
        for told in retention.report_kept(pipeline, results):
            context.log.warning(told)
    context.add_output_metadata(
        {
            "dry run": config.dry_run,
            "removed": sum(result.removed for result in results),
            "what": metadata.make_table(map(_describe_result, results)),
        }
    )


def _describe_result(result: retention.CleanupResult) -> dict[str, str | int]:
    shown = dataclasses.asdict(result)
    del shown["which"]
    return shown


def _result(what: str, rule: str, count: int, dry_run: bool) -> retention.CleanupResult:
    removed = 0 if dry_run else count
    return retention.CleanupResult(what=what, rule=rule, found=count, removed=removed)


def _remove_partitions(
    instance: dg.DagsterInstance,
    uploads: Iterable[retention.SettledUpload],
    log: logging.Logger,
    *,
    dry_run: bool,
) -> dict[retention.SettledUpload, int]:
    """Remove partitions with their runs and events, unless a run is unfinished.

    One that cannot be removed is reported in `log`, and tried again the next night.

    Returns:
        Each upload whose partition was removed, or would be in a dry run, to the
        number of its runs.
    """
    removed = {}
    for upload in uploads:
        tags = {partitions.PARTITION_TAG: upload.id}
        with failures.passed_over(log, f"The upload {upload.id}"):
            runs = instance.get_runs(dg.RunsFilter(tags=tags))
            if not all(run.is_finished for run in runs):
                continue
            if not dry_run:
                _delete_runs(instance, runs)
                # Last, so that the next night finds what an interruption has left.
                instance.delete_dynamic_partition(partitions.NAME, upload.id)
            removed[upload] = len(runs)
    return removed


def _remove_runs_of_no_partition(
    instance: dg.DagsterInstance, *, before: dt.datetime, dry_run: bool
) -> int:
    """Remove runs that ended before a moment; return how many they are."""
    existing = set(instance.get_dynamic_partitions(partitions.NAME))
    runs = [
        run
        for run in _list_ended_runs(instance, before)
        if partitions.get_upload_id(run) not in existing
    ]
    if not dry_run:
        _delete_runs(instance, runs)
    return len(runs)


def _list_ended_runs(
    instance: dg.DagsterInstance, before: dt.datetime
) -> Iterator[dg.DagsterRun]:
    unchanged = dg.RunsFilter(updated_before=before)
    cursor = None
    while page := instance.get_runs(unchanged, cursor=cursor, limit=_RUNS_BATCH):
        yield from (run for run in page if run.is_finished)
        cursor = page[-1].run_id


def _delete_runs(instance: dg.DagsterInstance, runs: Iterable[dg.DagsterRun]) -> None:
    for run in runs:
        instance.delete_run(run.run_id)


def _describe_partition(
    removed: tuple[retention.SettledUpload, int],
) -> dict[str, str | int]:
    upload, runs = removed
    return {
        "upload": upload.id,
        "provider": upload.provider or "unknown",
        "finished": f"{upload.finished_at:%Y-%m-%d %H:%M}",
        "runs": runs,
    }
