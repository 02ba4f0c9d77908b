"""The revisions of the tables, by Alembic.

Apart from `engine` and `dumps`, which alone use it, because importing Alembic takes
a fifth of a second that only migrating is worth.
"""

from importlib import resources

import alembic.command
import alembic.config
import alembic.runtime.migration
import alembic.script
import sqlalchemy as sa


def upgrade(conn: sa.Connection) -> None:
    """Bring the tables to the newest revision, in the caller's transaction."""
    alembic.command.upgrade(_config(conn), "head")


def are_current(conn: sa.Connection, schema: str) -> bool:
    """Return whether the tables in `schema` are at the newest revision."""
    found = alembic.runtime.migration.MigrationContext.configure(
        conn, opts={"version_table_schema": schema}
    ).get_current_heads()
    return set(found) == heads()


def heads() -> set[str]:
    """Return the newest revision of this version."""
    script = alembic.script.ScriptDirectory.from_config(_config())
    return set(script.get_heads())


def are_known(revision: str) -> bool:
    """Return whether tables at `revision` are of this version or an earlier one."""
    script = alembic.script.ScriptDirectory.from_config(_config())
    return revision in {each.revision for each in script.walk_revisions()}


def _config(connection: sa.Connection | None = None) -> alembic.config.Config:
    folder = resources.files("cvms_pipeline.store") / "migrations"
    config = alembic.config.Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    return config
