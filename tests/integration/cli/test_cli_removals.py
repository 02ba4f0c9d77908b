"""Who was removed, by ids alone; and done again after a restore."""

import json
import uuid

import pytest

from cvms_pipeline.cli import accounts
from cvms_pipeline.store import search
from cvms_pipeline.store.removals import removing, requests


@pytest.fixture
def removed(pipeline, done) -> str:
    """The id of somebody who was loaded and removed."""
    with pipeline.store.begin() as conn:
        found = search.search_recipients(conn, ["ann"]).recipients
        recipient_id = str(found.loc[0, "recipient_id"])
        people = [str(uuid.uuid4()) for _ in range(2)]
        now = pipeline.now()
        requests.ask(conn, 1001, recipient_id, asked_by=people[0], now=now)
        removing.remove(conn, 1001, approved_by=people[1], now=now)
    return recipient_id


def test_removals_are_listed_without_a_name_and_nobody_is_found(terminal, removed):
    listed = terminal.cvms("removals")
    (each,) = terminal.cvms("removals", "--json").json

    assert removed in listed.out
    assert "VACHCP0001001" in listed.out
    assert (each["recipient"], each["case"]) == (removed, "VACHCP0001001")
    assert each["asked_by"] != each["approved_by"]
    assert each["erased_at"] is None
    assert terminal.cvms("removals", "--since", "2099-01-01", "--json").json == []
    assert terminal.cvms("recipients", "ann", "--json").json["total"] == 0
    rest = terminal.cvms("recipients", "--json").json
    assert removed not in {row["recipient_id"] for row in rest["recipients"]}
    assert len(rest["recipients"]) == rest["total"]


def test_removals_are_done_again_from_their_list(
    terminal, removed, tmp_path, monkeypatch
):
    ended = []  # Django is set up once in a process: see test_cli_accounts.py
    monkeypatch.setattr(accounts, "end_log_ins", lambda *given: ended.extend(given[2]))
    listed = terminal.cvms("removals", "--json").json
    other = {**listed[0], "recipient": str(uuid.uuid4()), "case": "VACHCP0001002"}
    file = tmp_path / "removals.json"
    file.write_text(json.dumps([*listed, other]))

    again = terminal.cvms("removals", "again", str(file))

    # Nobody of them is there: one is removed already, and the other was never loaded.
    assert (again.code, again.out) == (
        0, "0 recipients are removed again, of 2 listed.\n"
    )  # fmt: skip
    assert ended == [removed, other["recipient"]]


@pytest.mark.parametrize("text", ["", "{}", "[1]", '[{"case": "1"}]', "no list"])
def test_a_file_that_is_no_such_list_changes_nothing(terminal, tmp_path, text):
    file = tmp_path / "removals.json"
    file.write_text(text)

    ended = terminal.cvms("removals", "again", str(file))

    assert ended.code == 1
    assert "This is not the output of" in ended.err
