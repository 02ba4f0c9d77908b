"""What the role may do as which the services work: what it needs, and no more.

It reads all, writes what the pipeline writes, and can make, change or drop no table.
The owner of the tables grants it that whenever it migrates.  Dagster's and Celery's
tables are written freely by them, and made beforehand by the owner, too.
"""

from dataclasses import dataclass

import psycopg2
import psycopg2.extensions
import sqlalchemy as sa

from cvms_pipeline import errors

SCHEMA = "cvms"
NEIGHBOURS = ("dagster", "celery")

_WRITE = "SELECT, INSERT, UPDATE"
GRANTS = {
    "alembic_version": "SELECT",
    "audit": "SELECT, INSERT (event, upload_id, provider, run_id, details)",
    "cases": _WRITE,
    "messages": _WRITE,
    "providers": _WRITE,
    "recipient_changes": "SELECT, INSERT",
    "recipients": _WRITE,
    "rejected_rows": "SELECT, INSERT, DELETE",
    "uploads": _WRITE,
}
"""Of each of our tables; who adds a table says here what the services do with it."""

_FREELY = "SELECT, INSERT, UPDATE, DELETE"

_ROLE = sa.text("SELECT 1 FROM pg_roles WHERE rolname = :role")
_MAY_ENTER = sa.text(
    "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = :role"
    " AND has_schema_privilege(oid, 'cvms', 'USAGE'))"
)
# Superusers count as members of every role.
_OWNS = sa.text(
    "SELECT EXISTS (SELECT FROM pg_class AS t"
    " JOIN pg_namespace AS n ON n.oid = t.relnamespace"
    " WHERE n.nspname IN ('cvms', 'dagster', 'celery') AND t.relkind = 'r'"
    " AND pg_has_role(:role, t.relowner, 'MEMBER'))"
)


class RoleMissing(errors.PermanentError):
    """The services' role does not exist, and may not be made by this one."""


class RoleTooMighty(errors.PermanentError):
    """The services' role may drop tables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The role as which the services work.

    Attributes:
        name: Its name.
        password: Its password, or None if it needs none.
        is_ours: Whether we keep its password, and so set it each time.
    """

    name: str
    password: str | None
    is_ours: bool


def of_url(url: str, *, is_ours: bool) -> Service | None:
    """Return the role that `url` names, or None if it names none."""
    parsed = sa.make_url(url)
    if parsed.username is None:
        return None
    return Service(
        name=parsed.username,
        password=None if parsed.password is None else str(parsed.password),
        is_ours=is_ours,
    )


def may_work(conn: sa.Connection, service: Service) -> bool:
    """Return whether the role is there and has been let in."""
    return bool(conn.scalar(_MAY_ENTER, {"role": service.name}))


def let_in(conn: sa.Connection, service: Service) -> None:
    """Make the role if it is missing, and give it its rights, no others.

    Nothing is done if it is the role of this connection: then both are one.

    Raises:
        RoleMissing: If it is missing and this role may make none.
        RoleTooMighty: If it owns tables, or is a superuser.
    """
    if conn.scalar(sa.text("SELECT current_user")) == service.name:
        return
    _ensure(conn, service)
    role = _quoted(conn, service.name)
    for statement in _statements(role):
        conn.exec_driver_sql(statement)
    if conn.scalar(_OWNS, {"role": service.name}):
        raise RoleTooMighty(
            f"The role {service.name} of CVMS_DATABASE_URL may drop tables: it is a"
            " superuser, or owns some. Give those to the role of"
            " CVMS_MIGRATION_DATABASE_URL (REASSIGN OWNED BY), or unset that."
        )


def _statements(role: str) -> list[str]:
    every = (SCHEMA, *NEIGHBOURS)
    made = [f"REVOKE ALL ON ALL TABLES IN SCHEMA {SCHEMA} FROM {role}"]
    made += [f"REVOKE CREATE ON SCHEMA {schema} FROM {role}" for schema in every]
    made += [f"GRANT USAGE ON SCHEMA {schema} TO {role}" for schema in every]
    made += [f"GRANT {what} ON {SCHEMA}.{name} TO {role}" for name, what in _by_table()]
    made += [f"GRANT SELECT ON ALL SEQUENCES IN SCHEMA {SCHEMA} TO {role}"]
    for schema in NEIGHBOURS:
        made += [
            f"GRANT {_FREELY} ON ALL TABLES IN SCHEMA {schema} TO {role}",
            f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role}",
            f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema}"
            f" GRANT {_FREELY} ON TABLES TO {role}",
            f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema}"
            f" GRANT USAGE, SELECT ON SEQUENCES TO {role}",
        ]
    return made


def _by_table() -> list[tuple[str, str]]:
    return sorted(GRANTS.items())


def _ensure(conn: sa.Connection, service: Service) -> None:
    is_there = bool(conn.scalar(_ROLE, {"role": service.name}))
    if is_there and not service.is_ours:
        return
    verb = "ALTER" if is_there else "CREATE"
    words = f"{verb} ROLE {_quoted(conn, service.name)} LOGIN"
    if service.password is not None:
        words += f" PASSWORD '{_verifier(conn, service.name, service.password)}'"
    try:
        with conn.begin_nested():
            conn.exec_driver_sql(words)
    except sa.exc.ProgrammingError as error:
        if not isinstance(error.orig, psycopg2.errors.InsufficientPrivilege):
            raise
        raise RoleMissing(
            f"There is no role {service.name}, which CVMS_DATABASE_URL names, and the"
            " role of CVMS_MIGRATION_DATABASE_URL may make none. Make it: CREATE ROLE"
            f" {service.name} LOGIN PASSWORD '...'"
        ) from None


def _verifier(conn: sa.Connection, role: str, password: str) -> str:
    """Return what Postgres keeps of the password: the statement never has it."""
    return psycopg2.extensions.encrypt_password(
        password, role, conn.connection.driver_connection, "scram-sha-256"
    )


def _quoted(conn: sa.Connection, name: str) -> str:
    return conn.dialect.identifier_preparer.quote_identifier(name)
