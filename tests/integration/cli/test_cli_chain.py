"""What is outstanding, what was dismissed, and which upload brought a row back."""

import pytest


@pytest.fixture
def child(done, terminal, mercy, work) -> str:
    """The id of an upload that brings back the rejected row of `done`."""
    rows = (
        "First name,Last name,Date of birth,Email",
        "Cy,Lee,1/2/1991,cy@b.example.org",
    )
    (terminal.lane(mercy) / "fixed.csv").write_text("\n".join(rows), encoding="utf-8")
    (upload_id,) = work()
    return upload_id


def facts(terminal, upload_id):
    """Return the names and values that `cvms upload` prints."""
    lines = terminal.cvms("upload", upload_id).out.splitlines()
    pairs = (line.split("  ", 1) for line in lines if "  " in line)
    return {name: value.strip() for name, value in pairs}


def test_outstanding_rows_are_listed_with_their_upload_and_lines(terminal, done, mercy):
    rows = terminal.cvms("outstanding").out.splitlines()

    assert [row.split() for row in rows[2:4]] == [
        [done, "1", "4"],
        [mercy, "·", "staff.csv"],
    ]
    assert rows[-1] == "What is wrong with them: cvms upload ID"


def test_outstanding_rows_as_json(terminal, done, mercy):
    (found,) = terminal.cvms("outstanding", "--provider", mercy, "--json").json

    assert found.pop("received_at").startswith("20")
    assert found == {
        "upload": done,
        "provider": mercy,
        "file_name": "staff.csv",
        "outstanding": 1,
        "rows": [{"line": 4, "codes": ["name-characters", "birth-date-invalid"]}],
    }


def test_without_any_the_list_says_so(terminal, done):
    assert terminal.cvms("outstanding", "--provider", "duke").out == (
        "No rejected row is outstanding.\n"
    )


def test_an_upload_names_its_parents_and_children(terminal, done, child):
    assert facts(terminal, child)["Brings back rows of"] == (
        f"{done} · staff.csv · 1 row: 1 loaded, 0 rejected again"
    )
    assert facts(terminal, done)["Brought back by"] == (
        f"{child} · fixed.csv · 1 row: 1 loaded, 0 rejected again"
    )
    found = terminal.cvms("upload", done, "--json").json
    assert (found["children"], found["outstanding"]) == ([child], 0)
    assert found["rejected_rows"][0] == {
        "line": 4,
        "state": "brought back",
        "brought_back_by": child,
        "brought_back_line": 2,
        "dismissed_why": None,
    }
    assert terminal.cvms("upload", child, "--json").json["parents"] == [done]


def test_a_row_is_dismissed_with_a_word(terminal, done):
    assert facts(terminal, done)["Outstanding"] == "1"

    dismissed = terminal.cvms("dismiss", done, "4", "--why", "left the hospital")

    assert (dismissed.code, dismissed.out) == (0, "1 row is dismissed.\n")
    assert "Outstanding" not in facts(terminal, done)
    assert facts(terminal, done)["Dismissed"] == "1"


def test_what_cannot_be_dismissed_is_explained(terminal, done):
    assert terminal.cvms("dismiss", done, "5", "--why", "x").err == (
        f"Error: Line 5 of {done} is not outstanding, so nothing was dismissed. See"
        f" `cvms upload {done}`.\n"
    )
    assert terminal.cvms("dismiss", done).code == 2
    assert terminal.cvms("dismiss", "nothing", "--why", "x").err == (
        "Error: There is no upload 'nothing'. See `cvms uploads`.\n"
    )


def test_an_upload_is_withdrawn_with_a_word(terminal, done):
    withdrawn = terminal.cvms("withdraw", done, "--why", "the wrong file")

    assert (withdrawn.code, withdrawn.out) == (
        0,
        f"{done} is withdrawn: 2 people are taken out, of the corrections 0 are"
        " undone.\n",
    )
    assert facts(terminal, done)["Status"] == "withdrawn"
    assert facts(terminal, done)["Withdrawn"].endswith(", the wrong file")
    assert "Invitations" not in facts(terminal, done)
    found = terminal.cvms("upload", done, "--json").json
    assert (found["status"], found["withdrawn_why"]) == ("withdrawn", "the wrong file")
    assert terminal.cvms("withdraw", done, "--why", "again").err == (
        f"Error: The upload {done} was withdrawn already.\n"
    )
