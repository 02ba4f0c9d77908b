"""The limit: the least that storing the same good rows can cost.

One COPY into a temporary table and one `INSERT … ON CONFLICT DO NOTHING` into the
product's own `cvms.recipients`, with all its indexes, constraints and defaults,
committed with the product's own durability.  The text for COPY is made before the
clock starts: nothing is read, judged, matched, explained or reported, no message is
queued and no count is kept.
"""

import io
import time

import sqlalchemy as sa

from benchmarks import uploading
from cvms_pipeline.database import engine
from cvms_pipeline.domain.matching import duplicates
from cvms_pipeline.domain.reading import reader
from cvms_pipeline.domain.validation import row_schema
from cvms_pipeline.domain.vocabulary import upload

_MAKE = """
CREATE TEMPORARY TABLE rows_in_file (
    line integer, first_name text, last_name text, birth_date date, email text,
    first_key text COLLATE "C", last_key text COLLATE "C"
) ON COMMIT DROP
"""

_COPY = "COPY pg_temp.rows_in_file FROM STDIN (FORMAT csv)"

_INSERT = """
INSERT INTO cvms.recipients (
    first_name, last_name, birth_date, email, first_key, last_key, username,
    username_number, provider, upload_id, source_line, loaded_at
)
SELECT first_name, last_name, birth_date, email, first_key, last_key,
    email || '.COVID19VACCINE', 1, :provider, :upload_id, line, now()
FROM pg_temp.rows_in_file {order}
ON CONFLICT DO NOTHING
"""

IN_FILE_ORDER = ""
IN_KEY_ORDER = "ORDER BY first_key, last_key, birth_date"


def prepare(data: bytes) -> str:
    """Return the good rows of an upload as COPY takes them, in their order."""
    read = reader.read_sheet(data, lane=upload.Lane.HIGH_VOLUME)
    judged = row_schema.validate_rows(read, today=uploading.NOW.date())
    planned = duplicates.plan_rows(
        judged, duplicates.NO_MATCHES, provider=None, upload=None
    )
    values = planned.values.loc[planned.plan.index]
    keys = duplicates.make_keys(values)[["first_key", "last_key"]]
    rows = values.assign(birth_date=duplicates.make_keys(values)["birth_date"]).join(
        keys
    )
    return rows.to_csv(header=False, date_format="%Y-%m-%d")


def run(store: engine.Store, upload_id: str, payload: str, *, order: str) -> float:
    """Store the rows and return the seconds from the first byte to the commit."""
    insert = sa.text(_INSERT.format(order=order))
    facts = {"provider": uploading.PROVIDER, "upload_id": upload_id}
    start = time.perf_counter()
    with store.begin() as conn:
        conn.exec_driver_sql(_MAKE)
        conn.connection.cursor().copy_expert(_COPY, io.StringIO(payload))
        conn.execute(insert, facts)
    return time.perf_counter() - start
