import pytest

DUKE = ("duke", "--name", "Duke [Clinic]", "--email", "a@duke.example.org")


def test_adding_a_provider_makes_its_folders(terminal):
    ended = terminal.cvms("providers", "add", *DUKE, "--email", "b@x.org", "--json")

    facts = ended.json
    assert ended.code == 0
    assert facts.pop("created_at")
    assert facts == {
        "slug": "duke",
        "name": "Duke [Clinic]",
        "vfc_pin": "VAC2021",
        "emails": ["a@duke.example.org", "b@x.org"],
        "is_enabled": True,
        "folders": {
            name: str(terminal.lane("duke", name))
            for name in ("low_volume", "high_volume", "results")
        },
    }
    assert terminal.lane("duke", "results").is_dir()


WRONG = [
    (("Bad Slug", *DUKE[1:]), "slug"),
    ((*DUKE, "--pin", "123"), "VFC PIN"),
    (("duke", "--name", "Duke", "--email", "nobody"), "--email names is no e-mail"),
]


@pytest.mark.parametrize(("words", "error"), WRONG)
def test_a_wrong_fact_is_reported_and_nothing_is_created(terminal, words, error):
    ended = terminal.cvms("providers", "add", *words)

    assert (ended.code, ended.out) == (1, "")
    assert error in ended.err
    assert not terminal.lane("duke").exists()
    assert terminal.cvms("providers", "list", "--json").json == []


def test_a_provider_is_added_once(terminal, mercy):
    again = ("--name", "Other", "--email", "a@b.org")

    ended = terminal.cvms("providers", "add", mercy, *again)

    assert ended.code == 1
    assert "already" in ended.err


def test_a_provider_is_not_added_if_its_folders_cannot_be_created(
    terminal, monkeypatch
):
    monkeypatch.setenv("CVMS_PROVIDER_GROUP", "no-such-group-2")

    ended = terminal.cvms("providers", "add", *DUKE)

    assert (ended.code, "CVMS_PROVIDER_GROUP" in ended.err) == (1, True)
    assert terminal.cvms("providers", "list", "--json").json == []


def test_showing_a_provider_counts_its_uploads_and_recipients(terminal, done, mercy):
    facts = terminal.cvms("providers", "show", mercy, "--json").json

    assert (facts["uploads"], facts["recipients"]) == (1, 2)
    assert facts["folders"]["low_volume"] == str(terminal.lane(mercy))
    assert str(terminal.lane(mercy)) in terminal.cvms("providers", "show", mercy).out


def test_a_disabled_provider_is_shown_as_such_until_it_is_enabled(terminal, mercy):
    assert terminal.cvms("providers", "disable", mercy).code == 0
    (disabled,) = terminal.cvms("providers", "list", "--json").json
    shown = terminal.cvms("providers", "list").out
    terminal.lane(mercy).rmdir()
    assert terminal.cvms("providers", "enable", mercy).code == 0
    (enabled,) = terminal.cvms("providers", "list", "--json").json

    assert (disabled["is_enabled"], enabled["is_enabled"]) == (False, True)
    assert "not taken" in shown
    assert terminal.lane(mercy).is_dir()


@pytest.mark.parametrize("verb", ["show", "disable", "enable"])
def test_an_unknown_provider_is_reported_with_the_command_that_lists_them(
    terminal, verb
):
    ended = terminal.cvms("providers", verb, "nobody")

    assert (ended.code, ended.out) == (1, "")
    assert "cvms providers list" in ended.err


def test_a_database_without_tables_is_reported_and_can_be_upgraded(
    alone, empty_database_url, monkeypatch
):
    monkeypatch.setenv("CVMS_DATABASE_URL", empty_database_url)

    before = alone.cvms("providers", "list")
    upgraded = alone.cvms("db", "upgrade")
    after = alone.cvms("providers", "list", "--json")

    assert (before.code, "cvms db upgrade" in before.err) == (1, True)
    assert (upgraded.code, after.code, after.json) == (0, 0, [])
