"""The job `retention`: what has finished long ago goes, from Dagster and from us.

Each op sweeps one place and shows a table of what it removed, or, in a dry run,
would remove.  What may go is `ingest.retention`; how Dagster lets go of it is
`removing`; when it happens is `schedules`.
"""

from typing import Any

import dagster as dg
import pydantic

from cvms_pipeline.defs import failures, partitions, removing, swept
from cvms_pipeline.ingest import pipeline as pipelines
from cvms_pipeline.ingest import retention as rules

PRIORITY = -20
"""After everything that somebody waits for."""


class Choice(dg.Config):
    """Whether anything is really removed."""

    dry_run: bool = pydantic.Field(
        default=True, description="Only count and show what would be removed."
    )


@dg.op(out=dg.Out(dg.Nothing))
def remove_partitions(
    context: dg.OpExecutionContext,
    config: Choice,
    pipeline: dg.ResourceParam[pipelines.Pipeline],
    limits: dg.ResourceParam[rules.Limits],
) -> None:
    """Remove the oldest finished uploads beyond the limit from Dagster, with runs."""
    dry_run = config.dry_run
    with failures.told_to_dagster(context.retry_number):
        live = removing.live(context.instance)
        uploads = rules.partitions_to_go(pipeline, live, limits)
        gone = removing.remove(
            context.instance,
            [upload.id for upload in uploads],
            runs_before=rules.runs_before(pipeline, limits),
            dry_run=dry_run,
        )
        found = swept.of_dagster(gone, live=len(live), limits=limits, dry_run=dry_run)
        rules.note(pipeline, found, run_id=context.run_id)
    context.add_output_metadata(
        {**swept.shown(found, dry_run=dry_run), **swept.which(gone, uploads)}
    )


@dg.op(ins={"partitions": dg.In(dg.Nothing)}, out=dg.Out(dg.Nothing))
def remove_leftovers(
    context: dg.OpExecutionContext,
    config: Choice,
    pipeline: dg.ResourceParam[pipelines.Pipeline],
) -> None:
    """Remove what Dagster and Celery never clear away themselves."""
    dry_run, name = config.dry_run, partitions.UPLOADS.name or ""
    with failures.told_to_dagster(context.retry_number):
        found = rules.remove_leftovers(pipeline, partitions=name, dry_run=dry_run)
        rules.note(pipeline, found, run_id=context.run_id)
    context.add_output_metadata(swept.shown(found, dry_run=dry_run))


@dg.op(out=dg.Out(dg.Nothing))
def purge_rejected_rows(
    context: dg.OpExecutionContext,
    config: Choice,
    pipeline: dg.ResourceParam[pipelines.Pipeline],
    limits: dg.ResourceParam[rules.Limits],
) -> None:
    """Forget the rejected rows of old uploads; their counts and reasons stay."""
    with failures.told_to_dagster(context.retry_number):
        found = rules.purge_rejected_rows(pipeline, limits, dry_run=config.dry_run)
        rules.note(pipeline, found, run_id=context.run_id)
    context.add_output_metadata(swept.shown(found, dry_run=config.dry_run))


@dg.op(out=dg.Out(dg.Nothing))
def remove_files(
    context: dg.OpExecutionContext,
    config: Choice,
    pipeline: dg.ResourceParam[pipelines.Pipeline],
    limits: dg.ResourceParam[rules.Limits],
) -> None:
    """Remove old received files, and what interrupted runs have left."""
    with failures.told_to_dagster(context.retry_number):
        found = rules.remove_files(pipeline, limits, dry_run=config.dry_run)
        rules.note(pipeline, found, run_id=context.run_id)
    context.add_output_metadata(swept.shown(found, dry_run=config.dry_run))


@dg.config_mapping
def _the_same_for_all(config: Choice) -> dict[str, Any]:
    each = {"config": {"dry_run": config.dry_run}}
    ops = (remove_partitions, remove_leftovers, purge_rejected_rows, remove_files)
    return {"ops": {op.name: each for op in ops}}


@dg.job(
    config=_the_same_for_all,
    description=(
        "Keep Dagster's list of uploads short, and nothing for longer than the"
        " settings say. Without `dry_run: false` it only shows what it would do."
    ),
    tags={partitions.PRIORITY_TAG: str(PRIORITY)},
)
def retention() -> None:
    """Sweep every place; one that fails does not keep the others from it."""
    remove_leftovers(partitions=remove_partitions())
    purge_rejected_rows()
    remove_files()
