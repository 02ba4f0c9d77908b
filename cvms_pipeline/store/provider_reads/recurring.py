"""Which reasons recur in the last uploads of a provider, and what the cells look like.

Only codes, numbers and names of shapes leave the database: no cell does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from cvms_pipeline.database import engine

_statement = engine.load_statements(__package__)

_UPLOADS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class RecurringReason:
    """A reason in the last uploads of a provider.

    Attributes:
        uploads: In how many of them it occurs, for `rows` rows.
        latest_uploads: How many uploads were looked at.
        latest_rows: How many rows were rejected in all of these.
    """

    code: str
    uploads: int
    rows: int
    latest_uploads: int
    latest_rows: int


def list_reasons(conn: sa.Connection, provider: str) -> Sequence[RecurringReason]:
    """Return the reasons in the provider's last ten uploads, most rows first."""
    values = {"provider": provider, "uploads": _UPLOADS}
    rows = conn.execute(_statement("count_recurring_reasons"), values)
    return [RecurringReason(**row._mapping) for row in rows]


def find_shapes(conn: sa.Connection, provider: str) -> Mapping[str, str]:
    """Return by reason the shape that most of its cells have, if most have one."""
    values = {"provider": provider, "uploads": _UPLOADS}
    rows = conn.execute(_statement("count_shapes"), values)
    return {row.code: row.shape for row in rows if 2 * row.rows > row.of_rows}
