"""The command demo: processes the sample files and shows what happens to each.

A sample that builds on another one is dropped after that one's notice, so that the
outcomes are the same every time.  The samples themselves are in `samples`.
"""

import datetime as dt
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import rich.live
import rich.table
import rich.text
import typer

from cvms_pipeline.cli import running, status, terminal
from cvms_pipeline.domain.vocabulary import upload as domain_upload

if TYPE_CHECKING:
    from cvms_pipeline.cli import accounts, samples
    from cvms_pipeline.settings import loading
    from cvms_pipeline.use_cases import drop, history, pipelines

_MAX_SECONDS = 300
_POLL_SECONDS = 0.2


@dataclass(slots=True, kw_only=True)
class _Turn:
    """One sample: not dropped or sent yet, on its way, or finished."""

    sample: "samples.Sample"
    dropped: "drop.Dropped | None" = None
    dropped_at: dt.datetime | None = None
    sent_id: str | None = None
    upload: "history.Upload | None" = None
    notified_at: dt.datetime | None = None

    @property
    def is_over(self) -> bool:
        """Return whether its provider has the notice, or its run has failed."""
        has_failed = self.upload is not None and self.upload.has_failed
        return self.notified_at is not None or has_failed

    @property
    def is_as_expected(self) -> bool:
        """Return whether the outcome is the expected one."""
        return self.upload is not None and self.sample.expected.matches(self.upload)

    @property
    def seconds(self) -> float | None:
        """Return the seconds from the drop to the notice."""
        if self.notified_at is None or self.dropped_at is None:
            return None
        return (self.notified_at - self.dropped_at).total_seconds()


class Demonstration:
    """The samples on their way through a pipeline.

    Attributes:
        turns: One for each sample, in the order of `samples.json`.
    """

    def __init__(
        self, pipeline: "pipelines.Pipeline", edition: str, *, sender: str | None = None
    ) -> None:
        """Begin with registered sample providers; nothing is dropped yet.

        Args:
            pipeline: The pipeline that gets the files.
            edition: The word that makes the people of this demonstration new.
            sender: The account that sends one sample in the portal; None: all are
                dropped.
        """
        from cvms_pipeline.cli import samples

        self._pipeline = pipeline
        self._edition = edition
        self._sender = sender
        self.turns = [_Turn(sample=sample) for sample in samples.load_samples()]

    @property
    def edition(self) -> str:
        """Return the word that makes its people new."""
        return self._edition

    @property
    def is_over(self) -> bool:
        """Return whether every sample is finished."""
        return all(turn.is_over for turn in self.turns)

    def advance(self) -> None:
        """Update the samples on their way, and drop those that can be dropped now."""
        for turn in self.turns:
            if turn.dropped_at and not turn.is_over:
                self._update(turn)
        finished = {turn.sample.file_name for turn in self.turns if turn.is_over}
        for turn in self.turns:
            if turn.dropped_at is None and turn.sample.after in {None, *finished}:
                self._begin(turn)

    def _update(self, turn: _Turn) -> None:
        from cvms_pipeline.use_cases import drop, history

        if turn.sent_id is not None:
            turn.upload = history.get_upload(self._pipeline, turn.sent_id)
        elif turn.dropped is not None:
            turn.upload = drop.find_upload(self._pipeline, turn.dropped)
        if turn.upload and turn.upload.status.is_finished:
            notice = history.find_notice(self._pipeline, turn.upload.id)
            if notice and notice.status is not history.MessageStatus.WAITING:
                turn.notified_at = notice.sent_at or self._pipeline.now()

    def _begin(self, turn: _Turn) -> None:
        from cvms_pipeline.cli import samples

        turn.dropped_at = self._pipeline.now()
        if self._sender and turn.sample.file_name == samples.EVERY_REASON:
            turn.sent_id = self._send(turn.sample, self._sender)
        else:
            self._drop(turn)

    def _send(self, sample: "samples.Sample", sender: str) -> str:
        """Send a sample as the portal does; return the upload's id."""
        from cvms_pipeline.use_cases.provider_actions import submit

        submission = submit.Submission(
            upload_id=domain_upload.make_id(self._pipeline.now()),
            data=sample.read(self._edition),
            file_name=sample.file_name,
            lane=sample.lane,
            provider=sample.provider,
            sent_by=sender,
        )
        return submit.submit(self._pipeline, submission).id

    def _drop(self, turn: _Turn) -> None:
        from cvms_pipeline.use_cases import drop

        request = drop.Request(
            source=turn.sample.read(self._edition),
            file_name=turn.sample.file_name,
            provider=turn.sample.provider,
            lane=turn.sample.lane,
        )
        turn.dropped = drop.drop_file(self._pipeline, request)

    def make_table(self) -> rich.table.Table:
        """Return a table of the samples and their state."""
        counts = ("Rows", "Loaded", "Updated", "Rejected")
        table = terminal.make_table("File", "Status", *counts, "OK", "Sec.")
        for turn in self.turns:
            table.add_row(*_make_cells(turn))
        return table


