"""Loading: the one transaction that decides an upload.

`load` writes recipients, rejected rows, messages, counts and status together; what
happens when another upload was faster is decided here, too.  How people are matched
and how a plan is written into the recipients is in `recipients`.
"""

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Any

import pandas as pd
import sqlalchemy as sa

from cvms_pipeline.database import engine, tables
from cvms_pipeline.domain.matching import duplicates
from cvms_pipeline.domain.reporting import outcome
from cvms_pipeline.domain.sheets import sheet
from cvms_pipeline.domain.vocabulary import reasons, upload
from cvms_pipeline.store import outbox, recipients, rejected_rows, uploads
from cvms_pipeline.store.chain import settling
from cvms_pipeline.store.removals import returning

_MAX_ATTEMPTS = 20
_TAKE_TURN = sa.text(
    "SELECT pg_advisory_xact_lock(hashtextextended('cvms contended recipients', 0))"
)
_COUNTS = ("rows", "loaded", "updated", "rejected")


def load(
    conn: sa.Connection,
    locked: uploads.Upload,
    planned: sheet.Sheet,
    *,
    now: dt.datetime,
    data_ops: str,
    invitation_delay: dt.timedelta = dt.timedelta(),
) -> outcome.Outcome:
    """Load an upload, or record its refusal, in the caller's transaction.

    An upload is decided once: for one that was decided before, nothing is loaded and
    the recorded outcome is returned; its status is corrected if its last run failed.
    If another upload has stored a person since `planned` was made, the plan is made
    again.

    Args:
        conn: The transaction.
        locked: The upload, as `uploads.lock` returned it in this transaction.
        planned: Its sheet, for which `duplicates.plan_rows` has made a plan.
        now: The time that is recorded.
        data_ops: The address that is alerted when the provider is unknown.
        invitation_delay: How long invitations wait; until then the upload can be
            withdrawn.

    Raises:
        StoreConflict: If other uploads were faster in every attempt.
        CountsDoNotAddUp: If a row would be lost or counted twice.
    """
    if locked.decided_at is not None:
        uploads.mark_recovered(conn, locked.id, now=now)
        return locked.outcome
    facts = {"upload_id": locked.id, "provider": locked.provider, "now": now}
    facts["due_at"] = now + invitation_delay
    decided, matches = _merge_until_done(conn, locked, planned, facts)
    ended = outcome.from_sheet(decided)
    origin = rejected_rows.find_origin(conn, locked, decided)
    outstanding = rejected_rows.write(
        conn, locked.id, decided, matches, file_name=locked.file_name, origin=origin
    )
    parents = settling.settle(conn, locked, decided)
    outbox.queue_notice(conn, locked, now=now, data_ops=data_ops)
    chained = {"outstanding": outstanding, "parents": parents}
    _record(conn, locked, decided, ended, origin, now, **chained)
    return ended


def count_accounted_lines(conn: sa.Connection, loaded: uploads.Upload) -> int:
    """Return how many lines of an upload loaded, corrected or were rejected.

    Counted from the rows themselves, as evidence for the counts that `load` records;
    only rejected rows that have been purged, and rows that a withdrawal has taken out
    again, are those that the upload recorded.  Whoever was removed counts as loaded.
    """
    taken_out = loaded.loaded if loaded.withdrawn_at is not None else 0
    loading = () if taken_out else (tables.recipients, tables.recipient_changes)
    counts = [
        sa.select(sa.func.count())
        .select_from(table)
        .where(table.c.upload_id == loaded.id)
        .scalar_subquery()
        for table in (tables.rejected_rows, *loading)
    ]
    found = conn.scalars(sa.select(sum(counts[1:], start=counts[0]))).one()
    purged = loaded.rejected if loaded.purged_at is not None else 0
    return int(found) + purged + taken_out


def list_decided_lines(
    conn: sa.Connection, upload_id: str
) -> tuple[pd.Series, list[int]]:
    """Return what was decided about an upload's lines, but for those that are new.

    Returns:
        The reason codes of rejected rows, with commas between, indexed by `line`; and
        the lines that have corrected an e-mail address.
    """
    rejected, changed = tables.rejected_rows.c, tables.recipient_changes.c
    codes = sa.select(rejected.line, sa.func.array_to_string(rejected.codes, ","))
    rows = conn.execute(codes.where(rejected.upload_id == upload_id)).all()
    corrected = sa.select(changed.source_line).where(changed.upload_id == upload_id)
    by_line = pd.Series(dict(map(tuple, rows)), dtype=str)
    return by_line.rename_axis("line").sort_index(), list(conn.scalars(corrected))


