"""The assets, one partition per upload, and the ops that make `recipients`.

Each op calls one use case of `ingest` and shows its numbers; no rule about
recipients stands here.
"""

import time
from collections.abc import Iterator
from typing import Any

import dagster as dg

from cvms_pipeline.defs import checks, failures, metadata, partitions
from cvms_pipeline.domain import sheet
from cvms_pipeline.ingest import deliver, judge, load, publish
from cvms_pipeline.ingest import pipeline as pipelines

DATA_OPS = "team:data-ops"
GROUP = "bulk_upload"
UPLOAD_KEY = dg.AssetKey("upload")
TODAY_KEY = dg.AssetKey("todays_uploads")

_FORGOTTEN = (
    "The received file was removed by `retention`, so its rows are not read again."
    " What was decided then stands; nothing is loaded or sent anew."
)

upload = dg.AssetSpec(
    UPLOAD_KEY,
    description=(
        "A file as a provider dropped it: claimed from the incoming folder and kept"
        " unchanged in the archive. The sensor `incoming_uploads` reports it."
    ),
    partitions_def=partitions.UPLOADS,
    group_name=GROUP,
    owners=[DATA_OPS],
    kinds={"csv"},
)


@dg.op(ins={"upload": dg.In(dg.Nothing)}, out=dg.Out(io_manager_key="sheets"))
def read_rows(
    context: dg.OpExecutionContext, pipeline: dg.ResourceParam[pipelines.Pipeline]
) -> sheet.Sheet:
    """Read the archived bytes into rows with line numbers, or a refusal."""
    with failures.told_to_dagster(context.retry_number):
        read = judge.read_rows(pipeline, context.partition_key, context.run_id)
        is_forgotten = judge.is_forgotten(pipeline, context.partition_key)
    if is_forgotten:
        context.log.warning(_FORGOTTEN)
    context.add_output_metadata(metadata.of_sheet(read))
    return read


@dg.op(out=dg.Out(io_manager_key="sheets"))
def validate_rows(
    context: dg.OpExecutionContext,
    read: sheet.Sheet,
    pipeline: dg.ResourceParam[pipelines.Pipeline],
) -> sheet.Sheet:
    """Find every reason of every row with the pandera schema."""
    with failures.told_to_dagster(context.retry_number):
        judged = judge.validate_rows(pipeline, context.partition_key, read)
    context.add_output_metadata(metadata.of_sheet(judged))
    return judged


@dg.op(out=dg.Out(io_manager_key="sheets"))
def find_duplicates(
    context: dg.OpExecutionContext,
    judged: sheet.Sheet,
    pipeline: dg.ResourceParam[pipelines.Pipeline],
) -> sheet.Sheet:
    """Find rows of the same person, inside the file and in the store."""
    with failures.told_to_dagster(context.retry_number):
        decided = judge.find_duplicates(pipeline, context.partition_key, judged)
    context.add_output_metadata(metadata.of_sheet(decided))
    return decided


@dg.op(
    out={
        "result": dg.Out(dg.Nothing),
        **{spec.name: dg.Out(dg.Nothing) for spec in checks.OF_RECIPIENTS},
    }
)
def upsert_recipients(
    context: dg.OpExecutionContext,
    decided: sheet.Sheet,
    pipeline: dg.ResourceParam[pipelines.Pipeline],
) -> Iterator[Any]:
    """Load the good rows and explain the others, all in one transaction."""
    started = time.monotonic()
    with failures.told_to_dagster(context.retry_number):
        loaded = load.load(pipeline, context.partition_key, decided)
    context.add_output_metadata(
        metadata.of_outcome(loaded.outcome, time.monotonic() - started),
        output_name="result",
    )
    yield from checks.results(
        loaded.outcome,
        accounted_for=loaded.accounted_for,
        warning_percent=pipeline.rejected_warning_percent,
    )
    yield dg.Output(None, "result")


