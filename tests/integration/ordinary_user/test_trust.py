"""A home of another user is not obeyed."""

import os
import tempfile
from pathlib import Path

import pytest
import users

from cvms_pipeline.settings import loading, trust, variables


@pytest.fixture
def home(monkeypatch):
    """A home that root has made, where others can reach it; no setting is made."""
    for name in [name for name in os.environ if name.startswith("CVMS_")]:
        monkeypatch.delenv(name)
    with tempfile.TemporaryDirectory(prefix="cvms-home-") as name:
        made = Path(name)
        made.chmod(0o755)
        (made / "below").mkdir()
        (made / "dagster.yaml").touch()
        (made / ".env").write_text("CVMS_PORT=4000\n")
        yield made


@pytest.mark.parametrize("name", [".", "dagster.yaml", ".env"])
def test_a_home_of_another_user_above_the_working_folder_is_refused(
    home, monkeypatch, name
):
    os.chown(home / name, users.PROVIDER, users.PROVIDER)
    monkeypatch.chdir(home / "below")

    with pytest.raises(variables.SettingError) as raised:
        loading.load()

    assert str(raised.value) == (
        f"{home / name} belongs to the system user {users.PROVIDER}, who would decide"
        " what runs as you. Work as that user, or if you trust all that is in it:"
        f" chown 0 '{home / name}'"
    )


def test_a_home_that_is_ours_is_obeyed(home, monkeypatch):
    monkeypatch.chdir(home / "below")

    assert loading.load().web.port == 4000


@pytest.mark.parametrize(
    ("owner", "is_refused"),
    [(users.SERVICE, False), (0, False), (users.PROVIDER, True)],
)
def test_an_ordinary_user_obeys_its_own_home_and_that_of_root(home, owner, is_refused):
    for path in (home, *home.iterdir()):
        os.chown(path, owner, owner)

    with users.working_as(users.SERVICE):
        distrust = trust.explain_distrust(home)

    assert bool(distrust) == is_refused


@pytest.mark.parametrize(
    ("name", "closed"), [(".env", ".env"), ("dagster.yaml", ".")], ids=["file", "home"]
)
def test_a_home_that_may_not_be_read_is_named(home, monkeypatch, name, closed):
    monkeypatch.setenv("CVMS_HOME", str(home))
    (home / closed).chmod(0o700)

    with users.working_as(users.SERVICE), pytest.raises(variables.SettingError) as got:
        loading.load()

    assert str(got.value) == (
        f"{home / name} may not be read by the system user {users.SERVICE}, as whom you"
        " work. Work as a user who may read it, or set CVMS_HOME to a folder of your"
        " own; for example /srv/cvms"
    )


def test_a_home_that_another_group_can_write_is_refused(home):
    os.chown(home, 0, users.PROVIDER)
    home.chmod(0o775)

    (problem,) = trust.explain_distrust(home)

    assert problem.endswith(f"chmod go-w '{home}'")


def test_a_home_that_the_own_group_can_write_is_obeyed(home):
    home.chmod(0o775)

    assert trust.explain_distrust(home) == []
