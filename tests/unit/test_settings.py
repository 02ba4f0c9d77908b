"""Settings from the environment, and the error texts for wrong ones."""

import datetime as dt
import os
import zoneinfo
from pathlib import Path

import pytest

from cvms_pipeline.settings import database, loading, variables

OWN_URL = "postgresql://cvms:canary-password@db.example.org/cvms"


@pytest.fixture(autouse=True)
def without_settings(monkeypatch):
    for name in [name for name in os.environ if name.startswith("CVMS_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def load(tmp_path):
    return lambda **values: loading.load(home=tmp_path, **values)


# A wrong value, and how the error text begins.
WRONG = [
    ({"workers": "none"}, "CVMS_WORKERS: "),
    ({"workers": 0}, "CVMS_WORKERS: "),
    ({"database_url": "mysql://localhost/cvms"}, "CVMS_DATABASE_URL: must start with"),
    ({"smtp_url": "http://mail.example.org"}, "CVMS_SMTP_URL: must start with smtp:"),
    ({"portal_url": "vaccines.example.org"}, "CVMS_PORTAL_URL: must start with http:"),
    ({"timezone": "Carolina"}, "CVMS_TIMEZONE: "),
    ({"data_ops_email": "nobody"}, "CVMS_DATA_OPS_EMAIL: "),
    ({"secret_key": "short"}, "CVMS_SECRET_KEY: "),
    ({"port": 70000}, "CVMS_PORT: "),
]


# A wrong value of every kind of setting, and the whole error text.
IN_WORDS = [
    ({"workers": "1.5"}, "CVMS_WORKERS: must be a whole number; for example 4"),
    ({"workers": "9" * 5000}, "CVMS_WORKERS: must be a whole number; for example 4"),
    ({"port": "0"}, "CVMS_PORT: must be at least 1; for example 3000"),
    ({"port": "70000"}, "CVMS_PORT: must be at most 65535; for example 3000"),
    (
        {"settle_seconds": "soon"},
        "CVMS_SETTLE_SECONDS: must be a number; for example 5",
    ),
    (
        {"warning_free_percent": "nan"},
        "CVMS_WARNING_FREE_PERCENT: must be at most 100; for example 10",
    ),
    (
        {"read_only": "maybe"},
        "CVMS_READ_ONLY: must be true or false; for example true",
    ),
    (
        {"secret_key": "short"},
        "CVMS_SECRET_KEY: must have at least 32 characters; for example"
        " at-least-32-characters-of-random-text",
    ),
    (
        {"mail_from": ""},
        "CVMS_MAIL_FROM: must have at least 3 characters; for example"
        " Vaccines <vaccines@example.org>",
    ),
    (
        {"data_ops_email": "a@b.org, c@d.org"},
        "CVMS_DATA_OPS_EMAIL: must be one e-mail address; for example"
        " data-ops@example.org",
    ),
    (
        {"timezone": "Carolina"},
        "CVMS_TIMEZONE: must be the name of a time zone; for example America/New_York",
    ),
    (
        {"metrics_host": "localhost"},
        "CVMS_METRICS_HOST: must be four numbers with dots between them; for example"
        " 127.0.0.1",
    ),
]


@pytest.mark.parametrize(("values", "answer"), IN_WORDS)
def test_a_wrong_setting_is_explained_in_plain_words(load, monkeypatch, values, answer):
    for name, value in values.items():
        monkeypatch.setenv(f"CVMS_{name.upper()}", value)

    with pytest.raises(variables.SettingError) as caught:
        load()

    assert str(caught.value) == answer


@pytest.mark.parametrize(("values", "answer"), WRONG)
def test_a_wrong_setting_is_named_with_an_example(load, values, answer):
    with pytest.raises(variables.SettingError) as caught:
        load(**values)

    assert str(caught.value).startswith(answer)
    assert "; for example " in str(caught.value)
    assert caught.value.__cause__ is None


def test_every_wrong_setting_is_named_at_once(load):
    with pytest.raises(variables.SettingError) as caught:
        load(workers=0, port=0)

    assert "CVMS_WORKERS" in str(caught.value)
    assert "CVMS_PORT" in str(caught.value)


def test_a_misspelt_setting_is_named_with_the_one_that_may_be_meant(load, monkeypatch):
    monkeypatch.setenv("CVMS_WORKRES", "3")

    with pytest.raises(variables.SettingError) as caught:
        load(port=0)

    assert str(caught.value).splitlines()[0] == (
        "CVMS_WORKRES, set in the environment, is no setting; is CVMS_WORKERS meant?"
        " All are in .env.example."
    )
    assert "CVMS_PORT: " in str(caught.value)


def test_a_name_that_resembles_no_setting_is_reported_without_a_suggestion(
    load, tmp_path
):
    (tmp_path / ".env").write_text("CVMS_COLOUR=canary\n")

    with pytest.raises(variables.SettingError) as caught:
        load()

    assert str(caught.value) == (
        f"CVMS_COLOUR, set in {tmp_path / '.env'}, is no setting."
        " All are in .env.example."
    )


def test_an_unknown_variable_in_the_environment_is_ignored(load, monkeypatch):
    monkeypatch.setenv("CVMS_COLOUR", "red")

    assert load().processing.workers == 3


@pytest.mark.parametrize("line", ["CVMS_SMTP_ULR=x", "export cvms_smtp_ulr='x'"])
def test_a_misspelt_setting_is_found_in_the_env_file(load, tmp_path, line):
    (tmp_path / ".env").write_text(f"# CVMS_NOTHING=1\nOTHER=1\n\n{line}\n")

    with pytest.raises(variables.SettingError, match=r"\.env, is no .*SMTP_URL mea"):
        load()


def test_a_misspelt_secret_is_found_among_the_files(load, tmp_path):
    (tmp_path / "CVMS_SECRETKEY").write_text("canary" * 8)
    (tmp_path / "postgresql-password").touch()  # of something else

    with pytest.raises(variables.SettingError, match="CVMS_SECRET_KEY meant") as caught:
        load(secrets_dir=tmp_path)

    assert "canary" not in str(caught.value)


# What Kubernetes sets in every pod for services called cvms-ui and cvms-metrics.
FOREIGN = {
    "CVMS_UI_SERVICE_HOST": "10.0.0.7",
    "CVMS_UI_SERVICE_PORT": "80",
    "CVMS_UI_SERVICE_PORT_HTTP": "80",
    "CVMS_UI_PORT": "tcp://10.0.0.7:80",
    "CVMS_METRICS_PORT_3002_TCP": "tcp://10.0.0.8:3002",
    "CVMS_METRICS_PORT_3002_TCP_PROTO": "tcp",
    "CVMS_METRICS_PORT_3002_TCP_ADDR": "10.0.0.8",
}


def test_variables_that_kubernetes_sets_are_not_misspelt_settings(load, monkeypatch):
    for name, value in FOREIGN.items():
        monkeypatch.setenv(name, value)

    assert load().web.port == 3000


def test_a_password_is_shown_neither_in_an_error_nor_in_the_settings(load):
    with pytest.raises(variables.SettingError) as caught:
        load(smtp_url="ftp://user:canary-password@mail.example.org")

    assert "canary" not in str(caught.value)
    assert "canary" not in repr(load(database_url=OWN_URL, secret_key="canary" * 8))


def test_every_setting_has_a_description_and_an_example_that_is_accepted(load):
    for name, field in loading.get_all_variables().items():
        assert field.description, name
        if name not in ("CVMS_HOME", "CVMS_SECRETS_DIR"):  # which must exist
            load(**{name.removeprefix("CVMS_").lower(): field.examples[0]})


def test_the_environment_takes_precedence_over_the_env_file(
    load, tmp_path, monkeypatch
):
    (tmp_path / ".env").write_text("CVMS_PORT=4001\nCVMS_WORKERS=3\nOTHER=1\n")
    monkeypatch.setenv("CVMS_WORKERS", "5")

    loaded = load()

    assert (loaded.web.port, loaded.processing.workers) == (4001, 5)


def test_folders_are_in_the_data_folder_unless_one_is_set(load, tmp_path):
    loaded = load(data_dir="kept", archive_dir="/mnt/archive")

    assert loaded.folders.path("incoming") == tmp_path / "kept" / "incoming"
    assert loaded.folders.path("mail") == tmp_path / "kept" / "mail"
    assert loaded.folders.path("archive") == Path("/mnt/archive")


def test_the_home_is_the_one_that_is_set_or_the_folder_of_dagster_yaml(
    tmp_path, monkeypatch
):
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "dagster.yaml").touch()
    monkeypatch.chdir(inner)

    assert loading.load().folders.home == tmp_path

    monkeypatch.setenv("CVMS_HOME", str(inner))
    assert loading.load().folders.home == inner


def test_a_home_that_does_not_exist_is_reported(load, tmp_path, monkeypatch):
    monkeypatch.setenv("CVMS_HOME", str(tmp_path / "typing error"))

    with pytest.raises(variables.SettingError, match=r"^CVMS_HOME: there is no folder"):
        loading.load()


@pytest.mark.parametrize("name", [".", "dagster.yaml", ".env"])
@pytest.mark.parametrize(("mode", "is_refused"), [(0o002, True), (0o011, False)])
def test_a_home_or_env_file_that_others_can_write_is_refused(
    load, tmp_path, name, mode, is_refused
):
    for file in ("dagster.yaml", ".env"):
        (tmp_path / file).touch(mode=0o600)
    path = tmp_path / name
    path.chmod(path.stat().st_mode | mode)

    if not is_refused:
        load()
        return
    with pytest.raises(variables.SettingError) as raised:
        load()

    assert str(raised.value) == (
        f"Other users can write to {path}, and so decide what runs as you. Check its"
        f" content, then run: chmod go-w '{path}'"
    )


def test_without_a_dagster_yaml_the_home_is_beside_the_package(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert (loading.load().folders.home / "cvms_pipeline").is_dir()


def test_broker_and_result_backend_default_to_the_same_postgres(load):
    loaded = load(database_url=OWN_URL)

    assert loaded.urls.store == OWN_URL.replace("postgresql:", "postgresql+psycopg2:")
    assert loaded.urls.broker == (
        f"sqla+{loaded.urls.store}?options=-csearch_path%3Dcelery%20-ctimezone%3DUTC"
    )
    assert loaded.urls.result_backend == (
        f"db+{loaded.urls.store}?options=-csearch_path%3Dcelery%20-ctimezone%3DUTC"
    )
    assert loaded.urls.schema("dagster").endswith(
        "search_path%3Ddagster%20-ctimezone%3DUTC"
    )


def test_a_schema_is_added_to_a_url_that_has_other_options(load):
    loaded = load(database_url=f"{OWN_URL}?sslmode=require")

    assert loaded.urls.schema("celery") == (
        f"{loaded.urls.store}&options=-csearch_path%3Dcelery%20-ctimezone%3DUTC"
    )


def test_the_broker_may_be_redis(load):
    loaded = load(
        database_url=OWN_URL,
        broker_url="redis://localhost:6379/0",
        result_backend_url="redis://localhost:6379/1",
    )

    assert loaded.urls.broker == "redis://localhost:6379/0"
    assert loaded.urls.result_backend == "redis://localhost:6379/1"


def test_the_embedded_database_is_found_by_its_url_file(load):
    loaded = load()
    loaded.urls.embedded_file.parent.mkdir(parents=True)
    loaded.urls.embedded_file.write_text("postgresql://cvms@/cvms?host=/tmp/x\n")

    assert loaded.urls.store == "postgresql+psycopg2://cvms@/cvms?host=/tmp/x"


def test_a_missing_database_is_reported_with_a_remedy(load):
    with pytest.raises(database.NoDatabase, match="cvms up"):
        _ = load().urls.store


def test_the_ui_is_where_it_listens_unless_a_url_is_set(load):
    assert load(port=4000).web.ui_url == "http://127.0.0.1:4000"
    assert (
        load(dagster_url="https://d.example.org/").web.ui_url == "https://d.example.org"
    )


def test_the_time_zone_is_that_of_north_carolina_and_the_clock_is_in_utc(load):
    assert load().processing.timezone == zoneinfo.ZoneInfo("America/New_York")
    assert loading.now().tzinfo is dt.UTC
