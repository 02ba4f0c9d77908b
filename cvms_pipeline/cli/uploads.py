"""The commands uploads, upload and report.

They change nothing; the audit records who reads an upload's rejected rows.  `check`
and `drop --wait` print rejected rows with functions of this module, too.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import rich.table
import rich.text
import typer

from cvms_pipeline.cli import chain, receipts, rejections, running, terminal
from cvms_pipeline.domain.vocabulary import refusal_codes
from cvms_pipeline.domain.vocabulary import upload as domain_upload

if TYPE_CHECKING:
    from cvms_pipeline.use_cases import history, pipelines

_Provider = Annotated[
    str | None, typer.Option("--provider", metavar="SLUG", help="Only its uploads.")
]
_UploadId = Annotated[str, typer.Argument(metavar="ID", help="The upload's id.")]


def uploads(
    provider: _Provider = None,
    status: Annotated[
        list[domain_upload.UploadStatus] | None,
        typer.Option("--status", help="Only with this status; may be repeated."),
    ] = None,
    since: terminal.Since = None,
    file: Annotated[
        str | None,
        typer.Option(
            "--file", metavar="NAME", help="Only file names that contain this."
        ),
    ] = None,
    limit: terminal.Limit = 20,
    json: terminal.Json = False,
) -> None:
    """List the latest uploads with their counts, the latest first.

    Example: cvms uploads --status failed --since 2025-03-15
    """
    from cvms_pipeline.use_cases import history

    with running.open_pipeline() as pipeline:
        found = history.list_uploads(
            pipeline,
            provider=provider,
            statuses=status or (),
            since=since and since.astimezone(),  # in the terminal's own time zone
            file_name=file,
            limit=limit,
        )
    if json:
        terminal.print_json([_summarise(item) for item in found])
    elif found:
        terminal.out().print(_make_table(found))
    elif provider or status or since or file:
        terminal.print_line("No such uploads.")
    else:
        terminal.print_line("No uploads yet. Drop a file: cvms drop --help")


def upload(
    upload_id: _UploadId,
    receipt: Annotated[
        str | None,
        typer.Option(
            "--receipt",
            metavar="CODE",
            help="Only say whether a printed receipt with this check code is genuine.",
        ),
    ] = None,
    json: terminal.Json = False,
) -> None:
    """Show one upload: its counts, and each rejected row with its reasons.

    Example: cvms upload 20250315-093012-k7m2p9xw
    """
    from cvms_pipeline.use_cases import history

    with running.open_pipeline() as pipeline:
        found = history.get_upload(pipeline, upload_id)
        if receipt is None:
            print_upload(pipeline, found, as_json=json)
        else:
            receipts.verify(pipeline, found, receipt, as_json=json)


def report(
    upload_id: _UploadId,
    path: terminal.OutputPath = terminal.STANDARD_OUTPUT,
    force: terminal.Force = False,
) -> None:
    """Write an upload's error report again.

    Example: cvms report 20250315-093012-k7m2p9xw BulkError.csv
    """
    from cvms_pipeline.use_cases import history

    with running.open_pipeline() as pipeline:
        found = history.get_upload(pipeline, upload_id)
        data = history.render_error_report(pipeline, found)
    terminal.write_file(path, data, force=force, name="The error report")


def print_upload(
    pipeline: "pipelines.Pipeline", found: "history.Upload", *, as_json: bool
) -> None:
    """Print one upload, what it led to, its rejected rows and refused invitations."""
    from cvms_pipeline.use_cases import history
    from cvms_pipeline.use_cases.provider_actions import outstanding

    rows = history.read_rejected_rows(pipeline, found)
    refused = history.list_refused_invitations(pipeline, found)
    relatives = outstanding.list_relatives(pipeline, found)
    extent = _describe_extent(pipeline, found)
    if as_json:
        chained = chain.chain_as_json(pipeline, found, relatives)
        likely = [dataclasses.asdict(each) for each in found.possible_duplicates]
        lists = {
            "rejections": rejections.as_json(rows),
            "possible_duplicates": likely,
            "refused_invitations": list(map(rejections.refusal_as_json, refused)),
        }
        terminal.print_json({**_summarise(found), **extent, **chained, **lists})
        return
    facts = _describe(found, extent, chain.describe_chain(found, relatives))
    terminal.out().print(terminal.make_facts(facts))
    if found.failure:
        terminal.print_line(describe_failure(found), "red")
    if found.refusal:
        terminal.print_line(f"Refused: {found.refusal.message}", "red")
    if len(rows):
        rejections.print_rows(rows, found.reasons)
        command = f"cvms report {found.id} BulkError.csv"
        terminal.print_line(f"As a file to correct: {command}", "dim")
    rejections.print_table(
        "Probably known already",
        [
            (each.line, rejections.describe_pair(each))
            for each in found.possible_duplicates
        ],
    )
    rejections.print_table(
        "Invitations refused",
        [(each.line, refusal_codes.describe_refusal(each.error)) for each in refused],
    )


def describe_failure(found: "history.Upload") -> str:
    """Return what has failed in the last run, or why a step is tried again."""
    step = f" in the step {found.failed_step}" if found.failed_step else ""
    what = "Failed" if found.has_failed else "Being retried"
    return f"{what}{step}: {found.failure}"


def _describe_extent(
    pipeline: "pipelines.Pipeline", found: "history.Upload"
) -> dict[str, Any]:
    """Return what there is of an upload beside its counts, as JSON."""
    from cvms_pipeline.use_cases import history

    report, run = (
        history.find_error_report(pipeline, found),
        found.failed_run or found.run_id,
    )
    counts = history.count_invitations(pipeline, found)
    return {
        "bytes": found.size,
        "sha256": found.sha256,
        "encoding": found.encoding,
        "delimiter": found.delimiter,
        "delayed_at": found.delayed_at,
        "report": None if report is None else str(report),
        "run": run and f"{pipeline.ui_url}/runs/{run}",
        "invitations": {status.value: count for status, count in counts.items()},
    }


def _summarise(found: "history.Upload") -> dict[str, Any]:
    from cvms_pipeline.use_cases import history

    rows, rejected = history.count_rows(found)
    return {
        "id": found.id,
        "provider": found.provider,
        "lane": found.lane.value,
        "file_name": found.file_name,
        "status": found.status.value,
        "refusal": found.refusal and dataclasses.asdict(found.refusal),
        "rows": rows,
        "loaded": found.loaded,
        "updated": found.updated,
        "rejected": rejected,
        "passwords_set": found.passwords_set,
        "registered": found.registered,
        "reasons": dict(found.reasons),
        "sent_from": found.sent_from.value,
        "sent_by": found.sent_by,
        "received_at": found.received_at,
        "finished_at": found.finished_at,
        "failed_step": found.failed_step,
        "failure": found.failure,
    }


def _describe(
    found: "history.Upload",
    extent: Mapping[str, Any],
    chained: Sequence[tuple[str, Any]],
) -> list[tuple[str, Any]]:
    from cvms_pipeline.use_cases import history

    rows, rejected = history.count_rows(found)
    waited = found.finished_at and (found.finished_at - found.received_at)
    invited = ", ".join(f"{n:,} {state}" for state, n in extent["invitations"].items())
    pairs = [
        ("Upload", found.id),
        ("Provider", found.provider or f"{found.folder} (unknown or disabled)"),
        ("Lane", found.lane),
        ("File", found.file_name),
        ("Sent from", _describe_way(found)),
        ("Bytes", found.size and f"{found.size:,}"),
        ("SHA-256", found.sha256),
        ("Encoding", found.encoding),
        ("Status", terminal.format_status(found.status)),
        ("Rows in file", terminal.show_count(rows)),
        ("Loaded", f"{found.loaded:,}"),
        ("of which updated", f"{found.updated:,}"),
        ("Rejected", terminal.show_count(rejected)),
        *chained,
        *_describe_purge(found),
        ("Received", terminal.format_moment(found.received_at)),
        ("Said to be delayed", terminal.format_moment(found.delayed_at)),
        ("Finished", terminal.format_moment(found.finished_at)),
        ("Seconds", waited and f"{waited.total_seconds():.1f}"),
        ("Error report", extent["report"]),
        ("Invitations", invited),
        ("Passwords set", found.passwords_set and f"{found.passwords_set:,}"),
        ("Registered", found.registered and f"{found.registered:,}"),
        ("Run", extent["run"]),
    ]
    return [(name, value) for name, value in pairs if value]


def _describe_way(found: "history.Upload") -> str:
    """Return how an upload came, and which account of the portal has sent it."""
    way = found.sent_from.replace("_", " ")
    return f"{way}, by the account {found.sent_by}" if found.sent_by else way


def _describe_purge(found: "history.Upload") -> list[tuple[str, Any]]:
    """Return the counts by reason, if the rejected rows themselves were purged."""
    if found.purged_at is None:
        return []
    counts = (f"{code} {count:,}" for code, count in found.reasons.items())
    return [
        ("Reasons", ", ".join(counts)),
        ("Rows purged", terminal.format_moment(found.purged_at)),
    ]


def _make_table(found: "Sequence[history.Upload]") -> rich.table.Table:
    from cvms_pipeline.use_cases import history

    table = terminal.make_table(
        "Upload", "Status", "Rows", "Loaded", "Updated", "Rejected"
    )
    for item in found:
        provider = item.provider or f"{item.folder} (unknown)"
        rows, rejected = history.count_rows(item)
        counts = (rows, item.loaded, item.updated, rejected)
        source = f"{provider} · {item.lane.removesuffix('_volume')} · {item.file_name}"
        table.add_row(
            _append(terminal.join_lines(item.id, source), item),
            terminal.format_status(item.status),
            *map(terminal.format_count, counts),
        )
    return table


def _append(cell: rich.text.Text, found: "history.Upload") -> rich.text.Text:
    """Return the cell with what has failed, on a line of its own."""
    if found.failure:
        cell.append("\n")
        cell.append_text(terminal.escape(describe_failure(found), "red"))
    return cell
