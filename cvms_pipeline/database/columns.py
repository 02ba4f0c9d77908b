"""What the tables are made of: their names' rules, the types and forms of columns.

The tables are in `tables`, those of the help desk in `case_tables`.
"""

from collections.abc import Iterable
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from cvms_pipeline.database import schemas

METADATA = sa.MetaData(
    schema=schemas.CVMS,
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    },
)

_Type: TypeAlias = sa.types.TypeEngine[Any] | type[sa.types.TypeEngine[Any]]
Key = sa.Text(collation="C")
Uuid = sa.Uuid(as_uuid=False)
Moment = sa.DateTime(timezone=True)
Texts = pg.ARRAY(sa.Text)


def required(
    kind: _Type, *names: str, default: str | None = None
) -> list[sa.Column[Any]]:
    """Return columns that are NOT NULL, with the SQL of their default."""
    sql = None if default is None else sa.text(default)
    return [sa.Column(name, kind, nullable=False, server_default=sql) for name in names]


def optional(kind: _Type, *names: str) -> list[sa.Column[Any]]:
    """Return columns that may be NULL."""
    return [sa.Column(name, kind) for name in names]


def new_id() -> sa.Column[str]:
    """Return the primary key `id`, a UUID that the database makes."""
    default = sa.text("cvms.new_id()")
    return sa.Column("id", Uuid, primary_key=True, server_default=default)


def identity(name: str, *, start: int | None = None) -> sa.Column[int]:
    """Return a primary key that the database counts."""
    counted = sa.Identity(always=True, start=start)
    return sa.Column(name, sa.BigInteger, counted, primary_key=True)


def one_of(column: str, words: Iterable[str]) -> sa.CheckConstraint:
    """Return the check that a column is one of these words."""
    listed = ", ".join(f"'{word}'" for word in words)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=column)


def checks(**rules: str) -> list[sa.CheckConstraint]:
    """Return checks by their names."""
    return [sa.CheckConstraint(rule, name=name) for name, rule in rules.items()]


def index_where(name: str, *columns: str, rule: str, unique: bool = False) -> sa.Index:
    """Return an index of the rows for which `rule` is true."""
    return sa.Index(name, *columns, unique=unique, postgresql_where=sa.text(rule))
