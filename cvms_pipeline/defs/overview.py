"""The one look: today's uploads as tables, links and numbers of the Dagster UI.

File names and rows are not shown: they may hold what identifies a person.  A table
of the UI makes no links, and is as wide as half a window: what matters stands first,
links stand beside it, and what is long stands last.  The links are made of ids only,
for the UI renders what they hold.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence

import dagster as dg

from cvms_pipeline.ingest import standing
from cvms_pipeline.store import listing, uploads

_UPLOADS = dg.TableSchema(
    columns=[
        dg.TableColumn("UTC", "text", description="When it was received."),
        dg.TableColumn("provider", "text"),
        dg.TableColumn("rows", "integer"),
        dg.TableColumn("loaded", "integer"),
        dg.TableColumn("rejected", "integer"),
        dg.TableColumn("why", "text", description="Rows by reason, or the refusal."),
        dg.TableColumn("status", "text"),
        dg.TableColumn("upload", "text", description="The partition key."),
        dg.TableColumn("lane", "text", description="Low or high volume."),
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
                "rows",
                "loaded",
                "rejected",
                "refused",
                "failed",
                "waiting",
                "updated",
            )
        ),
    ]
)

_REASONS = dg.TableSchema(
    columns=[
        dg.TableColumn("rows", "integer", description="0 where a file was refused."),
        dg.TableColumn("uploads", "integer"),
        dg.TableColumn("why", "text", description="The code; see docs/reasons.md."),
    ]
)

_SHOWN_AT_ONCE = 1000
"""Characters of Markdown; the UI puts more than that behind a button."""
_AND_MORE = "* and {} more"


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
        "broken uploads": _table(map(_upload, stands.failed), _UPLOADS),
        "broken runs": _links(_runs(stands.failed, ui_url)),
        "by provider": _table(map(_provider, stands.providers), _PROVIDERS),
        "by reason": _table(map(_reason, stands.reasons), _REASONS),
        "error reports": _links(_reports(stands.latest, ui_url)),
        "latest uploads": _table(map(_upload, stands.latest), _UPLOADS),
    }


def why(upload: uploads.Upload) -> str:
    """Return the reasons of an upload's rejected rows with counts, or its refusal."""
    if upload.refusal is not None:
        return upload.refusal.code
    return ", ".join(
        f"{code}: {count}" for code, count in sorted(upload.reasons.items())
    )


def _upload(upload: uploads.Upload) -> dict[str, str | int]:
    return {
        "UTC": f"{upload.received_at:%H:%M}",
        "provider": upload.provider or "unknown",
        "rows": upload.rows,
        "loaded": upload.loaded,
        "rejected": upload.rejected,
        "why": why(upload),
        "status": upload.status.value.replace("_", " "),
        "upload": upload.id,
        "lane": upload.lane.value.removesuffix("_volume"),
        "updated": upload.updated,
    }


def _reports(found: Iterable[uploads.Upload], ui_url: str) -> list[str]:
    page = f"{ui_url}/assets/error_report?view=partitions&partition="
    return [f"[{each.id}]({page}{each.id})" for each in found if each.rejected]


def _runs(found: Iterable[uploads.Upload], ui_url: str) -> list[str]:
    return [
        f"[{each.id}]({ui_url}/runs/{each.run_id})" for each in found if each.run_id
    ]


def _links(links: Sequence[str]) -> dg.MetadataValue:
    """Return the first links, as many as are shown at once, and how many follow."""
    lines = [f"* {link}" for link in links]
    lengths = itertools.accumulate(len(line) + 1 for line in lines)
    shown = [
        line
        for line, length in zip(lines, lengths, strict=True)
        if length < _SHOWN_AT_ONCE - len(_AND_MORE)
    ]
    if len(shown) < len(lines):
        shown.append(_AND_MORE.format(len(lines) - len(shown)))
    return dg.MetadataValue.md("\n".join(shown) or "none")


def _provider(summary: listing.Summary) -> dict[str, str | int]:
    return {
        column.name: getattr(summary, column.name) or "unknown"
        if column.name == "provider"
        else int(getattr(summary, column.name))
        for column in _PROVIDERS.columns
    }


def _reason(told: listing.Told) -> dict[str, str | int]:
    return {"rows": int(told.rows), "uploads": told.uploads, "why": told.code}


def _sum(numbers: Iterable[int]) -> dg.MetadataValue:
    return dg.MetadataValue.int(int(sum(numbers)))


def _table(
    rows: Iterable[dict[str, str | int]], schema: dg.TableSchema
) -> dg.MetadataValue:
    return dg.MetadataValue.table([dg.TableRecord(row) for row in rows], schema)
