"""How far loaded recipients are, in numbers: invited, with a password, registered.

For data-ops; how far one recipient is, is in `store.provider_reads.steps`.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

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


def sum_up(counts: Sequence[FunnelCounts]) -> Mapping[str, int]:
    """Return the totals of all providers, by the names of the counts."""
    names = [each.name for each in fields(FunnelCounts) if each.name != "provider"]
    return {name: sum(getattr(each, name) for each in counts) for name in names}


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