def demo(
    leave: Annotated[
        bool, typer.Option("--exit", help="Stop when all sample files are finished.")
    ] = False,
) -> None:
    """Start everything, drop sample files, and show the result of each.

    With --exit the exit code is 0 only if every outcome is the expected one.

    Example: cvms demo --exit
    """
    from cvms_pipeline.settings import loading

    # The passwords are printed, so a second factor would protect nothing here.
    chosen = loading.load(require_second_factor="false")
    outcomes: list[bool] = []

    def ready(addresses: Mapping[str, str]) -> bool:
        running.print_addresses(chosen, addresses)
        outcomes.append(_play(chosen, with_accounts=chosen.portal.port > 0))
        if not leave:
            terminal.out().print("\nEverything keeps running; Ctrl-C stops it.")
        return leave

    if running.is_up(chosen):
        terminal.print_note("`cvms up` is running already; the samples go there.")
        outcomes.append(_play(chosen, with_accounts=False))
    else:
        running.run(chosen, ready)
    if not outcomes:
        raise typer.Exit(terminal.INTERRUPTED)
    raise typer.Exit(0 if all(outcomes) else terminal.FAILED)


def _play(chosen: "loading.Settings", *, with_accounts: bool) -> bool:
    """Play the samples; return whether every outcome was the expected one."""
    from cvms_pipeline.cli import accounts, demo_cases, demo_invitation, samples
    from cvms_pipeline.settings import loading

    out, deadline = terminal.out(), time.monotonic() + _MAX_SECONDS
    out.print("From the drop to the notice, with the expected outcome of each file:")
    with running.open_pipeline(chosen) as pipeline:
        samples.register_providers(pipeline)
        made: list[accounts.DemoAccount] = []
        if with_accounts:
            made = accounts.make_demo_accounts(chosen, pipeline, samples.HOSPITAL)
        played = Demonstration(
            pipeline,
            samples.make_edition(loading.now()),
            sender=made[0].id if made else None,
        )
        with rich.live.Live(console=out, auto_refresh=False) as live:
            while not played.is_over and time.monotonic() < deadline:
                played.advance()
                live.update(played.make_table(), refresh=True)
                time.sleep(_POLL_SECONDS)
        if not played.is_over:
            terminal.print_error(
                f"Not all samples were finished after {_MAX_SECONDS} seconds; see"
                f" `cvms uploads` and the logs in {chosen.folders.data / 'logs'}"
            )
        _print_where_to_look(chosen, pipeline, played)
        if made:
            opened = demo_cases.open_cases(pipeline, made, played.edition)
            _print_accounts(chosen, made)
            demo_invitation.print_invitation(pipeline)
            _print_cases(chosen, opened)
    return all(turn.is_as_expected for turn in played.turns)


def _print_accounts(
    chosen: "loading.Settings", made: "Sequence[accounts.DemoAccount]"
) -> None:
    """Print where the portal is, and how to log in."""
    out = terminal.out()
    out.print(rich.text.Text("\nThe portal", style="bold"))
    out.print(rich.text.Text.assemble("  ", (chosen.portal.url, "bold")))
    for each in made:
        words = (each.username, "bold"), "  password ", (each.password, "bold")
        out.print(rich.text.Text.assemble(f"  {each.who}\n    ", *words))
    out.print(
        "  The second factor is off in this demonstration; `cvms up` requires it. The"
        " passwords are new each time, and only shown here.",
        soft_wrap=True,
    )


def _print_cases(chosen: "loading.Settings", opened: "Sequence[str]") -> None:
    """Print which cases wait at the help desk."""
    out = terminal.out()
    out.print(rich.text.Text("\nCases that wait at the help desk", style="bold"))
    for number in opened:
        out.print(f"  {chosen.portal.url}/cases/{number}/", soft_wrap=True)


def _make_cells(turn: _Turn) -> list[rich.text.Text | str]:
    from cvms_pipeline.use_cases import history

    sample, found = turn.sample, turn.upload
    where = f"{sample.provider}/{sample.lane.removesuffix('_volume')}"
    first = terminal.join_lines(sample.file_name, where)
    if found is None:
        state = "on its way" if turn.dropped_at else "later"
        return [first, rich.text.Text(state, style="dim")]
    rows, rejected = history.count_rows(found)
    counts = (rows, found.loaded, found.updated, rejected)
    mark, style = ("✓", "green") if turn.is_as_expected else ("✗", "bold red")
    return [
        first,
        terminal.format_status(found.status),
        *map(terminal.format_count, counts),
        rich.text.Text(mark, style=style) if turn.is_over else "",
        f"{turn.seconds:.1f}" if turn.seconds is not None else "",
    ]


def _print_where_to_look(
    chosen: "loading.Settings", pipeline: "pipelines.Pipeline", played: Demonstration
) -> None:
    from cvms_pipeline.cli import samples

    folder: Path = chosen.folders.path("samples")
    samples.write_small_files(folder)
    status.print_where_to_look(
        chosen,
        provider=samples.HOSPITAL,
        file=terminal.shorten_path(folder / samples.EVERY_REASON),
        notice=_find_notice_file(pipeline, played),
    )


def _find_notice_file(
    pipeline: "pipelines.Pipeline", played: Demonstration
) -> str | None:
    """Return the file of the notice with the most rejected rows, if it is one."""
    from cvms_pipeline.use_cases import compose, history

    found = [turn.upload for turn in played.turns if turn.upload is not None]
    for upload in sorted(found, key=lambda each: each.rejected, reverse=True):
        notice = history.find_notice(pipeline, upload.id)
        if notice is not None:
            file = compose.find_file(pipeline, notice.id)
            return None if file is None else terminal.shorten_path(file)
    return None
