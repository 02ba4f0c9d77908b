import pytest

from cvms_pipeline import opening, settings
from cvms_pipeline.files import permissions


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.delenv("CVMS_DATABASE_URL", raising=False)
    for name in ("incoming", "archive", "reports", "work", "mail", "run"):
        (tmp_path / "data" / name).mkdir(parents=True, mode=0o700)
    return tmp_path


def test_private_folders_are_as_they_should_be(home):
    opening.check_permissions(settings.load(home=home))


def test_what_is_not_there_yet_is_nobody_s(tmp_path):
    opening.check_permissions(settings.load(home=tmp_path))


# What must not be so, and the remedy that is told.
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
def test_a_folder_open_to_others_is_told_with_its_remedy(home, name, mode, remedy):
    (home / name).chmod(mode)

    with pytest.raises(permissions.OpenToOthers) as raised:
        opening.check_permissions(settings.load(home=home))

    assert str(raised.value).splitlines()[1:] == [remedy.format(home / name)]


def test_the_remedy_that_is_told_mends_it(home):
    rule = permissions.Rule(path=home / "data" / "mail", forbidden=0o007)
    rule.path.chmod(0o777)

    assert (rule.is_broken, rule.remedy.split()[:2]) == (True, ["chmod", "o-rwx"])

    rule.path.chmod(0o770)
    assert not rule.is_broken


def test_everything_that_is_open_is_told_at_once(home):
    for name in ("archive", "mail"):
        (home / "data" / name).chmod(0o777)

    with pytest.raises(permissions.OpenToOthers) as raised:
        opening.check_permissions(settings.load(home=home))

    assert len(str(raised.value).splitlines()) == 3


def test_the_incoming_folder_may_be_passed_by_others_where_a_group_drops(home):
    (home / "data" / "incoming").chmod(0o711)

    opening.check_permissions(settings.load(home=home, provider_group="staff"))


# A file of settings, whether it holds a secret, and whether others may then read it.
_FILES = [
    ("CVMS_SMTP_URL=smtp://u:p@mail.example.org\n", True),
    ("# a note\nexport CVMS_SECRET_KEY=" + "x" * 32 + "\n", True),
    ("CVMS_WORKERS=3\n# CVMS_SMTP_URL=smtp://mail.example.org\n", False),
]


@pytest.mark.parametrize(("text", "is_secret"), _FILES)
def test_a_file_with_a_password_may_not_be_read_by_others(home, text, is_secret):
    env_file = home / ".env"
    env_file.write_text(text)
    env_file.chmod(0o644)
    chosen = settings.load(home=home)

    try:
        opening.check_permissions(chosen)
        told = ""
    except permissions.OpenToOthers as error:
        told = str(error)

    assert (f"chmod o-rwx '{env_file}'" in told) == is_secret
    env_file.chmod(0o640)
    opening.check_permissions(chosen)
