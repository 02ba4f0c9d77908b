"""The registry of providers.

Here live its rows and nothing of the folders that belong to a provider.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from cvms_pipeline import errors
from cvms_pipeline.domain import provider
from cvms_pipeline.store import tables

_TABLE = tables.providers
_FACTS = [_TABLE.c[name] for name in provider.Provider.__dataclass_fields__]


class ProviderExists(errors.PermanentError):
    """There is already a provider with this slug."""


class ProviderUnknown(errors.PermanentError):
    """There is no provider with this slug."""


def add(conn: sa.Connection, added: provider.Provider) -> None:
    """Add a provider.

    Raises:
        ProviderExists: If the slug is taken, by a disabled one too.
    """
    facts = {column.name: getattr(added, column.name) for column in _FACTS}
    facts["emails"] = list(added.emails)
    inserted = conn.execute(
        pg.insert(_TABLE).values(facts).on_conflict_do_nothing(index_elements=["slug"])
    )
    if not inserted.rowcount:
        raise ProviderExists(
            f"There is already a provider {added.slug}. See `cvms providers list`."
        )


def find(conn: sa.Connection, slug: str) -> provider.Provider | None:
    """Return the provider `slug`, enabled or not, or None."""
    row = conn.execute(sa.select(*_FACTS).where(_TABLE.c.slug == slug)).one_or_none()
    return None if row is None else _provider(row)


def get(conn: sa.Connection, slug: str) -> provider.Provider:
    """Return the provider `slug`, enabled or not.

    Raises:
        ProviderUnknown: If there is none.
    """
    found = find(conn, slug)
    if found is None:
        raise _unknown(slug)
    return found


def list_all(conn: sa.Connection) -> Sequence[provider.Provider]:
    """Return every provider in order of slug."""
    return [_provider(r) for r in conn.execute(sa.select(*_FACTS).order_by("slug"))]


def change_emails(conn: sa.Connection, slug: str, emails: tuple[str, ...]) -> None:
    """Give the provider `slug` other contact addresses.

    Raises:
        EmailsInvalid: If one of them is no address, or there is none.
        ProviderUnknown: If there is no such provider.
    """
    changed = dataclasses.replace(get(conn, slug), emails=emails)
    values = {"emails": list(changed.emails)}
    conn.execute(sa.update(_TABLE).where(_TABLE.c.slug == slug).values(values))


def enable(conn: sa.Connection, slug: str) -> None:
    """Let the provider `slug` upload again.

    Raises:
        ProviderUnknown: If there is none.
    """
    _switch(conn, slug, is_enabled=True)


def disable(conn: sa.Connection, slug: str) -> None:
    """Take no more uploads from the provider `slug`; what it loaded stays.

    Raises:
        ProviderUnknown: If there is none.
    """
    _switch(conn, slug, is_enabled=False)


def _switch(conn: sa.Connection, slug: str, *, is_enabled: bool) -> None:
    switched = conn.execute(
        sa.update(_TABLE).where(_TABLE.c.slug == slug).values(is_enabled=is_enabled)
    )
    if not switched.rowcount:
        raise _unknown(slug)


def _unknown(slug: str) -> ProviderUnknown:
    return ProviderUnknown(
        f"There is no provider {slug!r}. See `cvms providers list`, or add it with"
        " `cvms providers add`."
    )


def _provider(row: sa.Row[Any]) -> provider.Provider:
    facts = dict(row._mapping)
    return provider.Provider(**{**facts, "emails": tuple(facts["emails"])})
