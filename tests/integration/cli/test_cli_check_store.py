import pytest

HEADER = "First name,Last name,Date of birth,Email"
KNOWN = "BOB,LEE,03/04/1991,someone@else.org"
NEW = "Nia,Lee,3/4/1991,nia@b.org"


def test_recipients_loaded_before_are_found_if_a_database_is_there(terminal, done):
    path = terminal.file("staff.csv", HEADER, NEW, KNOWN)

    ended = terminal.cvms("check", path, "--json")

    assert ended.code == 1
    assert ended.json["rejections"] == [
        {
            "line": 3,
            "codes": ["duplicate-recipient"],
            "message": "Line 3: Email: invalid email address:"
            " Duplicated someone@else.org",
        }
    ]


def test_the_output_says_that_the_store_was_read(terminal, done):
    ended = terminal.cvms("check", terminal.file("staff.csv", HEADER, NEW))

    assert "among the recipients loaded before" in ended.out


NO_DATABASES = [
    "postgresql://cvms@/cvms?host=/nowhere",  # no socket
    "postgresql://cvms@127.0.0.1:1/cvms",  # nothing listens there
]


@pytest.mark.parametrize("url", NO_DATABASES)
def test_a_check_works_without_a_reachable_database(alone, monkeypatch, url):
    monkeypatch.setenv("CVMS_DATABASE_URL", url)

    ended = alone.cvms("check", alone.file("staff.csv", HEADER, NEW))

    assert (ended.code, ended.err) == (0, "")
    assert "in the file only: no database answers" in ended.out


def test_a_check_works_with_a_database_without_tables(
    alone, empty_database_url, monkeypatch
):
    monkeypatch.setenv("CVMS_DATABASE_URL", empty_database_url)

    ended = alone.cvms("check", alone.file("staff.csv", HEADER, NEW), "--json")

    assert (ended.code, ended.json["loadable"]) == (0, 1)
