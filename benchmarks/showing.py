"""What a benchmark prints: a table for people, or one JSON object for programs.

Also the options that every benchmark has.  Progress goes to standard error.
"""

import argparse
import json
import signal
import sys
from collections.abc import Iterable, Mapping, Sequence

import rich.console
import rich.table

_WIDTH = 120


def options(
    description: str | None, given: Sequence[str] | None, *more: tuple[str, str]
) -> argparse.Namespace:
    """Return what the command line says; `more` are options with a value.

    From then on an interrupt is heeded, also behind a shell's `&`, which switches it
    off: where it is off, Dagster's processes do not heed SIGTERM either.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    parser = argparse.ArgumentParser(description=(description or "").partition("\n")[0])
    parser.add_argument(
        "--quick", action="store_true", help="at reduced size, in 50 seconds"
    )
    parser.add_argument("--json", action="store_true", help="one object, no table")
    parser.add_argument("--chart", metavar="FILE", help="write an SVG of the result")
    for name, explained in more:
        parser.add_argument(name, help=explained)
    return parser.parse_args(given)


def result(found: Mapping[str, object], *, as_json: bool, table: object) -> None:
    """Print the object `found`, or the table that shows it."""
    if as_json:
        print(json.dumps(found))
    else:
        rich.console.Console(width=_WIDTH).print(table)


def table(
    title: str, header: Sequence[str], rows: Iterable[Sequence[str]], caption: str = ""
) -> rich.table.Table:
    """Return a table; all columns but the first and the last are figures."""
    made = rich.table.Table(
        title=title, caption=caption, title_justify="left", caption_justify="left"
    )
    for nth, name in enumerate(header):
        made.add_column(name, justify="left" if nth == 0 else "right")
    for row in rows:
        made.add_row(*row)
    return made


def progress(text: str) -> None:
    """Say what is being done."""
    print(text, file=sys.stderr, flush=True)


def on(machine: Mapping[str, object]) -> str:
    """Return the machine and the versions in one line."""
    return ", ".join(f"{name} {value}" for name, value in machine.items())
