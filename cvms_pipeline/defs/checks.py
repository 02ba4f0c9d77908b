"""What must hold of an upload, as Dagster's asset checks.

A provider's mistake shows here as a red or yellow check of a successful run; only
a line that is not accounted for stops the run.
"""

import warnings
from collections.abc import Iterator

import dagster as dg

from cvms_pipeline.defs import failures, metadata, partitions
from cvms_pipeline.domain import outcome
from cvms_pipeline.ingest import pipeline as pipelines
from cvms_pipeline.ingest import standing

ACCOUNTED_FOR = "every_line_accounted_for"
READABLE = "file_readable"
SHARE_REJECTED = "share_of_rejected_rows"
NONE_FAILED = "no_upload_failed"


def _of_upload(
    name: str, description: str, *, blocking: bool = False
) -> dg.AssetCheckSpec:
    """Return a check with a result for each upload.

    Without partitions the UI shows the last result only, and none where uploads
    overlap: it takes the materialization of one for the check of another.  Dagster
    calls that argument a preview; its version is pinned, and a test looks.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return dg.AssetCheckSpec(
            name,
            asset="recipients",
            description=description,
            blocking=blocking,
            partitions_def=partitions.UPLOADS,
        )


OF_RECIPIENTS: list[dg.AssetCheckSpec] = [
    _of_upload(
        ACCOUNTED_FOR,
        "Rows stored as loaded and rows stored as rejected are all rows.",
        blocking=True,
    ),
    _of_upload(READABLE, "The file as a whole could be taken; else its code is shown."),
    _of_upload(SHARE_REJECTED, "Warns when more rows were rejected than is usual."),
]


def results(
    result: outcome.Outcome, *, accounted_for: int, warning_percent: float
) -> Iterator[dg.AssetCheckResult]:
    """Yield what the checks of `recipients` say of an outcome.

    Args:
        result: What was published.
        accounted_for: The lines that the store holds an explanation of.
        warning_percent: Above this share of rejected rows the check warns.
    """
    yield dg.AssetCheckResult(
        check_name=ACCOUNTED_FOR,
        passed=accounted_for == result.rows,
        metadata={"rows in file": result.rows, "accounted for": accounted_for},
    )
    yield dg.AssetCheckResult(
        check_name=READABLE,
        passed=result.refusal is None,
        metadata={"refused": metadata.refusal_code(result)},
    )
    share = metadata.share_rejected(result)
    yield dg.AssetCheckResult(
        check_name=SHARE_REJECTED,
        passed=share <= warning_percent,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"percent rejected": share, "warning above": warning_percent},
    )


@dg.asset_check(
    asset=dg.AssetKey("upload"),
    name=NONE_FAILED,
    description="Stays red while the last run of any upload has failed.",
)
def no_upload_failed(
    pipeline: dg.ResourceParam[pipelines.Pipeline],
) -> dg.AssetCheckResult:
    """Look for uploads whose last run has failed."""
    with failures.told_to_dagster(failures.MOST_RETRIES):
        failed = standing.failed_uploads(pipeline)
    return dg.AssetCheckResult(passed=not failed, metadata=which_failed(failed))


def which_failed(upload_ids: list[str]) -> dict[str, dg.MetadataValue]:
    """Return what the standing check shows of the uploads that have failed."""
    return {
        "failed uploads": dg.MetadataValue.int(len(upload_ids)),
        "upload ids": dg.MetadataValue.text(", ".join(upload_ids) or "none"),
    }


ALL = [no_upload_failed]
