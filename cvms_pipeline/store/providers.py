"""The registry of providers: its rows.  Their folders are made by `files`."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from cvms_pipeline import errors
from cvms_pipeline.database import tables
from cvms_pipeline.domain.vocabulary import provider

_TABLE = tables.providers
_FACTS = [_TABLE.c[name] for name in provider.Provider.__dataclass_fields__]

_LOCK = sa.text("SELECT pg_advisory_xact_lock(hashtextextended('cvms providers', 0))")


class ProviderExists(errors.PermanentError):
    """There is already a provider with this slug."""


class ProviderUnknown(errors.PermanentError):
    """There is no provider with this slug."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Counts:
    """How many uploads a provider has sent, and how many recipients were loaded."""

    uploads: int
    recipients: int


def add(conn: sa.Connection, added: provider.Provider) -> None:
    """Add a provider.

    Raises:
        ProviderExists: If the slug is taken, by a disabled one too.
    """
    insert = pg.insert(_TABLE).values(_to_row(added))
    if not conn.execute(insert.on_conflict_do_nothing()).rowcount:
        raise ProviderExists(
            f"There is already a provider {added.slug}. See `cvms providers list`."
        )


def lock(conn: sa.Connection) -> None:
    """Let nobody else add a provider in this way until the transaction ends."""
    conn.execute(_LOCK)


def find(conn: sa.Connection, slug: str) -> provider.Provider | None:
    """Return the provider `slug`, enabled or not, or None."""
    row = conn.execute(sa.select(*_FACTS).where(_TABLE.c.slug == slug)).one_or_none()
    return None if row is None else _to_provider(row)


def get(conn: sa.Connection, slug: str) -> provider.Provider:
    """Return the provider `slug`, enabled or not.

    Raises:
        ProviderUnknown: If there is none.
    """
    found = find(conn, slug)
    if found is None:
        raise ProviderUnknown(
            f"There is no provider {slug!r}. See `cvms providers list`, or add it with"
            " `cvms providers add`."
        )
    return found


def list_all(conn: sa.Connection) -> Sequence[provider.Provider]:
    """Return every provider in order of slug."""
    return [_to_provider(r) for r in conn.execute(sa.select(*_FACTS).order_by("slug"))]


def count(conn: sa.Connection, slug: str) -> _Counts:
    """Return the counts of the provider `slug`; zeros for one that does not exist."""
    uploads = sa.select(sa.func.count()).where(tables.uploads.c.provider == slug)
    recipients = sa.select(_TABLE.c.recipients).where(_TABLE.c.slug == slug)
    return _Counts(
        uploads=conn.scalar(uploads) or 0, recipients=conn.scalar(recipients) or 0
    )


def change(conn: sa.Connection, slug: str, **facts: Any) -> None:
    """Change `emails` or `is_enabled` of the provider `slug`.

    Raises:
        EmailsInvalid: If one of the addresses is none, or there is none.
        ProviderUnknown: If there is no such provider.
    """
    row = _to_row(dataclasses.replace(get(conn, slug), **facts))
    # Only these columns: somebody else may be changing another at the same time.
    values = {name: row[name] for name in facts}
    conn.execute(sa.update(_TABLE).where(_TABLE.c.slug == slug).values(values))


def _to_row(stored: provider.Provider) -> dict[str, Any]:
    row = {column.name: getattr(stored, column.name) for column in _FACTS}
    return {**row, "emails": list(stored.emails)}


def _to_provider(row: sa.Row[Any]) -> provider.Provider:
    facts = dict(row._mapping)
    return provider.Provider(**{**facts, "emails": tuple(facts["emails"])})