@dg.graph_asset(
    ins={"upload": dg.AssetIn(UPLOAD_KEY, dagster_type=dg.Nothing)},
    partitions_def=partitions.UPLOADS,
    check_specs=checks.OF_RECIPIENTS,
    description=(
        "The people of an upload in `cvms.recipients`: good rows loaded, an e-mail"
        " corrected by its own provider updated, every other row stored with its"
        " reasons. Running it again changes nothing."
    ),
    metadata={
        "dagster/column_schema": metadata.RECIPIENT_SCHEMA,
        "dagster/table_name": metadata.RECIPIENTS_TABLE,
    },
    group_name=GROUP,
    owners=[DATA_OPS],
    kinds={"python", "pandas", "postgres"},
)
def recipients(upload: None) -> dict[str, Any]:
    """Read, validate, match and load the rows of one upload."""
    results = upsert_recipients(find_duplicates(validate_rows(read_rows(upload))))
    return {
        "result": results[0],
        **{
            f"recipients_{spec.name}": output
            for spec, output in zip(checks.OF_RECIPIENTS, results[1:], strict=True)
        },
    }


@dg.asset(
    deps=[recipients],
    partitions_def=partitions.UPLOADS,
    metadata={"dagster/column_schema": metadata.REPORT_SCHEMA},
    group_name=GROUP,
    owners=[DATA_OPS],
    kinds={"csv"},
)
def error_report(
    context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[pipelines.Pipeline]
) -> dg.MaterializeResult[None]:
    """`BulkError.csv`: the rejected rows with what is wrong and how to mend it.

    Written to the reports folder and, with a receipt, to the provider's results
    folder; only the receipt when no row was rejected.
    """
    with failures.told_to_dagster(context.op_execution_context.retry_number):
        published = publish.publish(pipeline, context.partition_key)
    return dg.MaterializeResult(metadata=metadata.of_report(published))


@dg.asset(
    deps=[error_report],
    partitions_def=partitions.UPLOADS,
    output_required=False,
    group_name=GROUP,
    owners=[DATA_OPS],
    kinds={"email"},
)
def provider_notice(
    context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[pipelines.Pipeline]
) -> Iterator[dg.MaterializeResult[None]]:
    """The message that tells the provider the outcome, with the error report.

    While the mail server is away the notice waits in the outbox, this asset stays
    unmaterialised, and the sensor `waiting_messages` asks for it again.
    """
    with failures.told_to_dagster(context.op_execution_context.retry_number):
        delivery = deliver.notice(pipeline, context.partition_key)
        nobody_to_invite = deliver.has_no_invitations(pipeline, context.partition_key)
    context.log.info(f"Notices: {delivery.in_words}")
    if nobody_to_invite:
        context.log_event(_no_invitations(context.partition_key))
    if not delivery.waiting:
        yield dg.MaterializeResult(metadata=metadata.of_delivery(delivery))


def _no_invitations(upload_id: str) -> dg.AssetMaterialization:
    """Return what shows that an upload which loaded nobody lacks no invitation."""
    return dg.AssetMaterialization(
        asset_key="recipient_invitations", partition=upload_id, metadata={"sent": 0}
    )


@dg.asset(
    deps=[recipients],
    partitions_def=partitions.UPLOADS,
    output_required=False,
    group_name=GROUP,
    owners=[DATA_OPS],
    kinds={"email"},
)
def recipient_invitations(
    context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[pipelines.Pipeline]
) -> Iterator[dg.MaterializeResult[None]]:
    """One welcome message for each recipient that the upload loaded."""
    with failures.told_to_dagster(context.op_execution_context.retry_number):
        delivery = deliver.invitations(pipeline, context.partition_key)
    context.log.info(f"Invitations: {delivery.in_words}")
    if not delivery.waiting:
        yield dg.MaterializeResult(metadata=metadata.of_delivery(delivery))


@dg.asset(group_name=GROUP, owners=[DATA_OPS], kinds={"email"})
def data_ops_alerts(
    context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[pipelines.Pipeline]
) -> dg.MaterializeResult[None]:
    """The messages to data-ops: a run has failed, a folder belongs to no provider."""
    with failures.told_to_dagster(context.op_execution_context.retry_number):
        sent = deliver.alerts(pipeline)
    return dg.MaterializeResult(metadata={"sent": dg.MetadataValue.int(sent)})


todays_uploads = dg.AssetSpec(
    TODAY_KEY,
    deps=[recipients, error_report, provider_notice],
    description=(
        "What came in today, from whom, how many rows were loaded and rejected and"
        " why, what is broken now, and where each upload and its report is. The"
        " sensor `overview` reports it when something has changed."
    ),
    group_name=GROUP,
    owners=[DATA_OPS],
    kinds={"table"},
)

ALL: list[dg.AssetSpec | dg.AssetsDefinition] = [
    upload,
    recipients,
    error_report,
    provider_notice,
    recipient_invitations,
    data_ops_alerts,
    todays_uploads,
]
