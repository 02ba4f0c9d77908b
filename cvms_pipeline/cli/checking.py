"""`cvms check`: what would become of a file, and how that is told.

The rules are `ingest.judge`'s; here is what a file on the user's own disk needs
before them, and the two ways of showing the outcome.
"""

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rich.text

from cvms_pipeline import errors, opening
from cvms_pipeline import settings as settings_
from cvms_pipeline.cli import access, local_files, rejects, terminal
from cvms_pipeline.domain import outcome as outcomes
from cvms_pipeline.domain import reading, reasons, report, sheet, upload
from cvms_pipeline.ingest import judge

ALL_GOOD, SOME_REJECTED, REFUSED = 0, 1, 2
"""The exit codes (DESIGN 9)."""

_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What would become of a file.

    Attributes:
        file: The path as it was given.
        lane: The lane that was given, else the smallest that takes the file.
        judged: Its rows, duplicates looked for.
        is_store_asked: Whether for recipients loaded before, too.
    """

    file: Path
    lane: upload.Lane
    judged: sheet.Sheet
    is_store_asked: bool

    @property
    def exit_code(self) -> int:
        """Return the exit code that says the outcome."""
        if self.judged.refusal:
            return REFUSED
        return ALL_GOOD if self.judged.rejections.empty else SOME_REJECTED


def check(
    file: Path, lane: upload.Lane | None, settings: settings_.Settings
) -> Checked:
    """Return what would become of `file`.

    Raises:
        FileUnusable: If it cannot be read.
    """
    data = local_files.read(file, max_bytes=settings.max_bytes)
    if data is None:
        refused = reading.empty_sheet(reasons.refusal(reasons.NOT_A_FILE))
        return _checked(file, lane or upload.Lane.LOW_VOLUME, refused)
    for tried in (lane,) if lane else upload.Lane:
        checked = _checked(file, tried, _judge(data, tried, settings))
        refusal = checked.judged.refusal
        if refusal is None or refusal.code != reasons.TOO_MANY_ROWS:
            break
    return checked if checked.judged.refusal else _with_store(data, checked, settings)


def _checked(file: Path, lane: upload.Lane, judged: sheet.Sheet) -> Checked:
    return Checked(file=file, lane=lane, judged=judged, is_store_asked=False)


def _judge(
    data: bytes, lane: upload.Lane, settings: settings_.Settings, **store: Any
) -> sheet.Sheet:
    today = settings_.now().astimezone(settings.timezone).date()
    return judge.check(
        data, lane=lane, today=today, max_bytes=settings.max_bytes, **store
    )


def _with_store(data: bytes, checked: Checked, settings: settings_.Settings) -> Checked:
    """Return the file judged with the store if that is at hand, else as it was."""
    if access.is_at_hand(settings):
        with (
            contextlib.suppress(errors.CvmsError, OSError),
            opening.open_pipeline(settings) as pipeline,
        ):
            judged = _judge(data, checked.lane, settings, pipeline=pipeline)
            return Checked(
                file=checked.file,
                lane=checked.lane,
                judged=judged,
                is_store_asked=True,
            )
    return checked


def as_json(checked: Checked) -> dict[str, Any]:
    """Return what DESIGN 9 says `check --json` prints."""
    judged, ended = checked.judged, outcomes.of(checked.judged)
    return {
        "file": rejects.storable(str(checked.file)),
        "lane": checked.lane.value,
        "status": "refused" if ended.refusal else "accepted",
        "refusal": rejects.refusal_as_json(ended.refusal),
        "encoding": judged.encoding,
        "delimiter": judged.delimiter,
        "rows": ended.rows,
        "loadable": ended.loaded,
        "rejected": ended.rejected,
        "ignored_columns": list(judged.ignored_columns),
        "rejections": rejects.as_json(_rejected(judged)),
    }


def _rejected(judged: sheet.Sheet) -> rejects.Rejected:
    by_line = judged.rejections.drop_duplicates(["line", "code"]).groupby("line")
    messages = report.messages(judged.rejections)
    codes = by_line["code"].agg(list).reindex(messages.index)
    return rejects.Rejected(
        lines=messages.index.tolist(), codes=codes.tolist(), messages=messages.tolist()
    )


def show(checked: Checked) -> None:
    """Print the outcome for a person: the numbers, the lines, what to do."""
    judged, ended = checked.judged, outcomes.of(checked.judged)
    out = terminal.out()
    if ended.refusal:
        out.print(terminal.plain(f"{checked.file} would be refused:", "bold red"))
        out.print(terminal.plain(ended.refusal.message))
        return
    out.print(terminal.facts(_facts(checked, ended)))
    rejects.show(out, _rejected(judged), ended.reasons)
    if not ended.rejected:
        out.print(rich.text.Text("Every row is good.", style="green"))


def _facts(checked: Checked, ended: outcomes.Outcome) -> list[tuple[str, Any]]:
    judged = checked.judged
    asked = "looked for in the file and among the recipients loaded before"
    not_asked = "looked for in the file only: no database answers"
    ignored = ", ".join(judged.ignored_columns)
    return [
        ("File", checked.file),
        ("Lane", checked.lane),
        ("Read as", f"{judged.encoding}, {_DELIMITERS[judged.delimiter or ',']}"),
        *([("Ignored columns", ignored)] if ignored else []),
        ("Rows in file", f"{ended.rows:,}"),
        ("Would load", f"{ended.loaded:,}"),
        ("Rejected", f"{ended.rejected:,}"),
        ("Duplicates", asked if checked.is_store_asked else not_asked),
    ]
