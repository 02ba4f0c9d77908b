import shlex
import subprocess

import pytest

from cvms_pipeline import bootstrap
from cvms_pipeline.files import access
from cvms_pipeline.settings import loading


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.delenv("CVMS_DATABASE_URL", raising=False)
    for name in ("incoming", "archive", "reports", "work", "mail", "run"):
        (tmp_path / "data" / name).mkdir(parents=True, mode=0o700)
    return tmp_path


def test_private_folders_pass_the_check(home):
    bootstrap.check_permissions(loading.load(home=home))


def test_folders_that_do_not_exist_yet_pass_the_check(tmp_path):
    bootstrap.check_permissions(loading.load(home=tmp_path))


# A folder, a mode that is refused, and the remedy.
_OPEN = [
    ("data", 0o777, "chmod o-w '{}'"),
    ("data/archive", 0o755, "chmod o-rwx '{}'"),
    ("data/reports", 0o704, "chmod o-rwx '{}'"),
    ("data/work", 0o701, "chmod o-rwx '{}'"),
    ("data/mail", 0o755, "chmod o-rwx '{}'"),
    ("data/incoming", 0o755, "chmod o-rwx '{}'"),
    ("data/run", 0o750, "chmod go-rwx '{}'"),
]


@pytest.mark.parametrize(("name", "mode", "remedy"), _OPEN)
def test_a_folder_open_to_others_is_named_with_its_remedy(home, name, mode, remedy):
    (home / name).chmod(mode)

    with pytest.raises(access.OpenToOthers) as raised:
        bootstrap.check_permissions(loading.load(home=home))

    assert str(raised.value).splitlines()[1:] == [remedy.format(home / name)]


def test_the_remedy_closes_the_folder(home):
    folder = home / "data" / "mail"
    folder.chmod(0o777)

    with pytest.raises(access.OpenToOthers) as raised:
        access.check_closed({folder: 0o007})
    command = str(raised.value).splitlines()[1]
    subprocess.run(shlex.split(command), check=True)  # noqa: S603 - our own remedy

    access.check_closed({folder: 0o007})


def test_everything_that_is_open_is_named_at_once(home):
    for name in ("archive", "mail"):
        (home / "data" / name).chmod(0o777)

    with pytest.raises(access.OpenToOthers) as raised:
        bootstrap.check_permissions(loading.load(home=home))

    assert len(str(raised.value).splitlines()) == 3


def test_the_incoming_folder_can_be_passed_by_others_where_a_group_drops(home):
    (home / "data" / "incoming").chmod(0o711)

    bootstrap.check_permissions(loading.load(home=home, provider_group="staff"))


# A file of settings, whether it holds a secret, and whether others may then read it.
_FILES = [
    ("CVMS_SMTP_URL=smtp://u:p@mail.example.org\n", True),
    ("# a note\nexport CVMS_SECRET_KEY=" + "x" * 32 + "\n", True),
    ("CVMS_WORKERS=3\n# CVMS_SMTP_URL=smtp://mail.example.org\n", False),
]


@pytest.mark.parametrize(("text", "is_secret"), _FILES)
def test_a_file_with_a_password_must_be_closed_to_others(home, text, is_secret):
    env_file = home / ".env"
    env_file.write_text(text)
    env_file.chmod(0o644)
    chosen = loading.load(home=home)

    try:
        bootstrap.check_permissions(chosen)
        message = ""
    except access.OpenToOthers as error:
        message = str(error)

    assert (f"chmod o-rwx '{env_file}'" in message) == is_secret
    env_file.chmod(0o640)
    bootstrap.check_permissions(chosen)
