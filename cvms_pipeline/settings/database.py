"""The settings of database and broker, and the URLs that follow from them.

The services use a role that can neither create nor drop a table.  Another role owns
the tables and migrates them.  `database.roles` grants each role its rights.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import quote, urlencode

from cvms_pipeline import errors
from cvms_pipeline.database import schemas
from cvms_pipeline.settings import variables

_DRIVER = "postgresql+psycopg2://"
_PostgresUrl = Annotated[
    str | None, variables.require_url("postgresql", "postgresql+psycopg2")
]


class NoDatabase(errors.PermanentError):
    """There is no database yet."""


class Database(variables.Group):
    """Where the tables are, and where runs wait for a worker."""

    url: _PostgresUrl = variables.field(
        "CVMS_DATABASE_URL",
        None,
        is_secret=True,
        example="postgresql://cvms_service:password@localhost:5432/cvms",
    )
    """A Postgres 14 or later; without it an embedded one is run."""

    owner_url: _PostgresUrl = variables.field(
        "CVMS_MIGRATION_DATABASE_URL",
        None,
        is_secret=True,
        example="postgresql://cvms:password@localhost:5432/cvms",
    )
    """The same database as the role that owns the tables, for `cvms db upgrade` only;
    the role of CVMS_DATABASE_URL then needs no right to make or drop any. Default:
    CVMS_DATABASE_URL."""

    broker_url: str | None = variables.field(
        "CVMS_BROKER_URL", None, is_secret=True, example="redis://localhost:6379/0"
    )
    """The Celery broker; default: the same Postgres."""

    result_backend_url: str | None = variables.field(
        "CVMS_RESULT_BACKEND_URL",
        None,
        is_secret=True,
        example="redis://localhost:6379/1",
    )
    """The Celery result backend; default: the same Postgres."""

    @property
    def is_embedded(self) -> bool:
        """Return whether the database is the embedded one."""
        return self.url is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Urls:
    """The URLs of database and broker, for psycopg2 and Celery.

    Attributes:
        chosen: The settings.
        run_folder: Where `local` writes the URLs of the embedded server.
    """

    chosen: Database
    run_folder: Path

    @property
    def embedded_file(self) -> Path:
        """Return the 0600 file in which `local` writes the embedded server's URL."""
        return self.run_folder / "database_url"

    @property
    def embedded_owner_file(self) -> Path:
        """Return the 0600 file with the URL of the role that owns the tables."""
        return self.run_folder / "owner_url"

    @property
    def store(self) -> str:
        """Return the URL of the Postgres that the services use.

        Raises:
            NoDatabase: If none is set and there is no embedded one yet.
        """
        return _for_driver(self.chosen.url or _read(self.embedded_file))

    @property
    def owner(self) -> str:
        """Return its URL for the role that owns the tables, needed to migrate.

        Raises:
            NoDatabase: If none is set and there is no embedded one yet.
        """
        if self.chosen.url is None:
            return _for_driver(_read(self.embedded_owner_file))
        return _for_driver(self.chosen.owner_url or self.chosen.url)

    def schema(self, schema: str) -> str:
        """Return the services' URL with `schema` as its search path."""
        url = self.store
        # Dagster writes times in the session's time zone, and reads them as UTC.
        options = f"-csearch_path={schema} -ctimezone=UTC"
        query = urlencode({"options": options}, quote_via=quote)
        return f"{url}{'&' if '?' in url else '?'}{query}"

    @property
    def dagster(self) -> str:
        """Return the URL where Dagster keeps its runs and events."""
        return self.schema(schemas.DAGSTER)

    @property
    def portal(self) -> str:
        """Return the URL where the portal keeps accounts and sessions."""
        return self.schema(schemas.PORTAL)

    @property
    def broker(self) -> str:
        """Return the URL of the broker through which workers get runs."""
        return self.chosen.broker_url or f"sqla+{self.schema(schemas.CELERY)}"

    @property
    def result_backend(self) -> str:
        """Return the URL where workers store the result of a run's task."""
        return self.chosen.result_backend_url or f"db+{self.schema(schemas.CELERY)}"


def _for_driver(url: str) -> str:
    return _DRIVER + url.partition("://")[2]


def _read(file: Path) -> str:
    try:
        return file.read_text().strip()
    except FileNotFoundError:
        raise NoDatabase(
            "There is no database yet. Start the embedded one with `cvms up`,"
            " or set CVMS_DATABASE_URL, for example"
            " postgresql://cvms:password@localhost:5432/cvms"
        ) from None
