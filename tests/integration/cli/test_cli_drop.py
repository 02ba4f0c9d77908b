import pytest
import terminals

HEADER = "First name,Last name,Date of birth,Email"
GOOD = "Nia,Lee,3/4/1991,nia@b.org"


def into(slug, lane="low_volume"):
    return ("--provider", slug, "--lane", lane)


def test_a_dropped_file_is_in_the_lane_with_its_bytes(terminal, mercy):
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


# The name of a file, its name in the lane, and the reason.
NAMES = [
    ("ok.csv.part", "ok.csv.part.csv", "is not that of a file"),
    (".hid.csv", "hid.csv", "is not that of a file"),
    ("two\nlines.csv", "two_x0alines.csv", "cannot be kept"),
    ("staff.csv", "staff (2).csv", "is taken"),
]


@pytest.mark.parametrize(("name", "put_as", "why"), NAMES)
def test_a_changed_file_name_is_printed(terminal, mercy, name, put_as, why):
    (terminal.lane(mercy) / "staff.csv").touch()

    ended = terminal.cvms(
        "drop", terminal.file(name, HEADER, GOOD), *into(mercy), "--json"
    )

    assert (ended.code, ended.json["file_name"]) == (0, put_as)
    assert ended.err.startswith(f"Called {put_as} there: the name ")
    assert why in ended.err
    assert (terminal.lane(mercy) / put_as).exists()


def test_an_unchanged_file_name_is_not_mentioned(terminal, mercy):
    ended = terminal.cvms("drop", terminal.file("a.csv", HEADER, GOOD), *into(mercy))

    assert ended.out.endswith("a.csv\n")
    assert ended.err == ""


@pytest.mark.parametrize(("words", "code"), [((), 1), (("--wait",), 3)])
def test_nothing_is_dropped_for_a_disabled_provider(terminal, mercy, words, code):
    path = terminal.file("staff.csv", HEADER, GOOD)
    terminal.cvms("providers", "disable", mercy)

    ended = terminal.cvms("drop", path, *into(mercy), *words)

    assert (ended.code, ended.out) == (code, "")
    assert f"The provider {mercy} is disabled" in ended.err
    assert f"`cvms providers enable {mercy}`" in ended.err
    assert list(terminal.lane(mercy).iterdir()) == []


def test_a_file_is_dropped_without_a_reachable_database(terminal, mercy, monkeypatch):
    terminal.cvms("providers", "disable", mercy)
    monkeypatch.setenv("CVMS_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")

    ended = terminal.cvms("drop", terminal.file("a.csv", HEADER, GOOD), *into(mercy))

    assert ended.code == 0
    assert (terminal.lane(mercy) / "a.csv").exists()


def test_a_folder_of_no_provider_is_reported(terminal, mercy):
    terminal.lane("nobody").mkdir(parents=True)

    ended = terminal.cvms("drop", terminal.file("a.csv", HEADER, GOOD), *into("nobody"))

    assert (ended.code, ended.out) == (1, "")
    assert "There is no provider 'nobody'" in ended.err


def test_the_error_for_a_provider_without_folders_says_what_to_do(terminal):
    ended = terminal.cvms("drop", terminal.file("a.csv", HEADER, GOOD), *into("nobody"))

    assert (ended.code, ended.out) == (1, "")
    assert "cvms providers add" in ended.err


def test_anything_but_a_file_is_not_dropped(terminal, mercy):
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


def test_waiting_for_a_file_that_is_not_claimed_ends(terminal, mercy):
    path = terminal.file("staff.csv", HEADER, GOOD)

    ended = terminal.cvms("drop", path, *into(mercy), "--wait", "--timeout", "0")

    assert (ended.code, ended.out) == (3, "")
    assert "was not taken in within 0 seconds" in ended.err
    assert (terminal.lane(mercy) / "staff.csv").exists()


def test_with_wait_a_drop_is_refused_if_no_pipeline_runs(alone):
    path = alone.file("staff.csv", HEADER, GOOD)

    ended = alone.cvms("drop", path, *into("mercy-hospital"), "--wait")

    assert (ended.code, ended.out) == (3, "")
    assert "cvms up" in ended.err
    assert not (alone.home / "data" / "incoming").exists()
