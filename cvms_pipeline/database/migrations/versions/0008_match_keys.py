"""Match keys are made again: i with and without dot, apostrophes, marks at the ends.

Only names with such characters are read, so that millions of others take seconds.
"""

import pathlib

import pandas as pd
import sqlalchemy as sa
from alembic import op

from cvms_pipeline.domain.text import normalise

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_BATCH = 10_000
_CREATE = sa.text(
    "CREATE TEMPORARY TABLE changed_keys (id uuid PRIMARY KEY,"
    ' first_key text COLLATE "C", last_key text COLLATE "C") ON COMMIT DROP'
)
_READ = sa.text(
    "SELECT id, first_name, last_name, first_key, last_key FROM cvms.recipients"
    " WHERE first_key ~ :pattern OR last_key ~ :pattern"
)
_WRITE = sa.text(
    "INSERT INTO pg_temp.changed_keys SELECT * FROM unnest("
    "CAST(:ids AS uuid[]), CAST(:first_keys AS text[]), CAST(:last_keys AS text[]))"
)
_MAY_CHANGE = "[^ -~]|^[.'-]|[.'-]$"


def upgrade() -> None:
    """Compute the keys of the names that may have others, and run the SQL beside."""
    conn = op.get_bind()
    conn.execute(_CREATE)
    found = conn.execute(
        _READ.execution_options(stream_results=True, max_row_buffer=_BATCH),
        {"pattern": _MAY_CHANGE},
    )
    for rows in found.partitions(_BATCH):
        stored = pd.DataFrame(rows, columns=list(found.keys()))
        first_keys = normalise.make_match_keys(stored["first_name"].astype(str))
        last_keys = normalise.make_match_keys(stored["last_name"].astype(str))
        is_changed = (first_keys != stored["first_key"]) | (
            last_keys != stored["last_key"]
        )
        changed = {
            "ids": stored["id"][is_changed].astype(str).tolist(),
            "first_keys": first_keys[is_changed].tolist(),
            "last_keys": last_keys[is_changed].tolist(),
        }
        conn.execute(_WRITE, changed)
    sql = pathlib.Path(__file__).with_suffix(".sql").read_text("utf-8")
    conn.exec_driver_sql(sql)
