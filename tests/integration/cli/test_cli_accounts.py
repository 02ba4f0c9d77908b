"""`cvms accounts` and the portal's own commands, each in a process of its own.

Django is set up once in a process, and its tables are migrated by `cvms db upgrade`.
"""

import json
import os
import subprocess
import sys
import uuid

import pytest
import sqlalchemy as sa
import terminals

SERVICE = "portal_service"
ANN = "ann@mercy.example.org"


@pytest.fixture(scope="module")
def urls(postgres):
    """The URLs of one database: of the role that migrates, and of the services."""
    with postgres.database("template0") as url:
        owner = url.replace("postgresql+psycopg2", "postgresql")
        yield owner, owner.replace("postgres@", f"{SERVICE}@")


@pytest.fixture(scope="module")
def cvms(urls, tmp_path_factory):
    """Run `cvms` on an installation that `cvms db upgrade` has migrated."""
    home = tmp_path_factory.mktemp("accounts")
    kept = {k: v for k, v in os.environ.items() if not k.startswith("CVMS_")}
    environment = {
        **kept,
        "CVMS_HOME": str(home),
        "CVMS_MIGRATION_DATABASE_URL": urls[0],
        "CVMS_DATABASE_URL": urls[1],
        "CVMS_PORTAL_URL": "https://vaccines.example.org",
    }

    def run(*words, module="cvms_pipeline.cli"):
        command = [sys.executable, "-m", module, *words]
        ended = subprocess.run(  # noqa: S603 # our own words
            command, env=environment, cwd=home, capture_output=True, text=True
        )
        return terminals.Ended(
            code=ended.returncode, out=ended.stdout, err=ended.stderr
        )

    assert run("db", "upgrade").code == 0
    words = ("--name", "Mercy", "--pin", "NCA123456", "--email", "staff@m.example.org")
    for slug in ("mercy", "other"):
        assert run("providers", "add", slug, *words).code == 0
    return run


@pytest.fixture(scope="module")
def ann(cvms):
    """The username of an account that was added."""
    ended = cvms("accounts", "add", ANN, "--provider", "mercy")
    assert ended.code == 0, ended.err
    return ended.out


def _find(cvms, username, *words):
    listed = cvms("accounts", "list", "--json", *words).json
    return [each for each in listed if each["username"] == username]


def test_a_new_account_is_told_what_happens_next(ann):
    assert ann.splitlines() == [
        f"Username: {ANN}",
        f"{ANN} gets a message with a link, as soon as `cvms up` runs.",
    ]


def test_the_list_has_the_account_until_it_has_a_password_as_invited(cvms, ann):
    (found,) = _find(cvms, ANN, "--provider", "mercy")

    assert found == {
        "username": ANN,
        "address": ANN,
        "role": "provider",
        "provider": "mercy",
        "is_read_only": False,
        "is_supervisor": False,
        "state": "invited",
        "last_login_at": None,
    }
    assert _find(cvms, ANN, "--provider", "other") == []
    assert ANN in cvms("accounts", "list").out


def test_the_same_account_is_not_added_twice(cvms, ann):
    ended = cvms("accounts", "add", ANN.upper(), "--provider", "mercy")

    assert ended.code == 1
    words = " ".join(ended.err.split())
    assert f"has this account already: {ANN}. Send its owner a new link" in words


def test_one_person_has_an_account_of_each_provider_and_of_data_ops(cvms, ann):
    other = cvms("accounts", "add", ANN, "--provider", "other", "--json").json
    words = ("--role", "data_ops", "--read-only", "--print", "--json")
    ops = cvms("accounts", "add", ANN, *words).json

    assert (other["username"], other["link"]) == (f"{ANN}.2", None)
    assert ops["username"] == f"{ANN}.3"
    begin = "https://vaccines.example.org/accounts/set-password/"
    assert ops["link"].startswith(begin)
    assert _find(cvms, f"{ANN}.3")[0]["is_read_only"]


def test_the_help_desk_has_staff_and_supervisors(cvms, ann):
    for address in ("desk@example.org", "lead@example.org"):
        more = ["--supervisor"] if address.startswith("lead") else []
        assert cvms("accounts", "add", address, "--role", "help_desk", *more).code == 0

    found = [_find(cvms, f"{name}@example.org")[0] for name in ("desk", "lead")]
    assert [each["is_supervisor"] for each in found] == [False, True]
    assert "help_desk, supervisor" in " ".join(cvms("accounts", "list").out.split())


UNCLEAR = "Name either the provider, or the role data_ops or help_desk."
REFUSED = [
    ((), UNCLEAR),
    (("--role", "provider"), UNCLEAR),
    (("--role", "data_ops", "--provider", "mercy"), UNCLEAR),
    (("--role", "requester"), UNCLEAR),
    (
        ("--provider", "mercy", "--read-only"),
        "--read-only is for accounts of the role data_ops.",
    ),
    (
        ("--role", "data_ops", "--supervisor"),
        "--supervisor is for accounts of the role help_desk.",
    ),
    (("--provider", "nobody"), "There is no provider 'nobody'"),
]


@pytest.mark.parametrize(("words", "text"), REFUSED)
def test_an_account_that_stands_for_nothing_is_not_added(cvms, words, text):
    ended = cvms("accounts", "add", "eve@example.org", *words)

    assert ended.code == 1
    assert text in " ".join(ended.err.split())


