"""`cvms demo`: the pipeline at work on the sample files, for everybody to see.

What the samples are is `samples`, how they are played is `playing`; here is what
surrounds them and how they are shown.
"""

import shlex
import time
from pathlib import Path

import rich.live
import rich.table
import rich.text

from cvms_pipeline import settings as settings_
from cvms_pipeline.cli import (
    access,
    following,
    invented,
    playing,
    running,
    samples,
    terminal,
)
from cvms_pipeline.domain import upload
from cvms_pipeline.files import disk, incoming

_PATIENCE_SECONDS = 300
_MARKS = {True: ("✓", "green"), False: ("✗", "bold red")}


def run(settings: settings_.Settings, *, leave: bool) -> int:
    """Play the samples; return 0 only if every outcome is the expected one.

    In a pipeline that runs already, else in one of its own, which stops at the end
    (`leave`) or at Ctrl-C.
    """
    outcomes: list[bool] = []

    def ready(addresses: running.Addresses) -> bool:
        running.show(settings, addresses)
        outcomes.append(_play(settings))
        if not leave:
            terminal.out().print("\nEverything keeps running; Ctrl-C stops it.")
        return leave

    if following.is_up(settings):
        terminal.print_note("`cvms up` is running already; the samples go there.")
        outcomes.append(_play(settings))
    else:
        running.run(settings, ready)
    if not outcomes:
        return terminal.INTERRUPTED
    return 0 if all(outcomes) else 1


def _play(settings: settings_.Settings) -> bool:
    """Play the samples; return whether every outcome was the expected one."""
    out = terminal.out()
    deadline = time.monotonic() + _PATIENCE_SECONDS
    out.print(
        "From the drop to the notice, with what each file is expected to come to:"
    )
    with access.opened(settings) as store:
        play = playing.begin(settings, store, invented.edition(settings_.now()))
        with rich.live.Live(console=out, auto_refresh=False) as live:
            while not play.is_over and time.monotonic() < deadline:
                play.step()
                live.update(table(play), refresh=True)
                time.sleep(following.POLL_SECONDS)
    if not play.is_over:
        seconds = f"{_PATIENCE_SECONDS} seconds"
        terminal.print_error(
            f"Not all samples were finished after {seconds}; see `cvms uploads` and"
            f" the logs in {settings.data / 'logs'}"
        )
    _show_where_to_look(settings)
    return play.is_as_expected


def table(play: playing.Play) -> rich.table.Table:
    """Return the samples as far as they have come."""
    counts = ("Rows", "Loaded", "Updated", "Rejected")
    made = terminal.table("File", "Status", *counts, "OK", "Sec.")
    for turn in play.turns:
        made.add_row(*_cells(turn))
    return made


def _cells(turn: playing.Turn) -> list[rich.text.Text | str]:
    sample, found = turn.sample, turn.upload
    where = f"{sample.provider}/{sample.lane.removesuffix('_volume')}"
    first = terminal.two_lines(sample.file_name, where)
    if found is None:
        state = "dropped" if turn.dropped else "later"
        return [first, rich.text.Text(state, style="dim")]
    counts = (found.rows, found.loaded, found.updated, found.rejected)
    mark, style = _MARKS[turn.is_as_expected]
    return [
        first,
        terminal.status(found.status),
        *map(terminal.count, counts),
        rich.text.Text(mark, style=style) if turn.is_over else "",
        f"{turn.seconds:.1f}" if turn.seconds is not None else "",
    ]


def _show_where_to_look(settings: settings_.Settings) -> None:
    folder = write_samples(settings)
    provider = settings.folder("incoming") / samples.HOSPITAL
    all_good = terminal.place(folder / samples.ALL_GOOD)
    lane = f"{terminal.place(provider / upload.Lane.LOW_VOLUME)}/"
    every_reason = terminal.place(folder / samples.EVERY_REASON)
    todays = f"{settings.ui_url}/assets/todays_uploads"
    out = terminal.out()
    out.print(rich.text.Text("\nWhere to look", style="bold"))
    for what, where in (
        ("Today's uploads, with rows, reasons and reports", todays),
        ("Every message", running.mail_place(settings)),
        ("What a provider gets", terminal.place(provider / incoming.RESULTS)),
        ("Drop a file yourself", shlex.join(["cp", all_good, lane])),
        ("See what a file would do", shlex.join(["cvms", "check", every_reason])),
        ("What has happened, who has been loaded", "cvms uploads; cvms recipients ann"),
    ):
        line = rich.text.Text.assemble(f"  {what}\n    ", (where, "bold"))
        out.print(line, soft_wrap=True)


def write_samples(settings: settings_.Settings) -> Path:
    """Write the small samples that are not there yet; return their folder."""
    folder = settings.folder("samples")
    disk.make_folder(folder)
    for sample in samples.every():
        path = folder / sample.file_name
        if sample.is_committed and sample.data is not None and not path.exists():
            path.write_bytes(sample.data)
    return folder
