"""The commands template, check and drop, about files on the user's own disk.

The use cases have the rules; this module opens the files and prints the outcomes.
"""

import contextlib
import dataclasses
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import rich.text
import typer

from cvms_pipeline import errors
from cvms_pipeline.cli import rejections, running, terminal, uploads
from cvms_pipeline.domain.text import display
from cvms_pipeline.domain.vocabulary import upload

if TYPE_CHECKING:
    from cvms_pipeline.settings import loading
    from cvms_pipeline.use_cases import check as file_check
    from cvms_pipeline.use_cases import drop as file_drop
    from cvms_pipeline.use_cases import history

_EXIT_CODES = {
    upload.UploadStatus.COMPLETED: 0,
    upload.UploadStatus.COMPLETED_WITH_ERRORS: 1,
    upload.UploadStatus.REFUSED: 2,
}
"""The exit codes of `cvms check` and `cvms drop --wait`."""

_UNREADABLE = 2
"""The exit code of `cvms check` for a file that cannot be read."""

_NO_OUTCOME = 3
"""The exit code of `cvms drop --wait` if the upload failed or took too long."""

_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}


def template(
    path: terminal.OutputPath = terminal.STANDARD_OUTPUT,
    force: terminal.Force = False,
) -> None:
    """Write the empty template: a CSV that has only the header.

    Example: cvms template staff.csv
    """
    from cvms_pipeline.domain.vocabulary import columns

    header = ",".join(columns.TEMPLATE_HEADER) + "\r\n"
    terminal.write_file(path, header.encode(), force=force, name="The template")


def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The CSV to check.")],
    lane: Annotated[
        upload.Lane | None,
        typer.Option("--lane", help="Default: the smallest lane that takes the file."),
    ] = None,
    json: terminal.Json = False,
) -> None:
    """Show what would happen to a file; nothing is loaded or sent.

    Needs no database; if one is running, recipients loaded before are found, too.
    Exit code 0: all rows are good; 1: some are rejected; 2: the file is refused,
    or cannot be read.

    Example: cvms check staff.csv
    """
    from cvms_pipeline.settings import loading

    with terminal.exit_on_error(_UNREADABLE):
        chosen = loading.load()
        data = terminal.read_file(file, max_bytes=chosen.processing.max_bytes)
        checked = _check(data, lane, chosen)
        if json:
            terminal.print_json(_checked_as_json(file, checked))
        else:
            _print_checked(file, checked)
    raise typer.Exit(_EXIT_CODES[checked.outcome.status])


def _check(
    data: bytes | None, lane: upload.Lane | None, chosen: "loading.Settings"
) -> "file_check.CheckedFile":
    """Return what would happen to a file; use the database if it is available."""
    from cvms_pipeline import bootstrap
    from cvms_pipeline.settings import loading
    from cvms_pipeline.use_cases import check as file_check

    if running.is_database_available(chosen):
        with (
            contextlib.suppress(errors.CvmsError, OSError),
            bootstrap.open_pipeline(chosen, actor=running.get_actor()) as pipeline,
        ):
            return file_check.check_file(pipeline, data, lane=lane)
    today = loading.now().astimezone(chosen.processing.timezone).date()
    return file_check.check_alone(
        data, lane=lane, today=today, max_bytes=chosen.processing.max_bytes
    )


def _checked_as_json(file: Path, checked: "file_check.CheckedFile") -> dict[str, Any]:
    planned, outcome = checked.planned, checked.outcome
    return {
        "file": display.make_storable(str(file)),
        "lane": checked.lane.value,
        "status": "refused" if outcome.refusal else "accepted",
        "refusal": outcome.refusal and dataclasses.asdict(outcome.refusal),
        "encoding": planned.encoding,
        "delimiter": planned.delimiter,
        "rows": outcome.rows_in_file,
        "loadable": outcome.loaded,
        "rejected": outcome.rows_failed,
        "ignored_columns": list(planned.ignored_columns),
        **({"remarks": list(planned.remarks)} if planned.remarks else {}),
        "rejections": rejections.as_json(checked.rejected_rows),
    }


def _print_checked(file: Path, checked: "file_check.CheckedFile") -> None:
    outcome = checked.outcome
    if outcome.refusal:
        terminal.print_line(f"{file} would be refused:", "bold red")
        terminal.print_line(outcome.refusal.message)
        rows = terminal.show_count(outcome.rows_in_file)
        terminal.print_line(f"Rows in file: {rows}")
        return
    terminal.out().print(terminal.make_facts(_describe_checked(file, checked)))
    for remark in checked.planned.remarks:
        terminal.print_line(remark)
    rejections.print_rows(checked.rejected_rows, outcome.reasons)
    if not outcome.rejected:
        terminal.print_line("Every row is good.", "green")
    command = shlex.join(["cvms", "drop", str(file), "--provider"])
    terminal.print_line(
        f"It goes into the lane {checked.lane}, or with: {command} SLUG", "dim"
    )


