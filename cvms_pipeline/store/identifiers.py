"""Ids for many rows at once; for one row the database has `cvms.new_id()`.

Asking the system for randomness once an upload instead of once a row takes a
hundredth of the time.
"""

import os

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from cvms_pipeline.domain import strings

_OCTETS = 16
_NEW_ID = sa.text("SELECT cvms.new_id()")


def new_ids(conn: sa.Connection, count: int) -> pa.LargeStringArray:
    """Return `count` ids that cannot be guessed, like those of `cvms.new_id()`.

    UUIDs of version 7 (RFC 9562): they begin with the database's time and ascend, so
    that each goes to the end of its index.
    """
    octets = np.frombuffer(os.urandom(_OCTETS * count), dtype="uint8")
    octets = octets.reshape(count, _OCTETS).copy()
    octets[:, :6] = list(conn.scalars(_NEW_ID).one().bytes[:6])
    octets[:, 6] = octets[:, 6] & 0x0F | 0x70
    octets[:, 8] = octets[:, 8] & 0x3F | 0x80
    behind_time = np.ascontiguousarray(octets[:, 6:14]).view(">u8").ravel()
    ascending = octets[np.argsort(behind_time)]
    digits = np.frombuffer(ascending.tobytes().hex().encode(), dtype="uint8")
    return strings.between(np.arange(1, count + 1) * 2 * _OCTETS, digits)
