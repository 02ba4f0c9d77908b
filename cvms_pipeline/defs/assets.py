"""The assets, one partition for each upload, and the ops that make `recipients`.

Each step calls one use case and shows its numbers; no rule about recipients is here.
"""

import contextlib
import datetime as dt
import time
from collections.abc import Iterator
from typing import Any

import dagster as dg

from cvms_pipeline import errors
from cvms_pipeline.defs import checks, failures, metadata, partitions, recovery
from cvms_pipeline.domain.sheets import sheet
from cvms_pipeline.use_cases import deliver, pipelines, process, publish

_FILE_REMOVED = (
    "The received file was removed by `retention`, so its rows are not read again."
    " Its outcome stays as it was recorded; nothing is loaded or sent again."
)

_WITHDRAWN = (
    "The upload was withdrawn, so nothing of it is loaded or sent again. Its counts are"
    " those that were recorded before."
)

upload = dg.AssetSpec(
    "upload",
    description=(
        "A file as a provider dropped it: claimed from the incoming folder and kept"
        " unchanged in the archive. The sensor incoming_uploads reports it."
    ),
    partitions_def=partitions.UPLOADS,
    freshness_policy=dg.FreshnessPolicy.time_window(
        # Longer than a long weekend without any file, of whatever provider.
        warn_window=dt.timedelta(days=4),
        fail_window=dt.timedelta(days=8),
    ),
    kinds={"csv"},
)


@contextlib.contextmanager
def _upload_step(
    context: dg.OpExecutionContext | dg.AssetExecutionContext,
    pipeline: pipelines.Pipeline,
) -> Iterator[str]:
    """Enclose what a step does for an upload; yield the id of the upload.

    A re-run is in the audit before any of its steps changes anything.
    """
    run = context.run
    with failures.op_errors(context.retry_number):
        process.record_rerun(
            pipeline,
            context.partition_key,
            run_id=run.run_id,
            earlier_run=run.parent_run_id,
        )
        with _noted_retries(context, pipeline):
            yield context.partition_key


@contextlib.contextmanager
def _noted_retries(
    context: dg.OpExecutionContext | dg.AssetExecutionContext,
    pipeline: pipelines.Pipeline,
) -> Iterator[None]:
    """Record why the step is about to be tried again: with the run and the upload."""
    try:
        yield
    except errors.TransientError as error:
        context.log.warning(f"This step is retried. {error}")
        step = recovery.get_step_name(context.get_step_execution_context().step.key)
        process.note_retry(
            pipeline, context.partition_key, step=step or "", error=error
        )
        raise


@dg.op(ins={"upload": dg.In(dg.Nothing)}, out=dg.Out(io_manager_key="sheets"))
def read_rows(
    context: dg.OpExecutionContext, pipeline: dg.ResourceParam[pipelines.Pipeline]
) -> sheet.Sheet:
    """Read the archived bytes into rows with line numbers, or a refusal."""
    with _upload_step(context, pipeline) as upload_id:
        read = process.read_rows(pipeline, upload_id, context.run_id)
    if read.is_file_removed:
        context.log.warning(_FILE_REMOVED)
    context.add_output_metadata(metadata.describe_sheet(read.sheet))
    return read.sheet


@dg.op(out=dg.Out(io_manager_key="sheets"))
def validate_rows(
    context: dg.OpExecutionContext,
    read: sheet.Sheet,
    pipeline: dg.ResourceParam[pipelines.Pipeline],
) -> sheet.Sheet:
    """Find every reason of every row with the pandera schema."""
    with _upload_step(context, pipeline) as upload_id:
        validated = process.validate_rows(pipeline, upload_id, read)
    context.add_output_metadata(metadata.describe_sheet(validated))
    return validated


@dg.op(out=dg.Out(io_manager_key="sheets"))
def find_duplicates(
    context: dg.OpExecutionContext,
    validated: sheet.Sheet,
    pipeline: dg.ResourceParam[pipelines.Pipeline],
) -> sheet.Sheet:
    """Find rows of the same person, inside the file and in the store."""
    with _upload_step(context, pipeline) as upload_id:
        planned = process.find_duplicates(pipeline, upload_id, validated)
    context.add_output_metadata(metadata.describe_sheet(planned))
    return planned


@dg.op(
    out={
        "result": dg.Out(dg.Nothing),
        **{spec.name: dg.Out(dg.Nothing) for spec in checks.RECIPIENT_CHECKS},
    }
)
def upsert_recipients(
    context: dg.OpExecutionContext,
    planned: sheet.Sheet,
    pipeline: dg.ResourceParam[pipelines.Pipeline],
) -> Iterator[dg.Output[None] | dg.AssetCheckResult]:
    """Load the good rows and explain the others, all in one transaction."""
    started = time.monotonic()
    with _upload_step(context, pipeline) as upload_id:
        loaded = process.load(pipeline, upload_id, planned)
    if loaded.is_withdrawn:
        context.log.warning(_WITHDRAWN)
    numbers = metadata.describe_outcome(
        loaded.outcome, time.monotonic() - started, is_withdrawn=loaded.is_withdrawn
    )
    # The materialization comes first: Dagster takes a check result to be about the
    # newest materialization of the partition, and as outdated when another follows.
    yield dg.Output(None, "result", metadata=numbers)
    yield from checks.check_outcome(
        loaded.outcome,
        accounted_for=loaded.accounted_for,
        warning_percent=pipeline.rejected_warning_percent,
    )


