"""The revisions of the tables: Alembic brings a database to the newest one.

Alembic is imported inside functions, because that takes a fifth of a second.
"""

import contextlib
from collections.abc import Iterator, Sequence
from importlib import resources
from typing import TYPE_CHECKING

import sqlalchemy as sa

from cvms_pipeline.database import engine, roles, schemas

if TYPE_CHECKING:
    from alembic import config

_LOCK = sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")


def upgrade(url: str, service: roles.Service | None = None) -> None:
    """Create the schemas where they are missing, and apply the revisions.

    Two processes may do this at once: the second one waits, then finds nothing to do.

    Args:
        url: The database, as the role that owns the tables.
        service: The role of the services, if it is another.

    Raises:
        StoreAway: If the database cannot be reached.
        RoleMissing, RoleOverprivileged: If `service` cannot be granted its rights.
    """
    from alembic import command

    with _connect(url) as conn:
        conn.execute(_LOCK, {"name": "cvms db upgrade"})
        for schema in schemas.ALL:
            if not sa.inspect(conn).has_schema(schema):
                conn.execute(sa.schema.CreateSchema(schema))
        command.upgrade(_configure(conn), "head")
        if service is not None:
            roles.grant_access(conn, service)


def is_current(url: str, service: roles.Service | None = None) -> bool:
    """Return whether the database is at the newest revision and `service` has access.

    Raises:
        StoreAway: If the database cannot be reached.
    """
    from alembic.runtime import migration

    with _connect(url) as conn:
        context = migration.MigrationContext.configure(
            conn, opts={"version_table_schema": schemas.CVMS}
        )
        is_newest = context.get_current_revision() == list_known()[0]
        return is_newest and (service is None or service.has_access(conn))


def list_known() -> Sequence[str]:
    """Return the revisions of this version and of earlier ones, the newest first."""
    from alembic import script

    scripts = script.ScriptDirectory.from_config(_configure())
    return [each.revision for each in scripts.walk_revisions()]


@contextlib.contextmanager
def _connect(url: str) -> Iterator[sa.Connection]:
    store = engine.Store(url, pool_size=1)
    with contextlib.closing(store), store.begin() as conn:
        yield conn


def _configure(connection: sa.Connection | None = None) -> "config.Config":
    from alembic import config

    folder = resources.files(__package__) / "migrations"
    configured = config.Config(attributes={"connection": connection})
    configured.set_main_option("script_location", str(folder).replace("%", "%%"))
    return configured
