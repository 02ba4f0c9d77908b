"""What a person or a program sees: tables, JSON, errors, exit codes.

How things are shown, for every command; what is shown each command says.  Text that
others chose (cells, file names) can neither be markup here nor steer a terminal.
"""

import contextlib
import datetime as dt
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import rich.box
import rich.console
import rich.table
import rich.text
import typer

from cvms_pipeline import errors
from cvms_pipeline.files import names

INTERRUPTED = 130
"""The exit code after Ctrl-C, as shells have it."""

_PIPED_WIDTH = 200
_STATUS_WIDTH = 11  # "completed with errors" on two lines

STYLES: Mapping[str, str] = {
    "received": "cyan",
    "processing": "cyan",
    "completed": "green",
    "accepted": "green",
    "sent": "green",
    "completed_with_errors": "yellow",
    "waiting": "yellow",
    "refused": "red",
    "failed": "bold red",
}
"""The colour of a status."""


def out() -> rich.console.Console:
    """Return the console for results; wide enough for tables where no one watches."""
    is_watched = sys.stdout.isatty()
    width = None if is_watched else _PIPED_WIDTH
    return rich.console.Console(highlight=False, emoji=False, width=width)


def err() -> rich.console.Console:
    """Return the console for progress and errors."""
    return rich.console.Console(stderr=True, highlight=False, emoji=False)


def plain(text: object, style: str = "") -> rich.text.Text:
    """Return text that others chose, fit to be printed; nothing for None."""
    shown = "" if text is None else names.shown(str(text))
    return rich.text.Text(shown, style=style, overflow="fold")


def two_lines(first: object, second: object) -> rich.text.Text:
    """Return a cell with something less important below."""
    return plain(first) + rich.text.Text("\n") + plain(second, "dim")


def place(path: Path) -> str:
    """Return a path as short as it can be typed: from here, if it lies below."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def status(name: str) -> rich.text.Text:
    """Return a status in its colour."""
    return plain(name.replace("_", " "), STYLES.get(name, ""))


def count(number: int) -> rich.text.Text:
    """Return a count; zero is dim, so that what happened stands out."""
    return rich.text.Text(f"{number:,}", style="" if number else "dim", justify="right")


def moment(at: dt.datetime | None) -> str:
    """Return a moment in the terminal's own time zone; nothing for None."""
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S}" if at else ""


def iso(at: dt.datetime | dt.date | None) -> str | None:
    """Return a moment or a date as JSON holds it."""
    return at.isoformat() if at else None


def table(*headings: str, title: str | None = None) -> rich.table.Table:
    """Return an empty table in the style of all commands: fits 80 columns."""
    made = rich.table.Table(
        title=title,
        title_justify="left",
        box=rich.box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for heading in headings:
        width = _STATUS_WIDTH if heading == "Status" else None
        made.add_column(heading, overflow="fold", max_width=width)
    return made


def facts(pairs: Sequence[tuple[str, Any]]) -> rich.table.Table:
    """Return names and values below one another."""
    made = rich.table.Table.grid(padding=(0, 2))
    made.add_column(style="dim", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in pairs:
        shown = value if isinstance(value, rich.text.Text) else plain(value)
        made.add_row(name, shown)
    return made


def print_json(value: object) -> None:
    """Print one JSON document; ASCII, so that it arrives whole everywhere."""
    sys.stdout.write(json.dumps(value, indent=2) + "\n")


def print_error(message: str) -> None:
    """Print an error to the error output, each line as it is, never as markup."""
    text = rich.text.Text("Error: ", style="bold red")
    lines = "\n".join(names.shown(line) for line in message.splitlines())
    err().print(text + rich.text.Text(lines, style="default"), soft_wrap=True)


def print_note(message: str) -> None:
    """Print a remark to the error output."""
    err().print(plain(message, "dim"), soft_wrap=True)


@contextlib.contextmanager
def failing(code: int) -> Iterator[None]:
    """Turn an error of ours inside into its message and the exit code `code`."""
    try:
        yield
    except errors.CvmsError as error:
        print_error(str(error))
        raise typer.Exit(code) from None