def _merge_until_done(
    conn: sa.Connection,
    locked: uploads.Upload,
    planned: sheet.Sheet,
    facts: Mapping[str, Any],
) -> tuple[sheet.Sheet, pd.DataFrame]:
    """Return the sheet as it was carried out, and the recipients it matched."""
    is_outdated = _depends_on_stored(planned)
    if planned.plan.empty and not is_outdated:
        return planned, duplicates.NO_MATCHES
    for attempt in range(_MAX_ATTEMPTS):
        if attempt == 1:
            # Uploads that have disturbed each other would do so again, so they load
            # one after another from here on. A lost attempt leaves no lock on a
            # recipient: nobody waits for an upload that waits here.
            conn.execute(_TAKE_TURN)
        merged = _try_to_merge(conn, locked, planned, facts, decide=is_outdated)
        if merged is not None:
            return merged
        is_outdated = True
    raise engine.StoreConflict


def _try_to_merge(
    conn: sa.Connection,
    locked: uploads.Upload,
    planned: sheet.Sheet,
    facts: Mapping[str, Any],
    *,
    decide: bool,
) -> tuple[sheet.Sheet, pd.DataFrame] | None:
    """Make the plan again if `decide` says so, and merge it.

    Returns:
        The sheet and the recipients that it matched; None if another upload was
        faster: then everything is undone, and the locks are released.
    """
    matches = duplicates.NO_MATCHES
    with (
        engine.suppress_lost_race(tables.PERSON_CONSTRAINTS),
        conn.begin_nested() as savepoint,
    ):
        if decide:
            planned, matches = _decide_again(conn, locked, planned)
        if recipients.merge(conn, planned, facts):
            return planned, matches
        savepoint.rollback()
    return None


def _depends_on_stored(planned: sheet.Sheet) -> bool:
    """Return whether recipients who were stored before decided anything in the plan."""
    is_stored = planned.rejections["code"] == reasons.DUPLICATE_RECIPIENT
    is_update = planned.plan["action"] == duplicates.UPDATE
    return bool(is_stored.any() or is_update.any())


def _decide_again(
    conn: sa.Connection, locked: uploads.Upload, planned: sheet.Sheet
) -> tuple[sheet.Sheet, pd.DataFrame]:
    """Decide by what is stored now, and lock the recipients that may be corrected."""
    is_duplicate = planned.rejections["code"].isin(reasons.DUPLICATES)
    validated = planned.replace(rejections=planned.rejections[~is_duplicate])
    keys = duplicates.make_keys(validated.valid_values)
    matches, taken, similar = recipients.look_up(conn, keys, lock_for=locked.provider)
    matches = returning.add_returning(
        conn, matches, validated, keys, provider=locked.provider
    )
    decided = duplicates.plan_rows(
        validated,
        matches,
        provider=locked.provider,
        upload=locked.id,
        keys=keys,
        taken=taken,
        similar=similar,
    )
    return decided, matches


def _record(
    conn: sa.Connection,
    locked: uploads.Upload,
    decided: sheet.Sheet,
    ended: outcome.Outcome,
    origin: upload.ReportOrigin | None,
    now: dt.datetime,
    **chained: object,
) -> None:
    """Write the outcome to the upload, and add to the recipients of its provider.

    `chained` has the columns of the chain.
    """
    table, providers = tables.uploads, tables.providers
    values = {
        **{name: getattr(ended, name) for name in _COUNTS},
        "reasons": dict(ended.reasons),
        "possible_duplicates": [
            dataclasses.asdict(each) for each in ended.possible_duplicates
        ],
        "origin": origin and dataclasses.asdict(origin),
        "refused_rows": ended.refused_rows,
        "status": ended.status.value,
        "refusal_code": ended.refusal and ended.refusal.code,
        "refusal_message": ended.refusal and ended.refusal.message,
        "encoding": decided.encoding,
        "delimiter": decided.delimiter,
        "ignored_columns": list(decided.ignored_columns),
        "remarks": list(decided.remarks),
        "rules_version": upload.RULES_VERSION,
        "decided_at": now,
        "finished_at": now,
        "failed_at": None,
        **uploads.NO_FAILURE,
        **chained,
    }
    conn.execute(sa.update(table).where(table.c.id == locked.id).values(values))
    # Last, because uploads of one provider wait for each other here.
    inserted = providers.c.recipients + ended.loaded - ended.updated
    counted = sa.update(providers).where(providers.c.slug == locked.provider)
    conn.execute(counted.values(recipients=inserted))
