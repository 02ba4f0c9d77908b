"""What must be true of an upload, as Dagster's asset checks.

A mistake of a provider is a red or yellow check of a successful run; only a line that
is not accounted for stops the run.
"""

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from cvms_pipeline.defs import failures, metadata, partitions
from cvms_pipeline.domain.reporting import outcome
from cvms_pipeline.use_cases import history, pipelines

NO_UPLOAD_FAILED = "no_upload_failed"
NO_UPLOAD_REFUSED = "no_upload_refused"


def _recipient_check(
    name: str, description: str, *, is_blocking: bool = False
) -> dg.AssetCheckSpec:
    """Return a check of `recipients` with a state for each upload.

    Without partitions the UI shows one state for all uploads, and none where their
    runs overlap.
    """
    # Dagster calls the partitions of a check a preview, which may change without
    # notice.  Its version is pinned, and `test_defs_check_states.py` queries what the
    # UI queries.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return dg.AssetCheckSpec(
            name,
            asset="recipients",
            description=description,
            blocking=is_blocking,
            partitions_def=partitions.UPLOADS,
        )


RECIPIENT_CHECKS = [
    _recipient_check(
        "every_line_accounted_for",
        "Rows stored as loaded and rows stored as rejected are all rows.",
        is_blocking=True,
    ),
    _recipient_check(
        "file_readable", "The file was not refused as a whole; else the code is shown."
    ),
    _recipient_check(
        "share_of_rejected_rows", "Warns when more rows were rejected than is usual."
    ),
    _recipient_check(
        "possible_duplicates",
        "Warns when loaded people are probably known already, and lists their lines.",
    ),
]


def check_outcome(
    result: outcome.Outcome, *, accounted_for: int, warning_percent: float
) -> Iterator[dg.AssetCheckResult]:
    """Yield the results of the checks of `recipients` for an outcome.

    `accounted_for` is the number of lines that the store explains.
    """
    yield dg.AssetCheckResult(
        check_name="every_line_accounted_for",
        passed=accounted_for == result.rows,
        metadata={"rows in file": result.rows, "accounted for": accounted_for},
    )
    yield dg.AssetCheckResult(
        check_name="file_readable",
        passed=result.refusal is None,
        metadata={"refused": metadata.get_refusal_code(result.refusal)},
    )
    percent = metadata.compute_rejected_percent(result)
    yield dg.AssetCheckResult(
        check_name="share_of_rejected_rows",
        passed=percent <= warning_percent,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"percent rejected": percent, "warning above": warning_percent},
    )
    yield dg.AssetCheckResult(
        check_name="possible_duplicates",
        passed=not result.possible_duplicates,
        severity=dg.AssetCheckSeverity.WARN,
        metadata=metadata.describe_possible_duplicates(result.possible_duplicates),
    )


TODAY_CHECKS = [
    dg.AssetCheckSpec(
        NO_UPLOAD_FAILED,
        asset="todays_uploads",
        description="Stays red while the last run of any upload has failed.",
    ),
    dg.AssetCheckSpec(
        NO_UPLOAD_REFUSED,
        asset="todays_uploads",
        description=(
            "Warns when a file of the day was refused as a whole: its provider was told"
            " and has to send it again."
        ),
    ),
]


@dg.multi_asset_check(name="todays_checks", specs=TODAY_CHECKS, can_subset=True)
def check_todays_uploads(
    context: dg.AssetCheckExecutionContext,
    pipeline: dg.ResourceParam[pipelines.Pipeline],
) -> Iterator[dg.AssetCheckResult]:
    """Check what the sensor overview checks when something has changed."""
    with failures.sensor_errors():
        state = history.read_overview(pipeline)
    selected = {key.name for key in context.selected_asset_check_keys}
    yield from (each for each in check_day(state) if each.check_name in selected)


def check_day(state: history.Overview) -> Iterator[dg.AssetCheckResult]:
    """Yield the results of the checks of `todays_uploads`."""
    failed = [upload.id for upload in state.failed]
    refused = [upload.id for upload in state.refused]
    yield dg.AssetCheckResult(
        check_name=NO_UPLOAD_FAILED, passed=not failed, metadata=_describe(failed)
    )
    yield dg.AssetCheckResult(
        check_name=NO_UPLOAD_REFUSED,
        passed=not refused,
        severity=dg.AssetCheckSeverity.WARN,
        metadata=_describe(refused),
    )


def _describe(upload_ids: Sequence[str]) -> dict[str, Any]:
    return {"uploads": len(upload_ids), "upload ids": ", ".join(upload_ids) or "none"}
