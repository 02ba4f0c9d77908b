"""As whom Postgres runs; the ways of root are only tried as root."""

import os
import pathlib
import pwd

import pytest

from cvms_pipeline.local.postgres import embedded, identity

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="these are the ways of root")


@pytest.fixture
def no_namespaces(monkeypatch: pytest.MonkeyPatch) -> pwd.struct_passwd:
    """A machine like most containers; somebody who exists stands in for the account."""
    somebody = pwd.getpwnam("nobody")
    monkeypatch.setattr(identity, "_NAMESPACE", ("false",))
    monkeypatch.setattr(identity, "_ensure_account", lambda: somebody)
    return somebody


def test_a_command_becomes_another_users() -> None:
    prefix = identity.build_prefix(7, 8, None)

    assert prefix == ("setpriv", "--reuid=7", "--regid=8", "--clear-groups")


def test_a_command_keeps_one_capability_if_it_needs_it() -> None:
    prefix = identity.build_prefix(7, 8, "dac_read_search")

    assert prefix[-2:] == (
        "--inh-caps=+dac_read_search",
        "--ambient-caps=+dac_read_search",
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root has other ways")
def test_an_ordinary_user_runs_it_directly(place: pathlib.Path) -> None:
    chosen = identity.choose_identity(place, pathlib.Path("/bin/true"))

    assert chosen == identity.Identity(uid=os.geteuid(), gid=os.getegid())


@as_root
def test_root_without_namespaces_runs_it_as_an_account(
    place: pathlib.Path, no_namespaces: pwd.struct_passwd
) -> None:
    server = embedded.EmbeddedPostgres(place / "data")

    server.start()

    try:
        assert server.is_running()
        assert (place / "data" / "postgres").stat().st_uid == no_namespaces.pw_uid
        assert {place.stat().st_uid, (place / "data").stat().st_uid} == {0}
        assert oct(place.stat().st_mode & 0o777) == "0o700"
    finally:
        server.stop()


@as_root
def test_data_of_a_system_user_keeps_its_owner(
    place: pathlib.Path, no_namespaces: pwd.struct_passwd
) -> None:
    embedded.EmbeddedPostgres(place / "data").ensure_initialised()

    chosen = identity.choose_identity(
        place / "data" / "postgres", pathlib.Path("/bin/true")
    )

    assert chosen.uid == no_namespaces.pw_uid


@as_root
def test_data_of_root_moves_to_the_account_where_namespaces_are_not_allowed(
    place: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded.EmbeddedPostgres(place / "data").ensure_initialised()
    monkeypatch.setattr(identity, "_NAMESPACE", ("false",))
    monkeypatch.setattr(identity, "_ensure_account", lambda: pwd.getpwnam("nobody"))
    server = embedded.EmbeddedPostgres(place / "data")

    server.start()

    assert server.is_running()
    server.stop()


@as_root
def test_root_without_any_way_gets_an_error_that_says_what_helps(
    place: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity, "_NAMESPACE", ("false",))
    monkeypatch.setattr(identity, "_ensure_account", lambda: None)

    with pytest.raises(identity.CannotRunAsRoot, match="CVMS_DATABASE_URL"):
        embedded.EmbeddedPostgres(place / "data").ensure_initialised()
