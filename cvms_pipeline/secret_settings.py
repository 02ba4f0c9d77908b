"""The settings that are secrets, and where they may come from besides the environment.

Part of `settings.Settings`, which reads them.  Docker and Kubernetes mount secrets as
files in a folder, each called like its variable.
"""

from pathlib import Path

import pydantic
import pydantic_settings

from cvms_pipeline import errors

_PREFIX = "CVMS_"
NAMES = (
    *("database_url", "migration_database_url", "broker_url", "result_backend_url"),
    *("smtp_url", "secret_key"),
)
"""Whose values are or hold a password; no error, log or process list has them."""


class SecretsMissing(errors.PermanentError):
    """The folder of secrets is not there."""


class SecretSettings(pydantic_settings.BaseSettings):
    """Where secrets lie as files."""

    model_config = pydantic_settings.SettingsConfigDict(
        env_prefix=_PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True
    )

    secrets_dir: Path | None = pydantic.Field(
        None,
        description=(
            "A folder in which a file called like a variable, CVMS_SMTP_URL for"
            " example, holds its value, as Docker and Kubernetes mount secrets; a"
            " variable goes before its file."
        ),
        examples=["/run/secrets"],
    )


def folder(home: Path, chosen: Path | str | None = None) -> Path | None:
    """Return the folder of secrets, or None; `chosen` goes before the environment.

    Raises:
        SecretsMissing: If there is no such folder.
    """
    named = chosen or SecretSettings(_env_file=home / ".env").secrets_dir
    if named is None:
        return None
    found = home / named
    if not found.is_dir():
        raise SecretsMissing(
            f"{_PREFIX}SECRETS_DIR: there is no folder {found}; for example"
            " /run/secrets"
        )
    return found


def are_in(env_file: Path) -> bool:
    """Return whether the file sets a variable whose value nobody else should know."""
    secret = {f"{_PREFIX}{name.upper()}" for name in NAMES}
    return not secret.isdisjoint(variables_in(env_file))


def variables_in(env_file: Path) -> set[str]:
    """Return the names of the variables that the file sets; none if it is not there."""
    try:
        lines = env_file.read_text("utf-8", "replace").splitlines()
    except (FileNotFoundError, IsADirectoryError):
        return set()
    return {line.removeprefix("export ").partition("=")[0].strip() for line in lines}
