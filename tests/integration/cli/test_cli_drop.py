import pytest
import terminals

HEADER = "First name,Last name,Date of birth,Email"
GOOD = "Nia,Lee,3/4/1991,nia@b.org"


def into(slug, lane="low_volume"):
    return ("--provider", slug, "--lane", lane)


def test_a_dropped_file_lies_in_the_lane_with_its_bytes(terminal, mercy):
    path = terminal.file("staff.csv", HEADER, GOOD)

    ended = terminal.cvms("drop", path, *into(mercy, "high_volume"), "--json")

    dropped = terminal.lane(mercy, "high_volume") / "staff.csv"
    assert (ended.code, ended.json["path"]) == (0, str(dropped))
    assert dropped.read_bytes() == path.read_bytes()


def test_a_second_file_of_the_same_name_gets_a_number(terminal, mercy):
    path = terminal.file("staff.csv", HEADER, GOOD)

    terminal.cvms("drop", path, *into(mercy))
    ended = terminal.cvms("drop", path, *into(mercy))

    assert ended.out.endswith("staff (2).csv\n")


def test_a_provider_without_folders_is_told_what_to_do(terminal):
    ended = terminal.cvms("drop", terminal.file("a.csv", HEADER, GOOD), *into("nobody"))

    assert (ended.code, ended.out) == (1, "")
    assert "cvms providers add" in ended.err


def test_what_is_no_file_is_not_dropped(terminal, mercy):
    ended = terminal.cvms("drop", terminal.home, *into(mercy))

    assert ended.code == 1
    assert "is not a file" in ended.err
    assert list(terminal.lane(mercy).iterdir()) == []


OUTCOMES = [
    ((HEADER, GOOD), 0, "completed"),
    ((HEADER, GOOD, "Nia,,3/4/1991,nia@b.org"), 1, "completed_with_errors"),
    ((HEADER,), 2, "refused"),
]


@pytest.mark.parametrize(("lines", "code", "status"), OUTCOMES)
def test_waiting_ends_with_the_outcome(terminal, mercy, at_work, lines, code, status):
    path = terminal.file("staff.csv", *lines)

    ended = terminal.cvms("drop", path, *into(mercy), "--wait", "--json")

    assert (ended.code, ended.json["status"]) == (code, status)
    assert ended.json["file_name"] == "staff.csv"


def test_waiting_is_not_misled_by_an_earlier_upload_of_the_same_file(
    terminal, mercy, at_work
):
    path = terminal.file("staff.csv", HEADER, GOOD)

    first = terminal.cvms("drop", path, *into(mercy), "--wait", "--json")
    second = terminal.cvms("drop", path, *into(mercy), "--wait", "--json")

    assert first.json["id"] != second.json["id"]
    assert (first.code, second.code) == (0, 1)
    assert second.json["reasons"] == {"duplicate-recipient": 1}


def test_a_person_who_waits_sees_the_outcome(terminal, mercy, at_work):
    path = terminals.SAMPLES / "staff.xlsx"

    ended = terminal.cvms("drop", path, *into(mercy), "--wait")

    assert ended.code == 2
    assert "Refused: The file is a spreadsheet" in ended.out


def test_a_file_that_nobody_takes_in_is_given_up(terminal, mercy):
    path = terminal.file("staff.csv", HEADER, GOOD)

    ended = terminal.cvms("drop", path, *into(mercy), "--wait", "--timeout", "0")

    assert (ended.code, ended.out) == (3, "")
    assert "was not taken in within 0 seconds" in ended.err
    assert (terminal.lane(mercy) / "staff.csv").exists()


def test_nothing_is_dropped_to_wait_for_where_nothing_runs(alone):
    path = alone.file("staff.csv", HEADER, GOOD)

    ended = alone.cvms("drop", path, *into("mercy-hospital"), "--wait")

    assert (ended.code, ended.out) == (3, "")
    assert "cvms up" in ended.err
    assert not (alone.home / "data" / "incoming").exists()
