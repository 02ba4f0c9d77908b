"""What all commands share: options, output, exit codes, and the user's files.

Values are formatted here; each command's module decides which values it shows.  Text
from outside (cells, file names) can neither be markup nor control a terminal.
"""

import contextlib
import datetime as dt
import json
import os
import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import rich.box
import rich.console
import rich.table
import rich.text
import typer

from cvms_pipeline import errors
from cvms_pipeline.domain.text import display

Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON document and nothing else.")
]
Force = Annotated[
    bool, typer.Option("--force", help="Replace the file if there is one.")
]
Limit = Annotated[int, typer.Option("--limit", min=1, help="Show at most this many.")]
Since = Annotated[
    dt.datetime | None,
    typer.Option(metavar="WHEN", help="As 2025-03-15 or 2025-03-15T09:30:00."),
]
OutputPath = Annotated[
    Path, typer.Argument(help="The new file; by default, or -, standard output.")
]

STANDARD_OUTPUT = Path("-")

FAILED = 1
"""The exit code of a command that failed, unless its help names another."""

INTERRUPTED = 130
"""The exit code after Ctrl-C, by the convention of shells."""

_PIPED_WIDTH = 200
_STATUS_WIDTH = 11  # "completed with errors" on two lines

_STYLES: Mapping[str, str] = {
    "received": "cyan",
    "processing": "cyan",
    "completed": "green",
    "accepted": "green",
    "sent": "green",
    "completed_with_errors": "yellow",
    "waiting": "yellow",
    "refused": "red",
    "failed": "bold red",
    "withdrawn": "dim",
}
"""The colour of a status."""


def out() -> rich.console.Console:
    """Return the console for results; it is wide if the output is not a terminal."""
    width = None if sys.stdout.isatty() else _PIPED_WIDTH
    return rich.console.Console(highlight=False, emoji=False, width=width)


def err() -> rich.console.Console:
    """Return the console for progress and errors."""
    return rich.console.Console(stderr=True, highlight=False, emoji=False)


def escape(text: object, style: str = "") -> rich.text.Text:
    """Return text from outside, with hidden characters escaped; "" for None."""
    escaped = "" if text is None else display.escape_hidden(str(text))
    return rich.text.Text(escaped, style=style, overflow="fold")


def join_lines(first: object, second: object) -> rich.text.Text:
    """Return a table cell of two lines, the second one dim."""
    return escape(first) + rich.text.Text("\n") + escape(second, "dim")


def shorten_path(path: Path) -> str:
    """Return a path, relative to the working folder if it is inside."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def format_status(name: str) -> rich.text.Text:
    """Return a status in its colour."""
    return escape(name.replace("_", " "), _STYLES.get(name, ""))


def format_count(number: int | None) -> rich.text.Text:
    """Return a count; a zero is dim, so that other counts are easy to see."""
    style = "" if number else "dim"
    return rich.text.Text(show_count(number), style=style, justify="right")


def show_count(number: int | None) -> str:
    """Return a count in words of the terminal; an unknown one is a dash."""
    return display.UNKNOWN if number is None else f"{number:,}"


def format_moment(at: dt.datetime | None) -> str:
    """Return a moment in the time zone of this machine, with its name; "" for None."""
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S %Z}" if at else ""


def make_table(*headings: str, title: str | None = None) -> rich.table.Table:
    """Return an empty table in the style of all commands, which fits 80 columns."""
    table = rich.table.Table(
        title=title,
        title_justify="left",
        box=rich.box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for heading in headings:
        width = _STATUS_WIDTH if heading == "Status" else None
        table.add_column(heading, overflow="fold", max_width=width)
    return table


def make_facts(pairs: Sequence[tuple[str, Any]]) -> rich.table.Table:
    """Return a table of names and values, one pair in each line."""
    table = rich.table.Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in pairs:
        table.add_row(
            name, value if isinstance(value, rich.text.Text) else escape(value)
        )
    return table


def print_line(text: str, style: str = "") -> None:
    """Print a result in words, with hidden characters escaped."""
    out().print(escape(text, style))


def print_json(value: object) -> None:
    """Print one JSON document in ASCII, which every terminal and pipe accepts.

    Dates and times become ISO 8601 texts.
    """
    text = json.dumps(value, indent=2, default=lambda moment: moment.isoformat())
    sys.stdout.write(f"{text}\n")


def print_error(message: str) -> None:
    """Print an error to the error output, line by line and never as markup."""
    text = rich.text.Text("Error: ", style="bold red")
    lines = "\n".join(display.escape_hidden(line) for line in message.splitlines())
    err().print(text + rich.text.Text(lines, style="default"), soft_wrap=True)


def print_note(message: str) -> None:
    """Print a remark to the error output."""
    err().print(escape(message, "dim"), soft_wrap=True)


class FileUnusable(errors.PermanentError):
    """A file cannot be read or written."""


def write_file(path: Path, data: bytes, *, force: bool, name: str) -> None:
    """Write a new file that the user names, readable by its owner alone.

    Args:
        path: Its path; `-` is standard output.
        data: Its content.
        force: Whether an existing file may be replaced.
        name: What it is, to print where it was written.

    Raises:
        FileUnusable: If it cannot be written, or exists and `force` is not set.
    """
    if path == STANDARD_OUTPUT:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if force else os.O_EXCL)
    with (
        explain_os_errors("write", path),
        os.fdopen(os.open(path, flags, 0o600), "wb") as file,
    ):
        file.write(data)
    print_line(f"{name} is in {path}")


def read_file(path: Path, *, max_bytes: int) -> bytes | None:
    """Return the bytes of a regular file, at most one more than `max_bytes`.

    Anything else (a link, a folder, a pipe, a device) is not opened, as if it was
    dropped.

    Returns:
        The bytes, or None for anything but a regular file.

    Raises:
        FileUnusable: If it does not exist or may not be read.
    """
    with explain_os_errors("read", path):
        if not stat.S_ISREG(path.lstat().st_mode):
            return None
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(path, flags)
        with os.fdopen(descriptor, "rb") as file:
            # Another process may have replaced the file between the two calls.
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return None
            return file.read(max_bytes + 1)


def check_readable(path: Path) -> None:
    """Check that `path` is a file, or a link to one, that may be read.

    Raises:
        FileUnusable: If it is not.
    """
    with explain_os_errors("read", path):
        if not stat.S_ISREG(path.stat().st_mode):
            raise FileUnusable(f"{path} is not a file. Name the CSV file itself.")
        path.open("rb").close()


@contextlib.contextmanager
def explain_os_errors(verb: str, path: Path) -> Iterator[None]:
    """Explain the system's errors about a file that the user names.

    Raises:
        FileUnusable: If it exists, or cannot be read or written (`verb`).
    """
    try:
        yield
    except FileExistsError:
        raise FileUnusable(
            f"{path} exists. Name another file, or replace it with --force."
        ) from None
    except OSError as error:
        raise FileUnusable(
            f"Cannot {verb} {path}: {error.strerror}. Check the path and that you"
            f" may {verb} it."
        ) from None


@contextlib.contextmanager
def exit_on_error(code: int) -> Iterator[None]:
    """Print a `CvmsError` without a traceback, and exit with `code`."""
    try:
        yield
    except errors.CvmsError as error:
        print_error(str(error))
        raise typer.Exit(code) from None
