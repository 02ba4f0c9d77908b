"""The database role of the services: it gets the rights that it needs, and no others.

They are in `sql/grant_access.sql`; the owner of the tables grants them whenever it
migrates.
"""

from dataclasses import dataclass
from importlib import resources
from typing import Self

import psycopg2
import psycopg2.extensions
import sqlalchemy as sa

from cvms_pipeline import errors

_ROLE = sa.text("SELECT 1 FROM pg_roles WHERE rolname = :role")
_HAS_ACCESS = sa.text(
    "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = :role"
    " AND has_schema_privilege(oid, 'cvms', 'USAGE'))"
)
# Superusers count as members of every role.
_OWNS = sa.text(
    "SELECT EXISTS (SELECT FROM pg_class AS t"
    " JOIN pg_namespace AS n ON n.oid = t.relnamespace"
    " WHERE n.nspname IN ('cvms', 'dagster', 'celery', 'portal') AND t.relkind = 'r'"
    " AND pg_has_role(:role, t.relowner, 'MEMBER'))"
)


class RoleMissing(errors.PermanentError):
    """The services' role does not exist, and this role may not create it."""


class RoleOverprivileged(errors.PermanentError):
    """The services' role may drop tables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The role of the services.

    Attributes:
        name: Its name.
        password: Its password, or None if it needs none.
        is_ours: Whether the pipeline keeps its password, and so sets it each time.
    """

    name: str
    password: str | None
    is_ours: bool

    @classmethod
    def from_url(cls, url: str, *, is_ours: bool) -> Self | None:
        """Return the role that `url` names, or None if it names none."""
        parsed = sa.make_url(url)
        if parsed.username is None:
            return None
        password = None if parsed.password is None else str(parsed.password)
        return cls(name=parsed.username, password=password, is_ours=is_ours)

    def has_access(self, conn: sa.Connection) -> bool:
        """Return whether the role exists and may use the tables."""
        return bool(conn.scalar(_HAS_ACCESS, {"role": self.name}))


def grant_access(conn: sa.Connection, service: Service) -> None:
    """Create the role if it is missing, and grant it its rights and no others.

    Nothing is done if it is the role of this connection.

    Raises:
        RoleMissing: If it is missing and the role of `conn` may create none.
        RoleOverprivileged: If it owns tables, or is a superuser.
    """
    if conn.scalar(sa.text("SELECT current_user")) == service.name:
        return
    role = conn.dialect.identifier_preparer.quote_identifier(service.name)
    _ensure_role(conn, service, role)
    grants = resources.files(__package__) / "sql" / "grant_access.sql"
    conn.exec_driver_sql(grants.read_text("utf-8").format(role=role))
    if conn.scalar(_OWNS, {"role": service.name}):
        raise RoleOverprivileged(
            f"The role {service.name} of CVMS_DATABASE_URL may drop tables: it is a"
            " superuser, or owns some. Give those to the role of"
            " CVMS_MIGRATION_DATABASE_URL (REASSIGN OWNED BY), or unset that."
        )


def _ensure_role(conn: sa.Connection, service: Service, role: str) -> None:
    """Create the role, `role` in quotes, or set its password if it is ours."""
    exists = bool(conn.scalar(_ROLE, {"role": service.name}))
    if exists and not service.is_ours:
        return
    verb = "ALTER" if exists else "CREATE"
    command = f"{verb} ROLE {role} LOGIN"
    if service.password is not None:
        # What Postgres stores of a password, so that no statement contains it.
        verifier = psycopg2.extensions.encrypt_password(
            service.password,
            service.name,
            conn.connection.driver_connection,
            "scram-sha-256",
        )
        command += f" PASSWORD '{verifier}'"
    try:
        with conn.begin_nested():
            conn.exec_driver_sql(command)
    except sa.exc.ProgrammingError as error:
        if not isinstance(error.orig, psycopg2.errors.InsufficientPrivilege):
            raise
        raise RoleMissing(
            f"There is no role {service.name}, which CVMS_DATABASE_URL names, and the"
            " role of CVMS_MIGRATION_DATABASE_URL may make none. Make it: CREATE ROLE"
            f" {service.name} LOGIN PASSWORD '...'"
        ) from None
