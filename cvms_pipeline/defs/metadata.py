"""What the Dagster UI shows of uploads: numbers and links, never a row's value.

Keys that the UI knows by name (`dagster/...`) follow Dagster's conventions; the
others are numbers where possible, so that the UI plots them over time.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import dagster as dg

from cvms_pipeline.domain.reporting import outcome
from cvms_pipeline.domain.sheets import sheet
from cvms_pipeline.domain.text import display
from cvms_pipeline.domain.vocabulary import columns, likeness, reasons
from cvms_pipeline.use_cases import deliver, funnel, history, publish

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

_MAX_PAIRS = 1_000
"""How many pairs of possible duplicates are listed."""

_MAX_PLOTTED = 20
"""How many providers have plots of their own: those with the most rows."""

_DESCRIPTIONS = {
    "UTC": "When it was received.",
    "why": "Rows by reason, or the refusal; see docs/reasons.md.",
    "upload": "The partition key; see `cvms upload`.",
    "lane": "Low or high volume.",
    "rule": "Why it is removed.",
    "found": "How many the rule applies to.",
    "removed": "None in a dry run.",
}
"""What the UI shows beside the name of a column of a table."""


def describe_outcome(
    result: outcome.Outcome, seconds: float, *, is_withdrawn: bool = False
) -> Mapping[str, Any]:
    """Return an outcome's numbers, one of them for each reason that occurred."""
    return {
        **({"withdrawn": "yes"} if is_withdrawn else {}),
        "dagster/partition_row_count": 0 if is_withdrawn else result.loaded,
        "rows in file": show_count(result.rows_in_file),
        "loaded": result.loaded,
        "updated": result.updated,
        "rejected": show_count(result.rows_failed),
        **{f"rejected: {code}": n for code, n in sorted(result.reasons.items())},
        "share rejected": compute_rejected_percent(result),
        "refused": get_refusal_code(result.refusal),
        "seconds": round(seconds, 3),
    }


def show_count(count: int | None) -> int | str:
    """Return a count for the UI; one that is not known is a dash, and never 0."""
    return display.UNKNOWN if count is None else count


def compute_rejected_percent(result: outcome.Outcome) -> float:
    """Return the rejected rows in percent of the rows in the file."""
    return round(100 * result.rejected / result.rows, 2) if result.rows else 0.0


def get_refusal_code(refusal: reasons.Refusal | None) -> str:
    """Return the code of a refusal, or `no`."""
    return refusal.code if refusal is not None else "no"


def describe_upload(received: history.Upload) -> Mapping[str, Any]:
    """Return facts of an upload, without its file name, which may name a person."""
    return {
        "provider": received.provider or "unknown",
        "lane": received.lane.value,
        "bytes": received.size or 0,
        "sha256": received.sha256 or "not read",
        "received": dg.MetadataValue.timestamp(received.received_at),
        "refused at the claim": received.claim_refusal or "no",
        "same bytes as": received.parent_upload or "none before",
    }


def describe_sheet(current: sheet.Sheet) -> Mapping[str, Any]:
    """Return how many rows a sheet has, and how many of them a step has rejected."""
    return {
        "rows in file": len(current.cells),
        "rejected so far": current.rejections["line"].nunique(),
        "to be loaded": len(current.plan),
        "encoding": current.encoding or "unknown",
        "refused": get_refusal_code(current.refusal),
    }


def describe_report(published: publish.Published) -> Mapping[str, Any]:
    """Return how many rows the error report has, and where it is kept."""
    report: str | dg.MetadataValue = "none needed"
    if published.purged_at is not None:
        report = f"gone: its rows were purged on {published.purged_at:%Y-%m-%d}"
    elif published.path is not None:
        report = dg.MetadataValue.path(published.path)
    return {
        "dagster/partition_row_count": published.rows,
        "error report": report,
        "beside the drop": published.is_in_results,
    }


def describe_delivery(delivered: deliver.Delivered) -> Mapping[str, Any]:
    """Return how many messages were sent, and how many never will be."""
    return {"sent": delivered.sent, "refused by the mail server": delivered.refused}


def describe_possible_duplicates(
    found: Sequence[likeness.PossibleDuplicate],
) -> Mapping[str, Any]:
    """Return how many rows resemble other people, and the uploads and lines of both."""
    return {
        "rows": len({each.line for each in found}),
        "lines": make_table(
            {
                "line": each.line,
                "likeness": each.likeness.value,
                "of upload": each.upload or "the same",
                "of line": each.other_line,
                "of provider": "the same" if each.is_own else "another",
            }
            for each in found[:_MAX_PAIRS]
        ),
    }


def make_table(rows: Iterable[Mapping[str, str | int]]) -> dg.MetadataValue:
    """Return rows with the same columns as a table, or the text that there are none."""
    records = [dg.TableRecord(dict(row)) for row in rows]
    if not records:
        return dg.MetadataValue.text("none")
    schema = [
        dg.TableColumn(
            name,
            "integer" if isinstance(value, int) else "text",
            description=_DESCRIPTIONS.get(name),
        )
        for name, value in records[0].data.items()
    ]
    return dg.MetadataValue.table(records, dg.TableSchema(schema))


def describe_numbers(state: history.Overview) -> Mapping[str, float]:
    """Return the numbers that the UI plots: of the day, and of its providers."""
    rows, rejected = sum_providers(state, "rows"), sum_providers(state, "rejected")
    numbers: dict[str, float] = {
        "uploads a day": sum_providers(state, "uploads"),
        "rows a day": rows,
        "rejected percent": compute_percent(rejected, rows),
    }
    busiest = sorted(state.providers, key=lambda each: each.rows, reverse=True)
    for each in busiest[:_MAX_PLOTTED]:
        slug = each.provider or "unknown"
        numbers[f"rows: {slug}"] = int(each.rows)
        numbers[f"rejected percent: {slug}"] = compute_percent(each.rejected, each.rows)
        if each.seconds_to_notice is not None:
            name = f"seconds from drop to notice: {slug}"
            numbers[name] = round(float(each.seconds_to_notice), 2)
    return numbers


def sum_providers(state: history.Overview | funnel.Funnel, name: str) -> int:
    """Return the sum of a count over the providers of the day."""
    return sum(int(getattr(summary, name)) for summary in state.providers)


def compute_percent(part: float, whole: float) -> float:
    """Return a part in percent of the whole; 0 of nothing."""
    return round(100 * float(part) / float(whole), 2) if whole else 0.0