def _describe_checked(
    file: Path, checked: "file_check.CheckedFile"
) -> list[tuple[str, Any]]:
    planned, outcome = checked.planned, checked.outcome
    with_store = "looked for in the file and among the recipients loaded before"
    without_store = "looked for in the file only: no database answers"
    ignored = ", ".join(planned.ignored_columns)
    delimiter = planned.delimiter or ","
    return [
        ("File", file),
        ("Lane", f"{checked.lane}, for up to {checked.lane.max_rows:,} rows"),
        ("Read as", f"{planned.encoding}, {_DELIMITERS.get(delimiter, delimiter)}"),
        *([("Ignored columns", ignored)] if ignored else []),
        ("Rows in file", f"{outcome.rows:,}"),
        ("Would load", f"{outcome.loaded:,}"),
        ("Rejected", f"{outcome.rejected:,}"),
        ("Duplicates", with_store if checked.is_store_searched else without_store),
    ]


def drop(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The CSV to upload.")],
    provider: Annotated[
        str, typer.Option("--provider", metavar="SLUG", help="Whose upload it is.")
    ],
    lane: Annotated[
        upload.Lane | None,
        typer.Option(
            "--lane",
            help="Up to 100 rows, or up to 5,000. Default: the smallest that takes the"
            " file.",
        ),
    ] = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Follow it and print the outcome.")
    ] = False,
    timeout: Annotated[
        float, typer.Option(min=0, help="Wait at most this many seconds.")
    ] = 600,
    json: terminal.Json = False,
) -> None:
    """Put a file into a provider's incoming folder, whole or not at all.

    With --wait the exit code is 0: completed; 1: some rows were rejected; 2: the
    file was refused; 3: the upload failed, or took too long.

    Example: cvms drop staff.csv --provider mercy --wait
    """
    from cvms_pipeline.settings import loading
    from cvms_pipeline.use_cases import drop as file_drop

    with terminal.exit_on_error(_NO_OUTCOME if wait else terminal.FAILED):
        terminal.check_readable(file)
        chosen = loading.load()
        request = file_drop.Request(
            source=file,
            file_name=file.name,
            provider=provider,
            lane=lane or _choose_lane(file, chosen),
        )
        if wait:
            raise typer.Exit(_drop_and_wait(request, chosen, timeout, as_json=json))
        _drop(request, chosen, as_json=json)


def _choose_lane(file: Path, chosen: "loading.Settings") -> upload.Lane:
    from cvms_pipeline.use_cases import drop as file_drop

    with terminal.explain_os_errors("read", file):
        lane = file_drop.choose_lane(file, max_bytes=chosen.processing.max_bytes)
    terminal.print_note(f"The lane is {lane}, for up to {lane.max_rows:,} rows.")
    return lane


def _drop(
    request: "file_drop.Request", chosen: "loading.Settings", *, as_json: bool
) -> None:
    """Drop the file and print where it was put.

    Raises:
        ProviderUnknown, ProviderDisabled: If the database is available and says so.
            Without it, only the provider's folders are checked.
    """
    from cvms_pipeline import bootstrap
    from cvms_pipeline.use_cases import drop as file_drop

    if running.is_database_available(chosen):
        away = (bootstrap.DatabaseUnreachable, bootstrap.DatabaseOutdated, OSError)
        with contextlib.suppress(*away), running.open_pipeline(chosen) as pipeline:
            file_drop.check_enabled(pipeline, request.provider)
    dropped = file_drop.put_file(bootstrap.create_folders(chosen), request)
    _print_new_name(dropped)
    if as_json:
        terminal.print_json(_dropped_as_json(dropped))
    else:
        terminal.print_line(f"Dropped as {dropped.path}")


def _drop_and_wait(
    request: "file_drop.Request",
    chosen: "loading.Settings",
    seconds: float,
    *,
    as_json: bool,
) -> int:
    """Drop the file, follow its upload, print the outcome; return the exit code."""
    from cvms_pipeline.use_cases import drop as file_drop

    running.check_running(chosen)
    with running.open_pipeline(chosen) as pipeline:
        dropped = file_drop.drop_file(pipeline, request)
        _print_new_name(dropped)
        with terminal.err().status("Waiting until the file is taken in …") as progress:
            ended = file_drop.wait_for_outcome(
                pipeline,
                dropped,
                seconds=seconds,
                report_progress=lambda each: progress.update(_describe(each)),
            )
        uploads.print_upload(pipeline, ended, as_json=as_json)
    return _EXIT_CODES.get(ended.status, _NO_OUTCOME)


def _describe(found: "history.Upload") -> rich.text.Text:
    why = f" {uploads.describe_failure(found)}" if found.failure else ""
    return terminal.escape(f"Upload {found.id}: {found.status.value} …{why}")


def _print_new_name(dropped: "file_drop.Dropped") -> None:
    explanation = dropped.explain_name()
    if explanation:
        terminal.print_note(explanation)


def _dropped_as_json(dropped: "file_drop.Dropped") -> dict[str, str]:
    return {
        "path": display.make_storable(str(dropped.path)),
        "file_name": display.make_storable(dropped.path.name),
        "provider": dropped.request.provider,
        "lane": dropped.request.lane.value,
        "sha256": dropped.sha256,
    }
