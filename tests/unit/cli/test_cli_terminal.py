import datetime as dt
import json

import pytest
import typer

from cvms_pipeline import errors
from cvms_pipeline.cli import rejects, terminal
from cvms_pipeline.domain import reasons

ODD_TEXTS = [
    ("\x1b[31mred", r"\x1b[31mred"),  # steers the terminal
    ("[bold]Ann[/bold]", "[bold]Ann[/bold]"),  # rich's markup
    (":smile:", ":smile:"),  # rich's emoji
    ("Jo\nAnn", r"Jo\x0aAnn"),  # a line of its own
    ("\u202ennA", r"\u202ennA"),  # written backwards
]


@pytest.mark.parametrize(("text", "shown"), ODD_TEXTS)
def test_what_others_chose_is_printed_as_it_is(text, shown, capsys):
    terminal.out().print(terminal.plain(text))

    assert capsys.readouterr().out == f"{shown}\n"


def test_json_is_one_document_in_ascii(capsys):
    terminal.print_json({"name": "Åsa \x1b[31m"})

    printed = capsys.readouterr().out
    assert printed.isascii()
    assert json.loads(printed) == {"name": "Åsa \x1b[31m"}


def test_an_error_of_ours_is_told_without_a_traceback(capsys):
    with pytest.raises(typer.Exit) as ended, terminal.failing(3):
        raise errors.PermanentError("CVMS_PORT: is taken [by another]")

    printed = capsys.readouterr()
    assert ended.value.exit_code == 3
    assert printed.err == "Error: CVMS_PORT: is taken [by another]\n"
    assert printed.out == ""


def test_a_moment_that_has_not_come_is_empty():
    assert terminal.moment(None) == ""
    assert terminal.iso(None) is None
    assert terminal.iso(dt.date(2026, 3, 1)) == "2026-03-01"


def rejected(count):
    return rejects.Rejected(
        lines=list(range(2, count + 2)),
        codes=[[reasons.EMAIL_INVALID]] * count,
        messages=[f"Line {n}: Email: invalid: x" for n in range(2, count + 2)],
    )


def test_only_the_first_rejected_rows_are_shown_and_the_rest_counted(capsys):
    rejects.show(terminal.out(), rejected(21), {reasons.EMAIL_INVALID: 21})

    printed = capsys.readouterr().out
    assert printed.count("Email: invalid: x") == 20
    assert "and 1 more row; --json has them all" in printed
    assert "Enter a complete e-mail address in 21 rows." in printed


def test_a_code_that_a_row_has_twice_is_told_once():
    twice = rejects.Rejected(
        lines=[2], codes=[["name-length", "name-length"]], messages=["Line 2: …"]
    )

    assert rejects.as_json(twice)[0]["codes"] == ["name-length"]
