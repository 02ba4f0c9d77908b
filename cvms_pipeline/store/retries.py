"""When messages that wait are due before their wait is over.

A message is postponed in `outbox`; here is what becomes of many of them at once, when
the mail server is back or the clock was set back.
"""

import datetime as dt

import sqlalchemy as sa

from cvms_pipeline.database import engine, tables
from cvms_pipeline.store import outbox

_statement = engine.load_statements(__package__)
_TABLE = tables.messages
_COUNT_OF_WAITS = 15  # after so many attempts every wait is the longest


def has_postponed(conn: sa.Connection, *error_kinds: str) -> bool:
    """Return whether a message waits because of one of these errors."""
    is_waiting = _TABLE.c.status == outbox.Status.WAITING
    is_meant = is_waiting & _TABLE.c.last_error.in_(error_kinds)
    return conn.scalar(sa.select(_TABLE.c.id).where(is_meant).limit(1)) is not None


def retry_now(
    conn: sa.Connection, error_kind: str, *, now: dt.datetime, tried_before: dt.datetime
) -> None:
    """Make messages due that wait because of that error since `tried_before`."""
    values = {
        "error_kind": error_kind,
        "now": now,
        "tried_before": tried_before,
        "waits": [outbox.get_wait(attempts) for attempts in range(_COUNT_OF_WAITS)],
    }
    conn.execute(_statement("retry_messages_now"), values)


def correct_future(conn: sa.Connection, now: dt.datetime) -> None:
    """Make messages due whose next attempt is later than any wait allows.

    They were postponed while the clock was ahead, and it was set back since.
    """
    is_wrong = (
        _TABLE.c.kind.in_([*outbox.Kind])
        & (_TABLE.c.status == outbox.Status.WAITING)
        & (_TABLE.c.next_attempt_at > now + outbox.MAX_WAIT)
        # What is to be sent tomorrow, as `refusals` queues it, is due later.
        & (_TABLE.c.kind != outbox.Kind.REFUSED_ADDRESSES)
    )
    conn.execute(sa.update(_TABLE).where(is_wrong).values(next_attempt_at=now))