@dg.graph_asset(
    ins={"upload": dg.AssetIn(upload.key, dagster_type=dg.Nothing)},
    partitions_def=partitions.UPLOADS,
    check_specs=checks.RECIPIENT_CHECKS,
    description=(
        "The people of an upload in the table cvms.recipients: good rows loaded, an"
        " e-mail corrected by its own provider updated, every other row stored with its"
        " reasons. Running it again changes nothing."
    ),
    metadata={
        "dagster/column_schema": metadata.RECIPIENT_SCHEMA,
        "dagster/table_name": "cvms.recipients",
    },
    kinds={"python", "pandas", "postgres"},
)
def recipients(upload: None) -> dict[str, Any]:
    """Read, validate, match and load the rows of one upload."""
    result, *check_outputs = upsert_recipients(
        find_duplicates(validate_rows(read_rows(upload)))
    )
    names = [f"recipients_{spec.name}" for spec in checks.RECIPIENT_CHECKS]
    return {"result": result, **dict(zip(names, check_outputs, strict=True))}


@dg.asset(
    deps=[recipients],
    partitions_def=partitions.UPLOADS,
    metadata={"dagster/column_schema": metadata.REPORT_SCHEMA},
    kinds={"csv"},
)
def error_report(
    context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[pipelines.Pipeline]
) -> dg.MaterializeResult[None]:
    """BulkError.csv: the rejected rows with what is wrong and how to correct it.

    It is written to the reports folder and, with a receipt, to the provider's results
    folder; only the receipt is written when no row was rejected.
    """
    with _upload_step(context, pipeline) as upload_id:
        published = publish.publish(pipeline, upload_id)
    return dg.MaterializeResult(metadata=metadata.describe_report(published))


@dg.asset(
    deps=[error_report],
    partitions_def=partitions.UPLOADS,
    output_required=False,
    kinds={"email"},
)
def provider_notice(
    context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[pipelines.Pipeline]
) -> Iterator[dg.MaterializeResult[None]]:
    """The message that tells the provider the outcome, with the error report.

    While the mail server is away or slow, the notice waits in the outbox, the partition
    stays missing, and the sensor waiting_messages requests the job send_notice: no run
    that loads an upload waits for a server of which that is known.
    """
    is_loading = not partitions.is_message_run(context.run)
    with _upload_step(context, pipeline) as upload_id:
        delivery = deliver.send_notice(pipeline, upload_id, if_fast=is_loading)
    yield from _materialize_if_sent(context, delivery)


@dg.asset(
    deps=[recipients],
    partitions_def=partitions.UPLOADS,
    output_required=False,
    kinds={"email"},
)
def recipient_invitations(
    context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[pipelines.Pipeline]
) -> Iterator[dg.MaterializeResult[None]]:
    """One welcome message for each recipient that the upload loaded or corrected.

    The sensor waiting_messages requests them. The partition of an upload that has
    loaded and corrected nobody stays missing: there is nothing to send.
    """
    with _upload_step(context, pipeline) as upload_id:
        delivery = deliver.send_invitations(pipeline, upload_id)
    yield from _materialize_if_sent(context, delivery)


def _materialize_if_sent(
    context: dg.AssetExecutionContext, delivery: deliver.Delivered
) -> Iterator[dg.MaterializeResult[None]]:
    """Log what was sent; materialize the asset only if no message waits any more."""
    context.log.info(f"Messages: {delivery.describe()}")
    if not delivery.waiting:
        yield dg.MaterializeResult(metadata=metadata.describe_delivery(delivery))


@dg.asset(kinds={"email"})
def data_ops_alerts(
    context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[pipelines.Pipeline]
) -> dg.MaterializeResult[None]:
    """The messages that belong to no single upload.

    To data-ops: a run has failed, a folder belongs to no provider. To providers: once a
    day, which invitations mail servers have refused; and which uploads take very long.
    To owners of accounts, requesters and recipients: links, cases, registrations.
    """
    with failures.op_errors(context.retry_number):
        sent = deliver.send_alerts(pipeline)
    return dg.MaterializeResult(metadata={"sent": sent})


todays_uploads = dg.AssetSpec(
    "todays_uploads",
    deps=[
        dg.AssetDep(asset, partition_mapping=dg.AllPartitionMapping())
        for asset in (recipients, error_report, provider_notice)
    ],
    description=(
        "What came in today. An upload leads to its run, its rejected rows to their"
        " report."
    ),
    partitions_def=partitions.DAYS,
    freshness_policy=dg.FreshnessPolicy.time_window(
        # The sensor reports it every hour, and when something has changed.
        warn_window=dt.timedelta(hours=2),
        fail_window=dt.timedelta(hours=4),
    ),
    kinds={"table"},
)


recipient_funnel = dg.AssetSpec(
    "recipient_funnel",
    deps=[
        dg.AssetDep(asset, partition_mapping=dg.AllPartitionMapping())
        for asset in (recipients, recipient_invitations)
    ],
    description=(
        "How many recipients were loaded, invited, have set a password and have"
        " registered, of all providers and of each. Numbers only."
    ),
    partitions_def=partitions.DAYS,
    freshness_policy=dg.FreshnessPolicy.time_window(
        # The sensor reports it every hour, and when a number has changed much.
        warn_window=dt.timedelta(hours=2),
        fail_window=dt.timedelta(hours=4),
    ),
    kinds={"table"},
)


def build_assets() -> list[Any]:
    """Return all assets, each with its group and the team that they have in common."""
    groups: dict[str, list[Any]] = {
        "bulk_upload": [
            *(upload, recipients, error_report, provider_notice),
            recipient_invitations,
        ],
        "operations": [todays_uploads, recipient_funnel, data_ops_alerts],
    }
    return [
        asset
        for group, members in groups.items()
        for asset in _complete(members, group_name=group, owners=["team:data-ops"])
    ]


def _complete(members: list[Any], **common: Any) -> list[Any]:
    return list(
        dg.map_asset_specs(lambda spec: spec.replace_attributes(**common), members)
    )
