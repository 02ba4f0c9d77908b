"""Connections that are kept open, and tried after a pause before they are used.

SQLAlchemy's `pool_pre_ping` tries a connection each time it is taken, which was a
sixth of what a run costs.  A server that was restarted has closed all connections;
within a second of the last use that is as likely as in the middle of a statement,
and ends the same way: the work is tried again.
"""

import time
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc, pool

IDLE_SECONDS = 1.0

_USED_AT = "cvms_used_at"


def try_after_a_pause(engine: sa.Engine) -> None:
    """Let `engine` try a connection that nobody has used for `IDLE_SECONDS`.

    If it is closed, all that are as old are replaced, and nobody notices.
    """

    def note(_connection: Any, record: pool.ConnectionPoolEntry) -> None:
        record.info[_USED_AT] = time.monotonic()

    def look(connection: Any, record: pool.ConnectionPoolEntry, _proxy: Any) -> None:
        used_at = record.info.get(_USED_AT)
        if used_at is None or time.monotonic() - used_at < IDLE_SECONDS:
            return  # new, or in use just now
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise exc.InvalidatePoolError from error

    sa.event.listen(engine, "checkin", note)
    sa.event.listen(engine, "checkout", look)
