"""What the Dagster UI shows of an upload: numbers and links, never a row's value.

Keys that the UI knows by name (`dagster/...`) follow Dagster's conventions; the
others are numbers, so that the UI plots them over time.
"""

from collections.abc import Mapping

import dagster as dg

from cvms_pipeline.domain import columns, outcome, sheet
from cvms_pipeline.ingest import deliver, publish
from cvms_pipeline.store import uploads

RECIPIENTS_TABLE = "cvms.recipients"

RECIPIENT_SCHEMA = dg.TableSchema(
    columns=[
        dg.TableColumn("first_name", "text", description="As cleaned; required."),
        dg.TableColumn("last_name", "text", description="As cleaned; required."),
        dg.TableColumn("birth_date", "date", description="Required."),
        dg.TableColumn("email", "text", description="Where the invitation goes."),
        dg.TableColumn("username", "text", description="Unique; made from the e-mail."),
        dg.TableColumn("provider", "text", description="Who loaded the recipient."),
        dg.TableColumn("upload", "text", description="The upload that loaded it."),
        dg.TableColumn("line", "integer", description="The row of that upload."),
    ],
    constraints=dg.TableConstraints(
        other=["UNIQUE (match key): first name, last name and date of birth"]
    ),
)

REPORT_SCHEMA = dg.TableSchema(
    columns=[dg.TableColumn(name, "text") for name in columns.REPORT_HEADER]
)


def of_outcome(
    result: outcome.Outcome, seconds: float
) -> Mapping[str, dg.MetadataValue]:
    """Return an outcome's numbers, one of them for each reason that occurred."""
    return {
        "dagster/partition_row_count": dg.MetadataValue.int(result.loaded),
        "rows in file": dg.MetadataValue.int(result.rows),
        "loaded": dg.MetadataValue.int(result.loaded),
        "updated": dg.MetadataValue.int(result.updated),
        "rejected": dg.MetadataValue.int(result.rejected),
        "share rejected": dg.MetadataValue.float(share_rejected(result)),
        "refused": dg.MetadataValue.text(refusal_code(result)),
        "seconds": dg.MetadataValue.float(round(seconds, 3)),
        **{
            f"rejected: {code}": dg.MetadataValue.int(count)
            for code, count in sorted(result.reasons.items())
        },
    }


def share_rejected(result: outcome.Outcome) -> float:
    """Return the rejected rows in percent of the rows in the file."""
    return round(100 * result.rejected / result.rows, 2) if result.rows else 0.0


def refusal_code(result: outcome.Outcome) -> str:
    """Return the code of the refusal, or `no`."""
    return result.refusal.code if result.refusal else "no"


def of_upload(received: uploads.Upload) -> Mapping[str, dg.MetadataValue]:
    """Return whose upload it is and how large; its file name may name a person."""
    return {
        "provider": dg.MetadataValue.text(received.provider or "unknown"),
        "lane": dg.MetadataValue.text(received.lane.value),
        "bytes": dg.MetadataValue.int(received.size or 0),
        "sha256": dg.MetadataValue.text(received.sha256 or "not read"),
        "received": dg.MetadataValue.timestamp(received.received_at),
        "refused at the claim": dg.MetadataValue.text(received.claim_refusal or "no"),
        "same bytes as": dg.MetadataValue.text(received.parent_upload or "none before"),
    }


def of_sheet(judged: sheet.Sheet) -> Mapping[str, dg.MetadataValue]:
    """Return how many rows a sheet holds and how many are rejected so far."""
    return {
        "rows in file": dg.MetadataValue.int(len(judged.cells)),
        "rejected so far": dg.MetadataValue.int(judged.rejections["line"].nunique()),
        "to be loaded": dg.MetadataValue.int(len(judged.plan)),
        "encoding": dg.MetadataValue.text(judged.encoding or "unknown"),
        "refused": dg.MetadataValue.text(
            judged.refusal.code if judged.refusal else "no"
        ),
    }


def of_report(published: publish.Published) -> Mapping[str, dg.MetadataValue]:
    """Return how long the error report is and where we keep it."""
    return {
        "dagster/partition_row_count": dg.MetadataValue.int(published.rows),
        "error report": _where_report_is(published),
        "beside the drop": dg.MetadataValue.bool(published.is_beside_drop),
    }


def _where_report_is(published: publish.Published) -> dg.MetadataValue:
    if published.purged_at is not None:
        day = f"{published.purged_at:%Y-%m-%d}"
        return dg.MetadataValue.text(f"gone: its rows were purged on {day}")
    if published.path is None:
        return dg.MetadataValue.text("none needed")
    return dg.MetadataValue.path(published.path)


def of_delivery(delivered: deliver.Delivered) -> Mapping[str, dg.MetadataValue]:
    """Return how many messages went out, and how many never will."""
    return {
        "sent": dg.MetadataValue.int(delivered.sent),
        "refused by the mail server": dg.MetadataValue.int(delivered.refused),
    }
