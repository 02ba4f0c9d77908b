"""The recipients: matching the rows of an upload to them, and merging a plan into them.

Nearly every row is new and the first with its e-mail address: those are copied
directly into the table.  The others are staged, get their usernames in the database,
and are inserted or corrected.  What happens when another upload was faster is decided
in `loading`; how people search for recipients is in `search`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
import uuid_utils

from cvms_pipeline.database import copy, engine
from cvms_pipeline.domain.matching import duplicates, possible_duplicates
from cvms_pipeline.domain.sheets import sheet
from cvms_pipeline.domain.text import arrow
from cvms_pipeline.domain.vocabulary import columns

_statement = engine.load_statements(__package__)

# After the e-mail address, and after its number if it has one.
USERNAME_SUFFIX = ".COVID19VACCINE"
# Every writer writes recipients in this order, so that two uploads rarely deadlock.
_MATCH_KEY = ("first_key", "last_key", "birth_date")
_PERSON_COLUMNS = [name for name in columns.NAMES if name not in _MATCH_KEY]

_Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Routes:
    """How the rows of a plan get into the table; one Boolean for each row.

    Attributes:
        is_direct: New, and with the username of first choice: copied in directly.
        is_staged: New with a numbered username, or a correction: staged, then merged.
        is_first: The first in the file with its e-mail address.
        is_update: A correction of a stored recipient's e-mail address.
    """

    is_direct: _Mask
    is_staged: _Mask
    is_first: _Mask
    is_update: _Mask


def look_up(
    conn: sa.Connection, keys: pd.DataFrame, *, lock_for: str | None = None
) -> tuple[pd.DataFrame, pd.Index, pd.DataFrame]:
    """Return what the store has of an upload's rows.

    Args:
        conn: The transaction.
        keys: What `duplicates.make_keys` returned for the valid rows.
        lock_for: A provider's slug: the recipients whose e-mail address that provider
            may correct are locked first, until the transaction ends.

    Returns:
        The recipients with the same match key, a frame in the shape of
        `duplicates.NO_MATCHES`, indexed by line; the lines whose username of first
        choice is taken; and the recipients whom rows resemble, a frame in the shape of
        `possible_duplicates.NO_SIMILAR`.
    """
    if keys.empty:
        no_matches = duplicates.NO_MATCHES
        return no_matches, no_matches.index, possible_duplicates.NO_SIMILAR
    conn.execute(_statement("create_keys"))
    rows: dict[str, Any] = {str(name): keys[name] for name in keys}
    rows["line"] = keys.index
    copy.append(conn, "pg_temp.upload_keys", rows, order_by=_MATCH_KEY)
    if lock_for is not None:
        conn.execute(_statement("lock_correctable"), {"provider": lock_for})
    matches = _find_matches(conn, lock=lock_for is not None)
    taken = conn.scalars(
        _statement("find_taken_usernames"), {"suffix": USERNAME_SUFFIX}
    ).all()
    similar = _find_similar(conn, taken)
    return matches, pd.Index(taken, dtype="int64", name="line"), similar


def merge(conn: sa.Connection, planned: sheet.Sheet, facts: Mapping[str, Any]) -> bool:
    """Write a plan into the recipients, and queue their invitations.

    Args:
        conn: The transaction.
        planned: The sheet with its plan.
        facts: `upload_id`, `provider`, `now`, and `due_at` of the invitations, as the
            statements bind them.

    Returns:
        Whether every row was written; if not, another upload was faster.

    Raises:
        psycopg2.errors.UniqueViolation: If another upload was faster, too: at one of
            `tables.PERSON_CONSTRAINTS`.
    """
    if planned.plan.empty:
        return True
    routes = _choose_routes(planned.plan)
    _copy_direct(conn, planned, routes, facts)
    if routes.is_staged.any() and not _merge_staged(conn, planned, routes, facts):
        return False
    # Messages have no foreign keys (docs/decisions/0012-unchecked-messages.md):
    # checking both for each invitation took a fifth of the time of loading. They
    # cannot refer to a missing row, since this statement makes them of the recipients
    # that this transaction has written. Whoever deletes recipients or uploads has to
    # delete messages; the database would not object.
    conn.execute(_statement("queue_invitations"), facts)
    return True


def find_read_name(conn: sa.Connection, upload_id: str) -> str | None:
    """Return the first name outside ASCII that an upload has loaded, or None."""
    name: str | None = conn.scalar(
        _statement("find_read_name"), {"upload_id": upload_id}
    )
    return name


def _find_matches(conn: sa.Connection, *, lock: bool) -> pd.DataFrame:
    """Return the matches; `lock` keeps them from being taken out meanwhile.

    Whoever is taken out is waited for, and is then not among them.
    """
    query = _statement("find_matches")
    if lock:
        query = sa.text(f"{query.text} FOR KEY SHARE OF stored")
    rows = conn.execute(query).all()
    if not rows:
        return duplicates.NO_MATCHES
    names = ["line", *duplicates.NO_MATCHES.columns]
    matches = pd.DataFrame(dict(zip(names, zip(*rows, strict=True), strict=True)))
    types = {"line": "int64", **duplicates.NO_MATCHES.dtypes}
    return matches.astype(types).set_index("line")


def _find_similar(conn: sa.Connection, taken: Sequence[int]) -> pd.DataFrame:
    """Return the recipients whom rows resemble: `frames.Similar`.

    `taken` holds the lines whose username of first choice somebody has: no other row
    can have the e-mail address of a stored recipient.
    """
    values = {"lines": list(taken), "suffix": USERNAME_SUFFIX}
    rows = conn.execute(_statement("find_similar"), values).all()
    none = possible_duplicates.NO_SIMILAR
    if not rows:
        return none
    return pd.DataFrame(rows, columns=list(none)).astype(none.dtypes.to_dict())


def _choose_routes(plan: pd.DataFrame) -> _Routes:
    is_update = plan["action"].eq(duplicates.UPDATE).to_numpy()
    is_new = ~is_update & plan["recipient_id"].isna().to_numpy()
    is_first = ~plan["email_key"].duplicated().to_numpy()
    is_direct = is_new & is_first & ~plan["is_taken"].to_numpy()
    return _Routes(
        is_direct=is_direct,
        is_staged=(is_new | is_update) & ~is_direct,
        is_first=is_first,
        is_update=is_update,
    )


def _copy_direct(
    conn: sa.Connection, planned: sheet.Sheet, routes: _Routes, facts: Mapping[str, Any]
) -> None:
    """Copy new recipients into their table, each with the username of first choice.

    The plain way would stage every row and insert it `ON CONFLICT DO NOTHING`, as
    `_merge_staged` does.  Nearly no row can conflict, because match keys and
    usernames were looked up a moment before, and that way searches every unique
    index twice.  COPY into the table itself saves 16 ms of the server's time for
    5,000 rows with nobody stored and 36 ms with ten million stored
    (docs/decisions/0017-copied-straight-in.md).

    The price is a second way into the table, and that a row which another upload has
    stored meanwhile ends the COPY with an error instead of being skipped: the
    savepoint is rolled back, and the upload is decided again.
    """
    places = np.flatnonzero(routes.is_direct)
    if not len(places):
        return
    people, count = _select_people(planned, places), len(places)
    copy.append(
        conn,
        "cvms.recipients",
        {
            **people,
            "username": _make_usernames(people["email"]),
            "username_number": pa.repeat(1, count),
            "provider": pa.repeat(pa.scalar(facts["provider"], pa.string()), count),
            "upload_id": pa.repeat(facts["upload_id"], count),
            "source_line": planned.plan.index[places],
            "loaded_at": pa.repeat(facts["now"].isoformat(), count),
        },
        order_by=_MATCH_KEY,
        # The column's default, `cvms.new_id()`, takes 17 ms longer for 5,000 rows.  As
        # the ids ascend, each goes to the end of its index, and so does the message's.
        in_order={"id": [str(uuid_utils.uuid7()) for _ in range(count)]},
    )


def _merge_staged(
    conn: sa.Connection, planned: sheet.Sheet, routes: _Routes, facts: Mapping[str, Any]
) -> bool:
    """Stage the other rows, choose usernames in the database, insert and correct.

    Returns:
        Whether each of them was inserted or corrected.
    """
    _stage(conn, planned, routes)
    _number_usernames(conn)
    written = conn.execute(_statement("insert_recipients"), facts).rowcount
    if routes.is_update.any():
        written += conn.execute(_statement("correct_emails"), facts).rowcount
    return bool(written == routes.is_staged.sum())


def _stage(conn: sa.Connection, planned: sheet.Sheet, routes: _Routes) -> None:
    """Put the staged rows of the plan in place of earlier ones.

    The first with an e-mail address gets the username of first choice, which may turn
    out to be taken; the others get none yet.
    """
    places, plan = np.flatnonzero(routes.is_staged), planned.plan
    people, is_first = _select_people(planned, places), routes.is_first[places]
    usernames = _make_usernames(people["email"])
    conn.execute(_statement("create_planned"))
    copy.append(
        conn,
        "pg_temp.planned_rows",
        {
            **people,
            "line": plan.index[places],
            "action": plan["action"].take(places),
            "recipient_id": plan["recipient_id"].take(places),
            "username": pc.if_else(pa.array(is_first), usernames, None),
            "username_number": pa.array(np.ones(len(places), "int64"), mask=~is_first),
        },
    )


def _number_usernames(conn: sa.Connection) -> None:
    """Give a numbered username to each staged row whose first choice is not free."""
    conn.execute(_statement("clear_taken_usernames"))
    number = _statement("number_usernames")
    is_unnamed = sa.text("SELECT 1 FROM pg_temp.planned_rows WHERE username IS NULL")
    while conn.execute(is_unnamed).first():
        conn.execute(number, {"suffix": USERNAME_SUFFIX})


def _select_people(planned: sheet.Sheet, places: np.ndarray) -> dict[str, pd.Series]:
    """Return the columns that identify a person, of the `places` in the plan."""
    values, plan = planned.values, planned.plan
    in_values = values.index.get_indexer(plan.index[places])
    return {
        **{name: values[name].take(in_values) for name in _PERSON_COLUMNS},
        **{name: plan[name].take(places) for name in _MATCH_KEY},
    }


def _make_usernames(emails: pd.Series) -> pa.LargeStringArray:
    """Return the usernames of first choice, which have no number."""
    suffix = pa.scalar(USERNAME_SUFFIX, arrow.TEXT)
    separator = pa.scalar("", arrow.TEXT)
    return pc.binary_join_element_wise(arrow.to_arrow(emails), suffix, separator)
