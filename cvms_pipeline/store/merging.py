"""Merging planned rows into the recipients: copied in, numbered, corrected.

Nearly every row is new and the first with its e-mail address: those are copied straight
into the recipients (docs/decisions/0017-copied-straight-in.md).  The others are staged,
and named in the database.  Here live the steps of one attempt; `recipients` decides
what is planned, and what happens when another upload was faster.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from cvms_pipeline.domain import columns, duplicates, sheet, strings
from cvms_pipeline.store import copying, engine, identifiers

USERNAME_SUFFIX = ".COVID19VACCINE"
"""What follows the e-mail address in a username (DESIGN 5)."""


_KEY = ("first_key", "last_key", "birth_date")
_NAMED = {
    "first_name": columns.FIRST_NAME,
    "last_name": columns.LAST_NAME,
    "email": columns.EMAIL,
}


def stage_keys(conn: sa.Connection, keys: pd.DataFrame) -> None:
    """Put match keys, as `duplicates.keys` returns them, in place of earlier ones."""
    conn.execute(engine.statement("create_keys"))
    rows: dict[str, copying.Column] = {str(name): keys[name] for name in keys}
    rows["line"] = keys.index
    copying.copy(conn, "pg_temp.upload_keys", rows, order_by=_KEY)


def find_taken(conn: sa.Connection) -> pd.Index:
    """Return the lines of `stage_keys` whose username of first choice is taken."""
    taken = engine.statement("find_taken_usernames")
    lines = conn.scalars(taken, {"suffix": USERNAME_SUFFIX}).all()
    return pd.Index(lines, dtype="int64", name="line")


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

    Raises:
        psycopg2.errors.UniqueViolation: Another upload was faster, too: at
            `tables.MATCH_KEY` or `tables.USERNAME`.
    """
    plan = planned.plan
    if plan.empty:
        return True
    is_update = plan["action"].eq(duplicates.UPDATE).to_numpy()
    is_new = ~is_update & plan["recipient_id"].isna().to_numpy()
    is_first = ~plan["email_key"].duplicated().to_numpy()
    is_plain = is_new & is_first & ~plan["is_taken"].to_numpy()
    facts = {"upload_id": upload_id, "provider": provider, "now": now}
    _copy_in(conn, planned, np.flatnonzero(is_plain), facts)
    is_other = (is_new | is_update) & ~is_plain
    if is_other.any():
        _stage(conn, planned, np.flatnonzero(is_other), is_first[is_other])
        _name(conn)
        inserted = conn.execute(engine.statement("insert_recipients"), facts).rowcount
        if inserted < (is_new & is_other).sum():
            return False
    conn.execute(engine.statement("queue_invitations"), facts)
    if not is_update.any():
        return True
    corrected = conn.execute(engine.statement("correct_emails"), facts).rowcount
    return corrected == int(is_update.sum())


def _copy_in(
    conn: sa.Connection, planned: sheet.Sheet, at: np.ndarray, facts: Mapping[str, Any]
) -> None:
    """Load new recipients, each with the username of first choice.

    In order of key, like every other writer, so that two uploads seldom block each
    other.  They are the rows of the plan in the places `at`.
    """
    if not len(at):
        return
    people, count = _people(planned, at), len(at)
    copying.copy(
        conn,
        "cvms.recipients",
        {
            **people,
            "username": _first_choices(people["email"]),
            "username_number": pa.repeat(1, count),
            "provider": pa.repeat(pa.scalar(facts["provider"], pa.string()), count),
            "upload_id": pa.repeat(facts["upload_id"], count),
            "source_line": planned.plan.index[at],
            "loaded_at": pa.repeat(facts["now"].isoformat(), count),
        },
        order_by=_KEY,
        in_order={"id": identifiers.new_ids(count)},
    )


def _stage(
    conn: sa.Connection, planned: sheet.Sheet, at: np.ndarray, is_first: np.ndarray
) -> None:
    """Put rows of the plan in place of earlier ones, in order of key.

    Args:
        conn: The transaction.
        planned: The sheet.
        at: Their places in its plan.
        is_first: Whether each is the first with its e-mail address: the username of
            first choice may do.
    """
    people, plan = _people(planned, at), planned.plan
    choices = _first_choices(people["email"])
    conn.execute(engine.statement("create_planned"))
    copying.copy(
        conn,
        "pg_temp.planned_rows",
        {
            **people,
            "line": plan.index[at],
            "action": plan["action"].take(at),
            "recipient_id": plan["recipient_id"].take(at),
            "username": pc.if_else(pa.array(is_first), choices, None),
            "username_number": pa.array(np.ones(len(at), "int64"), mask=~is_first),
        },
        order_by=_KEY,
        in_order={"new_id": identifiers.new_ids(len(at))},
    )


def _people(planned: sheet.Sheet, at: np.ndarray) -> dict[str, pd.Series]:
    """Return the columns that say who somebody is, of the places `at` in the plan."""
    values, plan = planned.values, planned.plan
    in_values = values.index.get_indexer(plan.index[at])
    named = {name: values[column].take(in_values) for name, column in _NAMED.items()}
    return {**named, **{name: plan[name].take(at) for name in _KEY}}


def _first_choices(emails: pd.Series) -> pa.LargeStringArray:
    """Return the usernames that nobody needs a number for (DESIGN 5)."""
    suffix, nothing = (pa.scalar(text, strings.KIND) for text in (USERNAME_SUFFIX, ""))
    return pc.binary_join_element_wise(strings.of(emails), suffix, nothing)


def _name(conn: sa.Connection) -> None:
    """Give a numbered username to whom the first choice is not free."""
    conn.execute(engine.statement("clear_taken_usernames"))
    number = engine.statement("number_usernames")
    is_open = sa.text("SELECT 1 FROM pg_temp.planned_rows WHERE username IS NULL")
    while conn.execute(is_open).first():
        conn.execute(number, {"suffix": USERNAME_SUFFIX})
