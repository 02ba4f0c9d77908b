"""The settings, read once and passed down: `Settings` and their sources.

Only this module reads the environment and the clock.  A `.env` file in the home folder
and the folder of secrets add to the environment; a real variable takes precedence over
both.  Each setting is defined in one of the other modules of this package.
"""

import dataclasses
import datetime as dt
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydantic
from pydantic.fields import FieldInfo

from cvms_pipeline.settings import groups, trust, variables, waiting

# Classes, not their modules, because fields of `Settings` have the modules' names.
from cvms_pipeline.settings.database import Database, Urls
from cvms_pipeline.settings.portal import Portal
from cvms_pipeline.settings.programme import Programme


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting, checked, in groups."""

    folders: groups.Folders
    database: Database
    mail: groups.Mail
    links: groups.Links
    web: groups.Web
    portal: Portal
    programme: Programme
    processing: groups.Processing
    retention: groups.Retention
    delays: waiting.Delays
    health: waiting.Health

    @property
    def urls(self) -> Urls:
        """Return the URLs of database and broker."""
        return Urls(chosen=self.database, run_folder=self.folders.run)

    def as_variables(self) -> dict[str, str]:
        """Return the variables and their values that give the same settings."""
        return {
            str(field.validation_alias): _as_text(value)
            for name, group in _GROUPS.items()
            for attribute, field in group.model_fields.items()
            if (value := getattr(getattr(self, name), attribute)) is not None
        }


_GROUPS: dict[str, type[variables.Group]] = {
    field.name: field.type  # type: ignore[misc]  # no strings, for nothing is deferred
    for field in dataclasses.fields(Settings)
}


def now() -> dt.datetime:
    """Return the time, aware, in UTC."""
    return dt.datetime.now(dt.UTC)


def get_service_actor() -> str:
    """Return the name of this process in the audit, when it is one of the service's.

    It contains the process's name under `cvms up`, if there is one.
    """
    name = os.environ.get("SUPERVISOR_PROCESS_NAME")
    return f"service/{name}" if name else "service"


def _find_home() -> Path:
    """Return the project folder: CVMS_HOME, else the folder of dagster.yaml.

    It is looked for in the working folder and its parents, then beside the package.
    """
    if home := os.environ.get("CVMS_HOME"):
        return Path(home).absolute()
    here = Path.cwd()
    places = [here, *here.parents, Path(__file__).parents[2]]
    return next((p for p in places if (p / "dagster.yaml").is_file()), here)


def load(*, home: Path | str | None = None, **overrides: Any) -> Settings:
    """Read and check the settings.

    Args:
        home: The home folder; default: CVMS_HOME, else the folder of dagster.yaml.
        overrides: Values that take precedence over the environment, named like the
            variables without their prefix: `port=4000`.

    Raises:
        SettingError: Names the variable, what is wrong with it and an example; or a
            variable that looks like a setting and is none; or what another user can
            change in the home, or may not be read.
    """
    try:
        return _load(home, overrides)
    except PermissionError as error:
        raise variables.SettingError(
            f"{error.filename} may not be read by the system user {os.geteuid()}, as"
            " whom you work. Work as a user who may read it, or set CVMS_HOME to a"
            " folder of your own; for example /srv/cvms"
        ) from None


def _load(home: Path | str | None, overrides: Mapping[str, Any]) -> Settings:
    home = Path(home or _find_home())
    if not home.is_dir():
        raise variables.SettingError(
            f"CVMS_HOME: there is no folder {home}; for example /srv/cvms"
        )
    if distrust := trust.explain_distrust(home):
        raise variables.SettingError("\n".join(distrust))
    env_file = home / ".env"
    values = {f"{variables.PREFIX}{k.upper()}": v for k, v in overrides.items()}
    values["CVMS_HOME"] = home
    # First without secrets, because this setting says in which folder they are.
    secrets = groups.Folders(_env_file=env_file, **values).secrets
    wrong = _explain_names(env_file, secrets)
    loaded: dict[str, Any] = {}
    for name, group in _GROUPS.items():
        try:
            loaded[name] = group(_env_file=env_file, _secrets_dir=secrets, **values)
        except pydantic.ValidationError as error:
            wrong += map(_explain_value, error.errors())
    if wrong:
        raise variables.SettingError("\n".join(wrong))
    return Settings(**loaded)


def get_all_variables() -> dict[str, FieldInfo]:
    """Return every setting by its variable, in the order of `.env.example`."""
    return {
        str(field.validation_alias): field
        for group in _GROUPS.values()
        for field in group.model_fields.values()
    }


def has_secret(env_file: Path) -> bool:
    """Return whether the file sets a variable that is secret."""
    secret = {name for name, field in get_all_variables().items() if not field.repr}
    return not secret.isdisjoint(_read_names(env_file))


def _read_names(env_file: Path) -> set[str]:
    """Return the variables that the file sets; none if it does not exist."""
    try:
        lines = env_file.read_text("utf-8", "replace").splitlines()
    except (FileNotFoundError, IsADirectoryError):
        return set()
    return {line.removeprefix("export ").partition("=")[0].strip() for line in lines}


def _explain_names(env_file: Path, secrets: Path | None) -> list[str]:
    """Return a sentence for each name that looks like a setting and is none."""
    known = list(get_all_variables())
    explain = variables.explain_names
    found = explain(os.environ, known, place="the environment", is_shared=True)
    found += explain(_read_names(env_file), known, place=str(env_file))
    if secrets is not None:
        mounted = [path.name for path in secrets.iterdir()]
        found += explain(mounted, known, place=str(secrets))
    return found


def _explain_value(problem: Any) -> str:
    name = str(problem["loc"][0])
    (example,) = get_all_variables()[name].examples or [""]
    return f"{name}: {variables.explain_value(problem)}; for example {example}"


def _as_text(value: object) -> str:
    if isinstance(value, pydantic.SecretStr):
        return value.get_secret_value()
    return str(value)
