"""The one look: today's uploads as tables and numbers of the Dagster UI.

File names and rows are not shown: they may hold what identifies a person.
"""

from collections.abc import Iterable, Mapping

import dagster as dg

from cvms_pipeline.ingest import standing
from cvms_pipeline.store import listing, uploads

_UPLOADS = dg.TableSchema(
    columns=[
        dg.TableColumn("at", "text", description="Received, UTC."),
        dg.TableColumn("provider", "text"),
        dg.TableColumn("rows", "integer"),
        dg.TableColumn("loaded", "integer"),
        dg.TableColumn("rejected", "integer"),
        dg.TableColumn("why", "text", description="Rows by reason, or the refusal."),
        dg.TableColumn("status", "text"),
        dg.TableColumn("upload", "text", description="The partition key."),
        dg.TableColumn("report", "text", description="Where its report is shown."),
        dg.TableColumn("lane", "text"),
        dg.TableColumn("updated", "integer"),
    ]
)

_PROVIDERS = dg.TableSchema(
    columns=[
        dg.TableColumn("provider", "text"),
        *(
            dg.TableColumn(name, "integer")
            for name in (
                "uploads",
                "refused",
                "failed",
                "waiting",
                "rows",
                "loaded",
                "updated",
                "rejected",
            )
        ),
    ]
)


def of_day(stands: standing.Standing, *, ui_url: str) -> Mapping[str, dg.MetadataValue]:
    """Return the day's tables, and its sums as numbers that can be plotted."""
    return {
        "day": dg.MetadataValue.text(stands.day.isoformat()),
        "uploads": _sum(each.uploads for each in stands.providers),
        "rows": _sum(each.rows for each in stands.providers),
        "loaded": _sum(each.loaded for each in stands.providers),
        "rejected": _sum(each.rejected for each in stands.providers),
        "waiting": _sum(each.waiting for each in stands.providers),
        "broken now": dg.MetadataValue.int(len(stands.failed)),
        "by provider": _table(map(_provider, stands.providers), _PROVIDERS),
        "latest uploads": _table(
            (_upload(each, ui_url) for each in stands.latest), _UPLOADS
        ),
        "broken uploads": _table(
            (_upload(each, ui_url) for each in stands.failed), _UPLOADS
        ),
    }


def why(upload: uploads.Upload) -> str:
    """Return the reasons of an upload's rejected rows with counts, or its refusal."""
    if upload.refusal is not None:
        return upload.refusal.code
    return ", ".join(
        f"{code}: {count}" for code, count in sorted(upload.reasons.items())
    )


def _upload(upload: uploads.Upload, ui_url: str) -> dict[str, str | int]:
    report = f"{ui_url}/assets/error_report?partition={upload.id}"
    return {
        "at": f"{upload.received_at:%H:%M:%S}",
        "provider": upload.provider or "unknown",
        "rows": upload.rows,
        "loaded": upload.loaded,
        "rejected": upload.rejected,
        "why": why(upload),
        "status": upload.status.value,
        "upload": upload.id,
        "report": report if upload.rejected else "none needed",
        "lane": upload.lane.value,
        "updated": upload.updated,
    }


def _provider(summary: listing.Summary) -> dict[str, str | int]:
    return {
        column.name: getattr(summary, column.name) or "unknown"
        if column.name == "provider"
        else int(getattr(summary, column.name))
        for column in _PROVIDERS.columns
    }


def _sum(numbers: Iterable[int]) -> dg.MetadataValue:
    return dg.MetadataValue.int(int(sum(numbers)))


def _table(
    rows: Iterable[dict[str, str | int]], schema: dg.TableSchema
) -> dg.MetadataValue:
    return dg.MetadataValue.table([dg.TableRecord(row) for row in rows], schema)
