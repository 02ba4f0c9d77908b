"""Merging planned rows into the recipients: staged, named, inserted, corrected.

Here live the steps of one attempt; `recipients` decides what is planned, and what
happens when another upload was faster.
"""

import datetime as dt

import numpy as np
import pandas as pd
import pyarrow as pa
import sqlalchemy as sa

from cvms_pipeline.domain import columns, duplicates, sheet
from cvms_pipeline.store import copying, engine, identifiers

USERNAME_SUFFIX = ".COVID19VACCINE"
"""What follows the e-mail address in a username (DESIGN 5)."""


_KEY = ("first_key", "last_key", "birth_date")
_COMPARED = (*_KEY, "email_key")


def stage_keys(conn: sa.Connection, keys: pd.DataFrame) -> None:
    """Put match keys, as `duplicates.keys` returns them, in place of earlier ones."""
    conn.execute(engine.statement("create_keys"))
    conn.exec_driver_sql("DELETE FROM pg_temp.upload_keys")
    rows: dict[str, copying.Column] = {name: keys[name] for name in _COMPARED}
    rows["line"] = keys.index
    copying.copy(conn, "pg_temp.upload_keys", rows, order_by=_KEY)


def prepare(conn: sa.Connection) -> None:
    """Make what `merge` works in; before the savepoint, so that it outlives it."""
    conn.execute(engine.statement("create_planned"))
    conn.exec_driver_sql("DELETE FROM pg_temp.planned_rows")


def merge(
    conn: sa.Connection,
    planned: sheet.Sheet,
    *,
    upload_id: str,
    provider: str | None,
    now: dt.datetime,
) -> bool:
    """Do what the plan says, as far as it still can be done.

    Returns:
        Whether all of it was done; if not, another upload was faster, and the
        caller rolls back.
    """
    if planned.plan.empty:
        return True
    _stage(conn, planned)
    facts = {"upload_id": upload_id, "provider": provider, "now": now}
    named = {**facts, "suffix": USERNAME_SUFFIX}
    is_update = planned.plan["action"] == duplicates.UPDATE
    is_new = ~is_update & planned.plan["recipient_id"].isna()
    insert = engine.statement("insert_recipients")
    inserted = conn.execute(insert, {**named, "is_first_choice": True}).rowcount
    if inserted < is_new.sum() or is_update.any():
        _name_the_others(conn)
        others = conn.execute(insert, {**named, "is_first_choice": False})
        inserted += others.rowcount
    if inserted < is_new.sum():
        return False
    conn.execute(engine.statement("queue_invitations"), facts)
    if not is_update.any():
        return True
    corrected = conn.execute(engine.statement("correct_emails"), facts).rowcount
    return corrected == int(is_update.sum())


def _stage(conn: sa.Connection, planned: sheet.Sheet) -> None:
    """Copy the planned rows, in order of key; the first of an address gets number 1."""
    plan = planned.plan
    values = planned.values.loc[plan.index]
    is_repeated = plan["email_key"].duplicated().to_numpy()
    first = np.ones(len(plan), dtype="int64")
    ids = identifiers.new_ids(conn, 2 * len(plan))
    copying.copy(
        conn,
        "pg_temp.planned_rows",
        {
            "line": plan.index,
            "action": plan["action"],
            "recipient_id": plan["recipient_id"],
            "first_name": values[columns.FIRST_NAME],
            "last_name": values[columns.LAST_NAME],
            "birth_date": plan["birth_date"],
            "email": values[columns.EMAIL],
            "first_key": plan["first_key"],
            "last_key": plan["last_key"],
            "username_number": pa.array(first, mask=is_repeated),
        },
        order_by=_KEY,
        in_order={"new_id": ids[: len(plan)], "message_id": ids[len(plan) :]},
    )


def _name_the_others(conn: sa.Connection) -> None:
    """Give a numbered username to whom the first choice is not free."""
    suffix = {"suffix": USERNAME_SUFFIX}
    conn.execute(engine.statement("name_first_choices"), suffix)
    conn.execute(engine.statement("clear_taken_usernames"))
    number = engine.statement("number_usernames")
    is_open = sa.text("SELECT 1 FROM pg_temp.planned_rows WHERE username IS NULL")
    while conn.execute(is_open).first():
        conn.execute(number, suffix)
