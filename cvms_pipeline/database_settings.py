"""The settings of database and broker: which they are, and as whom we go there.

Part of `settings.Settings`, which reads them.  The services work as a role that may
neither make nor drop a table; who owns the tables is another, needed to migrate.
"""

from pathlib import Path
from typing import Annotated
from urllib.parse import quote, urlencode, urlsplit

import pydantic
import pydantic_settings

from cvms_pipeline import errors

_DRIVER = "postgresql+psycopg2://"


class NoDatabase(errors.PermanentError):
    """There is no database yet."""


def is_url(*schemes: str) -> pydantic.AfterValidator:
    """Return the check that a value is a URL of one of these schemes.

    What it says repeats no part of the value, which may hold a password.
    """

    def check(value: str | None) -> str | None:
        if value is None:
            return None
        if not value.startswith(tuple(f"{s}:" for s in schemes)):
            raise ValueError(f"must start with {' or '.join(f'{s}:' for s in schemes)}")
        if not _is_sound(value):
            raise ValueError(
                "is no URL; signs such as @ / : in a password are written %40 %2F %3A"
            )
        return value

    return pydantic.AfterValidator(check)


def _is_sound(url: str) -> bool:
    try:
        _ = urlsplit(url).port
    except ValueError:
        return False
    return True


_PostgresUrl = Annotated[str | None, is_url("postgresql", "postgresql+psycopg2")]


class DatabaseSettings(pydantic_settings.BaseSettings):
    """Where the tables are, and where runs wait for a worker."""

    database_url: _PostgresUrl = pydantic.Field(
        None,
        repr=False,
        description="A Postgres 14 or later; without it an embedded one is run.",
        examples=["postgresql://cvms_service:password@localhost:5432/cvms"],
    )
    migration_database_url: _PostgresUrl = pydantic.Field(
        None,
        repr=False,
        description=(
            "The same database as the role that owns the tables, for `cvms db upgrade`"
            " only; the role of CVMS_DATABASE_URL then needs no right to make or drop"
            " any. Default: CVMS_DATABASE_URL."
        ),
        examples=["postgresql://cvms:password@localhost:5432/cvms"],
    )
    broker_url: str | None = pydantic.Field(
        None,
        repr=False,
        description="The Celery broker; default: the same Postgres.",
        examples=["redis://localhost:6379/0"],
    )
    result_backend_url: str | None = pydantic.Field(
        None,
        repr=False,
        description="The Celery result backend; default: the same Postgres.",
        examples=["redis://localhost:6379/1"],
    )

    @property
    def run_folder(self) -> Path:
        """Return the folder in which `local` leaves what it tells the others."""
        raise NotImplementedError

    @property
    def embedded_url_file(self) -> Path:
        """Return the 0600 file in which `local` leaves the embedded server's URL."""
        return self.run_folder / "database_url"

    @property
    def embedded_owner_url_file(self) -> Path:
        """Return the 0600 file with the URL of the role that owns the tables."""
        return self.run_folder / "owner_url"

    @property
    def store_url(self) -> str:
        """Return the URL of the Postgres that the services use, for psycopg2.

        Raises:
            NoDatabase: If none is set and no embedded one has been made yet.
        """
        return _for_driver(self.database_url or _left_in(self.embedded_url_file))

    @property
    def owner_url(self) -> str:
        """Return the same as the role that owns the tables: to migrate and restore.

        Raises:
            NoDatabase: If none is set and no embedded one has been made yet.
        """
        if self.database_url is None:
            return _for_driver(_left_in(self.embedded_owner_url_file))
        return _for_driver(self.migration_database_url or self.database_url)

    def schema_url(self, schema: str) -> str:
        """Return `store_url` with `schema` as its search path."""
        url = self.store_url
        mark = "&" if "?" in url else "?"
        return (
            url
            + mark
            + urlencode({"options": f"-csearch_path={schema}"}, quote_via=quote)
        )

    @property
    def celery_broker(self) -> str:
        """Return the URL of the broker that hands runs to the workers."""
        return self.broker_url or f"sqla+{self.schema_url('celery')}"

    @property
    def celery_backend(self) -> str:
        """Return the URL where the workers leave how a run's task ended."""
        return self.result_backend_url or f"db+{self.schema_url('celery')}"


def _for_driver(url: str) -> str:
    return _DRIVER + url.partition("://")[2]


def _left_in(file: Path) -> str:
    try:
        return file.read_text().strip()
    except FileNotFoundError:
        raise NoDatabase(
            "There is no database yet. Start the embedded one with `cvms up`,"
            " or set CVMS_DATABASE_URL, for example"
            " postgresql://cvms:password@localhost:5432/cvms"
        ) from None
