"""The settings: environment variables `CVMS_...`, read once, passed down.

Only here are the environment and the clock read.  What a setting means is said
in its description, which `.env.example` repeats.  A `.env` file in the home
folder counts as part of the environment; a real variable goes before it.
"""

import datetime as dt
import os
import re
import zoneinfo
from pathlib import Path
from typing import Annotated, Any

import pydantic
import pydantic_settings

from cvms_pipeline import (
    database_settings,
    errors,
    health_settings,
    retention_settings,
    secret_settings,
    setting_names,
    wrong_values,
)
from cvms_pipeline.domain import upload

PREFIX = setting_names.PREFIX


class SettingError(errors.PermanentError):
    """A setting cannot be used."""


def now() -> dt.datetime:
    """Return the time, aware, in UTC."""
    return dt.datetime.now(dt.UTC)


def _one_address(value: str) -> str:
    if not _ADDRESS.fullmatch(value):
        raise ValueError("must be one e-mail address")
    return value


_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")
_MAIL = ("smtp", "smtp+starttls", "smtps")
_MailUrl = Annotated[str | None, database_settings.is_url(*_MAIL)]
_WebUrl = Annotated[str, database_settings.is_url("http", "https")]


class Settings(
    database_settings.DatabaseSettings,
    health_settings.HealthSettings,
    retention_settings.RetentionSettings,
    secret_settings.SecretSettings,
):
    """Every setting, checked; folders are absolute.

    Raises:
        SettingError: Through `load`, when a value cannot be used.
    """

    model_config = pydantic_settings.SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True
    )

    home: Path = pydantic.Field(
        Path(),
        description="The folder with dagster.yaml; relative folders start here.",
        examples=["/srv/cvms"],
    )
    data_dir: Path = pydantic.Field(
        Path("data"),
        description="Where everything the pipeline keeps lies unless said otherwise.",
        examples=["/var/lib/cvms"],
    )
    incoming_dir: Path | None = pydantic.Field(
        None,
        description="Where providers drop files; default: data/incoming.",
        examples=["/mnt/uploads"],
    )
    archive_dir: Path | None = pydantic.Field(
        None,
        description="Where the received bytes are kept; default: data/archive.",
        examples=["/mnt/archive"],
    )
    reports_dir: Path | None = pydantic.Field(
        None,
        description="Where error reports are kept; default: data/reports.",
        examples=["/mnt/reports"],
    )
    provider_group: str | None = pydantic.Field(
        None,
        description="The system group that may write into the providers' folders.",
        examples=["cvms-uploaders"],
    )
    workers: int = pydantic.Field(
        3,
        ge=1,
        le=256,
        description="How many uploads are worked on at the same time.",
        examples=["4"],
    )
    smtp_url: _MailUrl = pydantic.Field(
        None,
        repr=False,
        description=(
            "The mail server: smtps:// with TLS from the start, smtp+starttls:// with"
            " STARTTLS or not at all, smtp:// with STARTTLS where it is offered;"
            " without it messages go to a Maildir, data/mail."
        ),
        examples=["smtp+starttls://user:password@mail.example.org:587"],
    )
    mail_from: str = pydantic.Field(
        "Vaccine Management System <nccvms@dhhs.nc.gov>",
        min_length=3,
        description="The sender of every message.",
        examples=["Vaccines <vaccines@example.org>"],
    )
    data_ops_email: Annotated[str, pydantic.AfterValidator(_one_address)] = (
        pydantic.Field(
            "data-ops@example.org",
            description="Who is told when a run has failed or a folder is unknown.",
            examples=["data-ops@example.org"],
        )
    )
    secret_key: pydantic.SecretStr | None = pydantic.Field(
        None,
        min_length=32,
        description=(
            "Signs the set-password links; without it one is made and kept in the"
            " data folder."
        ),
        examples=["at-least-32-characters-of-random-text"],
    )
    link_days: int = pydantic.Field(
        14,
        ge=1,
        le=365,
        description="For how many days a set-password link is valid.",
        examples=["14"],
    )
    portal_url: _WebUrl = pydantic.Field(
        "http://127.0.0.1:3001",
        description="Where set-password links lead.",
        examples=["https://vaccines.example.org"],
    )
    dagster_url: _WebUrl | None = pydantic.Field(
        None,
        description="The Dagster UI as data-ops reach it; default: host and port.",
        examples=["https://dagster.example.org"],
    )
    host: str = pydantic.Field(
        "127.0.0.1",
        description="The address the Dagster UI listens on; it has no log-in.",
        examples=["127.0.0.1"],
    )
    port: int = pydantic.Field(
        3000,
        ge=1,
        le=65535,
        description="The port of the Dagster UI.",
        examples=["3000"],
    )
    read_only: bool = pydantic.Field(
        False,
        description="Whether the Dagster UI only shows, and refuses every change.",
        examples=["true"],
    )
    timezone: zoneinfo.ZoneInfo = pydantic.Field(
        zoneinfo.ZoneInfo("America/New_York"),
        description="Whose calendar says what `today` is for birth dates.",
        examples=["America/New_York"],
    )
    settle_seconds: float = pydantic.Field(
        2.0,
        ge=0,
        le=3600,
        description=(
            "How long a file must be unchanged where the system cannot tell whether"
            " a writer still has it open."
        ),
        examples=["5"],
    )
    max_bytes: int = pydantic.Field(
        upload.MAX_BYTES,
        ge=1,
        description="The largest upload that is read, in bytes.",
        examples=["10000000"],
    )
    rejected_warning_percent: float = pydantic.Field(
        20.0,
        ge=0,
        le=100,
        description="Above this share of rejected rows a check warns data-ops.",
        examples=["20"],
    )

    def folder(self, name: str) -> Path:
        """Return the absolute folder `name`: a setting's, or one in the data folder."""
        chosen: Path | None = getattr(self, f"{name}_dir", None)
        return self.home / (chosen or self.data_dir / name)

    @property
    def data(self) -> Path:
        """Return the absolute data folder."""
        return self.home / self.data_dir

    @property
    def ui_url(self) -> str:
        """Return where data-ops find the Dagster UI, without a closing slash."""
        return (self.dagster_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def run_folder(self) -> Path:
        """Return the folder in which `local` leaves what it tells the others."""
        return self.data / "run"


def service_actor() -> str:
    """Return as whom the audit names this process when it is one of the service's.

    With the name that it has under `cvms up`, so far as it has one.
    """
    name = os.environ.get("SUPERVISOR_PROCESS_NAME")
    return f"service/{name}" if name else "service"


def work_as_owner() -> None:
    """Let this process go to the database as the role that owns the tables."""
    os.environ[f"{PREFIX}DATABASE_URL"] = load().owner_url


def find_home() -> Path:
    """Return the project folder: CVMS_HOME, else where dagster.yaml is found.

    Looked for in the working folder and its parents, then beside the package.
    """
    named = os.environ.get(f"{PREFIX}HOME")
    if named:
        return Path(named).absolute()
    here = Path.cwd()
    places = [here, *here.parents, Path(__file__).parent.parent]
    return next((p for p in places if (p / "dagster.yaml").is_file()), here)


def load(**overrides: Any) -> Settings:
    """Read and check the settings; `overrides` go before the environment.

    Raises:
        SettingError: Names the variable, what is wrong with it and an example; or a
            variable that looks like a setting and is none.
        SecretsMissing: If there is no CVMS_SECRETS_DIR where it should be.
    """
    home = Path(overrides.pop("home", None) or find_home())
    if not home.is_dir():
        raise SettingError(
            f"{PREFIX}HOME: there is no folder {home}; for example /srv/cvms"
        )
    wrong: list[str] = []
    env_file = home / ".env"
    try:
        folder = secret_settings.folder(home, overrides.get("secrets_dir"))
        wrong += _unknown(env_file, folder)
        loaded = Settings(
            _env_file=env_file, _secrets_dir=folder, home=home, **overrides
        )
    except pydantic.ValidationError as error:
        wrong += map(_explain, error.errors())
    if wrong:
        raise SettingError("\n".join(wrong))
    return loaded


def _unknown(env_file: Path, secrets: Path | None) -> list[str]:
    """Return what is to be said of names that look like settings and are none."""
    known = [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]
    in_file = secret_settings.variables_in(env_file)
    found = [
        *setting_names.misspelt(os.environ, known),
        *setting_names.unknown(in_file, known, place=str(env_file)),
    ]
    if secrets is not None:
        mounted = [path.name for path in secrets.iterdir()]
        found += setting_names.unknown(mounted, known, place=str(secrets))
    return found


def _explain(problem: Any) -> str:
    name = str(problem["loc"][0]) if problem["loc"] else "?"
    example = (
        Settings.model_fields[name].examples if name in Settings.model_fields else []
    )
    said = wrong_values.said(problem)
    return f"{PREFIX}{name.upper()}: {said}; for example {(example or [''])[0]}"