def test_none_of_those_was_added(cvms):
    assert _find(cvms, "eve@example.org") == []


def test_an_account_is_disabled_enabled_and_logged_out(cvms):
    cvms("accounts", "add", "bob@mercy.example.org", "--provider", "mercy")
    name = "bob@mercy.example.org"

    disabled = cvms("accounts", "disable", name)
    state = _find(cvms, name)[0]["state"]
    enabled = cvms("accounts", "enable", name)
    ended = cvms("accounts", "end-sessions", name)

    assert disabled.out == f"{name} can no longer log in.\n"
    assert state == "disabled"
    assert enabled.out == f"{name} can log in again.\n"
    assert _find(cvms, name)[0]["state"] == "invited"
    assert ended.out == f"{name} was logged out of 0 sessions.\n"


def test_a_new_link_is_printed(cvms, ann):
    ended = cvms("accounts", "link", ANN, "--print")

    said, link = ended.out.splitlines()[1:3]
    assert said == "Link to set a password; whoever has it can use it once:"
    assert link.startswith("https://vaccines.example.org/accounts/set-password/")


@pytest.mark.parametrize("command", ["disable", "link"])
def test_a_username_that_nobody_has_is_refused(cvms, command):
    ended = cvms("accounts", command, "nobody@example.org")

    assert ended.code == 1
    words = " ".join(ended.err.split())
    assert (
        "There is no account 'nobody@example.org'. See `cvms accounts list`." in words
    )


def test_all_of_it_is_in_the_audit_with_who_did_it_and_without_addresses(cvms):
    address = "cleo@canary.example.org"
    words = ("--provider", "mercy", "--print", "--json")
    assert cvms("accounts", "add", address, *words).code == 0
    cvms("accounts", "disable", address)

    entries = cvms("audit", "--json").json[:3]

    assert [each["event"] for each in entries] == [
        "account-disabled",
        "link-queued",
        "account-added",
    ]
    assert all(each["actor"].startswith("user:") for each in entries)
    assert "canary" not in json.dumps(entries)


def test_the_services_role_changes_no_table_of_the_portal(cvms, postgres, urls, ann):
    statements = [
        "CREATE TABLE portal.mine ()",
        "DROP TABLE portal.accounts_account",
        "ALTER TABLE portal.accounts_account ADD COLUMN mine text",
        "TRUNCATE portal.django_session",
    ]
    service = sa.create_engine(urls[1].replace("postgresql:", "postgresql+psycopg2:"))

    refused = []
    for statement in statements:
        with (
            service.connect() as conn,
            pytest.raises(sa.exc.ProgrammingError) as caught,
        ):
            conn.exec_driver_sql(statement)
        refused.append(type(caught.value.orig).__name__)
    with service.connect() as conn:
        count = conn.scalar(sa.text("SELECT count(*) FROM portal.accounts_account"))
    service.dispose()

    assert refused == ["InsufficientPrivilege"] * len(statements)
    assert count > 0


def test_django_finds_nothing_to_mend_in_the_settings(cvms):
    ended = cvms(
        *("check", "--deploy", "--fail-level", "INFO"),
        module="cvms_pipeline.portal.site.manage",
    )

    assert (ended.code, ended.err) == (0, "")
    assert "no issues" in ended.out


_ADD_RECIPIENT = sa.text(
    "INSERT INTO portal.accounts_account (id, password, username, email, role,"
    " provider, recipient, is_read_only, is_supervisor, first_name, last_name,"
    " is_active, link_nonce, added_at) VALUES (gen_random_uuid(), '!', :name, :name,"
    " 'recipient', '', :recipient, false, false, '', '', true, '', now())"
)


def test_recipients_are_listed_only_if_asked_for_and_end_with_their_removal(
    cvms, urls, tmp_path
):
    ids = [str(uuid.uuid4()) for _ in range(3)]
    service = sa.create_engine(urls[1].replace("postgresql:", "postgresql+psycopg2:"))
    with service.begin() as conn:
        for number, each in enumerate(ids):
            name = f"r{number}@b.example.org"
            conn.execute(_ADD_RECIPIENT, {"name": name, "recipient": each})
    service.dispose()
    removals = tmp_path / "removals.json"
    facts = {"case": "VACHCP0001002", "asked_at": "2026-01-05T10:00:00+00:00"}
    facts |= {"asked_by": ids[1], "approved_by": ids[2]}
    facts |= {"recipient": ids[0], "approved_at": facts["asked_at"]}
    removals.write_text(json.dumps([facts]))

    def list_names(*words):
        listed = cvms("accounts", "list", "--json", *words).json
        return [each["username"] for each in listed]

    assert not [name for name in list_names() if name.startswith("r0@")]
    recipients = ("--role", "recipient")
    assert len(list_names(*recipients)) == 3
    assert list_names(*recipients, "--limit", "1") == ["r0@b.example.org"]
    assert cvms("accounts", "link", "r1@b.example.org").code == 1
    assert cvms("removals", "again", str(removals)).code == 0
    assert list_names(*recipients) == ["r1@b.example.org", "r2@b.example.org"]
