import datetime as dt
import json

import pandas as pd
import pytest
import typer

from cvms_pipeline import errors
from cvms_pipeline.cli import rejections, terminal
from cvms_pipeline.domain.vocabulary import reasons

ODD_TEXTS = [
    ("\x1b[31mred", r"\x1b[31mred"),  # controls the terminal
    ("[bold]Ann[/bold]", "[bold]Ann[/bold]"),  # rich's markup
    (":smile:", ":smile:"),  # rich's emoji
    ("Jo\nAnn", r"Jo\x0aAnn"),  # a line of its own
    ("\u202ennA", r"\u202ennA"),  # written backwards
]


@pytest.mark.parametrize(("text", "shown"), ODD_TEXTS)
def test_text_from_outside_is_printed_as_it_is(text, shown, capsys):
    terminal.out().print(terminal.escape(text))

    assert capsys.readouterr().out == f"{shown}\n"


def test_json_is_one_document_in_ascii(capsys):
    terminal.print_json({"name": "Åsa \x1b[31m"})

    printed = capsys.readouterr().out
    assert printed.isascii()
    assert json.loads(printed) == {"name": "Åsa \x1b[31m"}


def test_an_expected_error_is_printed_without_a_traceback(capsys):
    with pytest.raises(typer.Exit) as ended, terminal.exit_on_error(3):
        raise errors.PermanentError("CVMS_PORT: is taken [by another]")

    printed = capsys.readouterr()
    assert ended.value.exit_code == 3
    assert printed.err == "Error: CVMS_PORT: is taken [by another]\n"
    assert printed.out == ""


def test_a_missing_time_is_shown_as_empty():
    assert terminal.format_moment(None) == ""


def test_dates_and_times_in_json_are_iso_8601(capsys):
    terminal.print_json(
        [None, dt.date(2026, 3, 1), dt.datetime(2026, 3, 1, 9, tzinfo=dt.UTC)]
    )

    printed = json.loads(capsys.readouterr().out)
    assert printed == [None, "2026-03-01", "2026-03-01T09:00:00+00:00"]


def rejected(count):
    return pd.DataFrame(
        {
            "codes": reasons.EMAIL_INVALID,
            "message": [f"Line {n}: Email: invalid: x" for n in range(2, count + 2)],
        },
        index=range(2, count + 2),
    )


def test_only_the_first_rejected_rows_are_shown_and_the_rest_counted(capsys):
    counts = {reasons.EMAIL_INVALID: 21}

    rejections.print_rows(rejected(21), counts)

    printed = capsys.readouterr().out
    assert printed.count("Email: invalid: x") == 20
    assert "and 1 more row; --json has them all" in printed
    assert "Enter a complete e-mail address in 21 rows." in printed
