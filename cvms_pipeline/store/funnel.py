"""How far loaded recipients are, in numbers: invited, with a password, registered.

For data-ops; how far one recipient is, is in `store.provider_reads.steps`.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from cvms_pipeline.database import engine

_statement = engine.load_statements(__package__)


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelCounts:
    """How many recipients have come how far; whoever was removed does not count.

    Attributes:
        provider: The provider's slug.
        invited: To whose present address an invitation was sent.
        registered: Who has sent the registration; they are among `passwords_set`.
        denied: Whose address somebody has said to be of somebody else.
        loaded_since: How many of them were loaded since the moment that was asked for;
            so `passwords_since` and `registered_since`.
    """

    provider: str
    loaded: int
    invited: int
    passwords_set: int
    registered: int
    denied: int
    loaded_since: int
    passwords_since: int
    registered_since: int


def count_totals(conn: sa.Connection) -> Mapping[str, int]:
    """Return what is counted as it happens, of all providers together.

    They are `loaded`, `passwords_set`, `registered` and `denied`, and how many first
    invitations are `waiting`: fast enough to be asked for every few seconds.
    """
    row = conn.execute(_statement("count_funnel_totals")).one()
    return {name: int(number) for name, number in row._mapping.items()}


def count(conn: sa.Connection, *, since: dt.datetime) -> Sequence[FunnelCounts]:
    """Return the counts of each provider that has loaded somebody, by slug."""
    rows = conn.execute(_statement("count_funnel"), {"since": since})
    return [
        FunnelCounts(
            provider=row.provider,
            **{
                name: int(number)
                for name, number in row._mapping.items()
                if name != "provider"
            },
        )
        for row in rows
    ]
