"""What the UI shows of a night's retention: tables of what went, or would have gone."""

from collections.abc import Mapping, Sequence

import dagster as dg

from cvms_pipeline.defs import removing
from cvms_pipeline.ingest import retention
from cvms_pipeline.store import retention as stored

MOST_SHOWN = 100

_SWEPT = dg.TableSchema(
    columns=[
        dg.TableColumn("what", "text"),
        dg.TableColumn("rule", "text", description="What makes it go."),
        dg.TableColumn("found", "integer", description="How many were to go."),
        dg.TableColumn("removed", "integer", description="None in a dry run."),
    ]
)

_PARTITIONS = dg.TableSchema(
    columns=[
        dg.TableColumn("upload", "text", description="See `cvms upload`."),
        dg.TableColumn("provider", "text"),
        dg.TableColumn("finished", "text"),
        dg.TableColumn("runs", "integer"),
    ]
)


def shown(
    swept: Sequence[retention.Swept], *, dry_run: bool
) -> Mapping[str, dg.MetadataValue]:
    """Return what an op has swept as a table, and its sum to be plotted."""
    rows = [
        dg.TableRecord(
            {
                "what": each.what,
                "rule": each.rule,
                "found": each.found,
                "removed": each.removed,
            }
        )
        for each in swept
    ]
    return {
        "dry run": dg.MetadataValue.bool(dry_run),
        "removed": dg.MetadataValue.int(sum(each.removed for each in swept)),
        "what": dg.MetadataValue.table(rows, _SWEPT),
    }


def of_dagster(
    gone: removing.Gone, *, live: int, limits: retention.Limits, dry_run: bool
) -> Sequence[retention.Swept]:
    """Return what was removed from Dagster, of `live` partitions that there were."""
    beyond = f"beyond {limits.live_partitions} of {live}, oldest finished first"
    of_these = sum(each.runs for each in gone.partitions)
    counts = [
        ("Partitions", beyond, len(gone.partitions)),
        ("Runs of these", beyond, of_these),
        ("Runs of no upload shown", f"ended {limits.run_days} days ago", gone.runs),
    ]
    return [
        retention.Swept(
            what=what, rule=rule, found=count, removed=0 if dry_run else count
        )
        for what, rule, count in counts
    ]


def which(
    gone: removing.Gone, uploads: Sequence[stored.DoneWith]
) -> Mapping[str, dg.MetadataValue]:
    """Return the first of the removed partitions as a table."""
    facts = {upload.id: upload for upload in uploads}
    rows = [
        dg.TableRecord(
            {
                "upload": each.key,
                "provider": facts[each.key].provider or "unknown",
                "finished": f"{facts[each.key].finished_at:%Y-%m-%d %H:%M}",
                "runs": each.runs,
            }
        )
        for each in gone.partitions[:MOST_SHOWN]
    ]
    return {"the oldest of them": dg.MetadataValue.table(rows, _PARTITIONS)}
