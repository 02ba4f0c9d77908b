import re

import pytest
import typer.main

from cvms_pipeline.cli.__main__ import app
from cvms_pipeline.store import search

CONTRACT = [
    *("up", "demo", "template", "check", "drop", "uploads", "upload", "report"),
    *("recipients", "messages", "messages show", "audit", "db upgrade"),
    *("status", "backup", "restore", "resend", "outstanding", "dismiss"),
    *("withdraw", "removals", "removals again", "cases", "case"),
    *(f"providers {verb}" for verb in ("add", "list", "show", "disable", "enable")),
    "providers change",
    *(f"accounts {verb}" for verb in ("add", "list", "link", "disable", "enable")),
    "accounts end-sessions",
]


def commands():
    root = typer.main.get_command(app)
    found = {}
    for name, command in root.commands.items():
        inner = getattr(command, "commands", None)
        found |= (
            {f"{name} {verb}": each for verb, each in inner.items()} if inner else {}
        )
        if not inner or command.invoke_without_command:
            found[name] = command
    return found


COMMANDS = commands()


def test_every_command_of_the_contract_exists():
    assert sorted(COMMANDS) == sorted(CONTRACT)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_command_s_help_has_an_example_of_itself(name):
    assert re.search(rf"Example: cvms {name}\b", COMMANDS[name].help)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_no_line_of_a_help_is_wrapped_in_80_columns(name):
    margins = 2
    _, *rest = COMMANDS[name].help.splitlines()  # the first one flows anyhow

    assert max(map(len, rest)) <= 80 - margins


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_option_has_a_help_text(name):
    silent = [
        parameter.name
        for parameter in COMMANDS[name].params
        if not getattr(parameter, "help", None)
    ]

    assert silent == []


def test_the_help_names_everything_that_recipients_can_be_sorted_by():
    (sort,) = [p for p in COMMANDS["recipients"].params if p.name == "sort"]

    assert all(column in sort.help for column in search.SORTS)
