"""The recipients: who is stored already, and loading an upload's rows.

Here lives the one transaction that decides an upload: recipients, rejected rows,
messages, counts and status together.  Its steps on the recipients are `merging`;
how recipients are looked up by people is `search`.
"""

import datetime as dt

import pandas as pd
import sqlalchemy as sa

from cvms_pipeline.domain import duplicates, outcome, reasons, sheet, upload
from cvms_pipeline.store import engine, merging, outbox, rejected, tables, uploads

_ROUNDS = 20
_CONTESTED = (tables.MATCH_KEY, tables.USERNAME)
_DUPLICATE = (reasons.DUPLICATE_IN_FILE, reasons.DUPLICATE_RECIPIENT)


class _OvertakenError(Exception):
    """Another upload stored one of the recipients first."""


def look_up(conn: sa.Connection, keys: pd.DataFrame) -> tuple[pd.DataFrame, pd.Index]:
    """Return what the store has of an upload's rows.

    Args:
        conn: The transaction.
        keys: What `duplicates.keys` returned for the valid rows.

    Returns:
        The recipients with the same match key, a frame in the shape of
        `duplicates.NO_MATCHES`, indexed by line; and the lines whose username of
        first choice somebody has.
    """
    if keys.empty:
        return duplicates.NO_MATCHES, duplicates.NO_LINES
    merging.stage_keys(conn, keys)
    return _matches(conn), merging.find_taken(conn)


def load(
    conn: sa.Connection,
    upload_id: str,
    planned: sheet.Sheet,
    *,
    now: dt.datetime,
    data_ops: str,
) -> outcome.Outcome:
    """Load an upload, or record its refusal: all of it, in the caller's transaction.

    Done once: for an upload that was decided before, nothing changes and the
    recorded outcome comes back.  Where another upload has stored a person since
    `planned` was decided, it is decided anew.

    Args:
        conn: The transaction.
        upload_id: The upload.
        planned: Its sheet, for which `duplicates.decide` has made a plan.
        now: When.
        data_ops: The address that is told when nobody knows the provider.

    Raises:
        UploadUnknown: If there is no such upload.
        StoreConflict: If other uploads kept being faster.
        CountsDoNotAddUp: If a row would be lost or counted twice.
    """
    loading = uploads.lock(conn, upload_id)
    if loading.decided_at is not None:
        return uploads.recorded_outcome(loading)
    decided, found = _merge(conn, loading, planned, now)
    ended = outcome.of(decided)
    rejected.write(conn, upload_id, decided, found)
    outbox.queue_notice(conn, loading, now=now, data_ops=data_ops)
    _record(conn, loading, decided, ended, now)
    return ended


def _merge(
    conn: sa.Connection, loading: uploads.Upload, planned: sheet.Sheet, now: dt.datetime
) -> tuple[sheet.Sheet, pd.DataFrame]:
    """Return the sheet as it was carried out, and who was found stored."""
    found = duplicates.NO_MATCHES
    is_open = _touches_stored(planned)
    if planned.plan.empty and not is_open:
        return planned, found
    for attempt in range(_ROUNDS):
        if attempt or is_open:
            planned, found = _decide_again(conn, loading, planned)
        try:
            with conn.begin_nested():
                is_done = merging.merge(
                    conn,
                    planned,
                    upload_id=loading.id,
                    provider=loading.provider,
                    now=now,
                )
                if not is_done:
                    raise _OvertakenError
        except _OvertakenError:
            continue
        except engine.DRIVER_ERRORS as error:
            if not engine.is_lost_race(error, _CONTESTED):
                raise
            continue
        return planned, found
    raise engine.StoreConflict


def _touches_stored(planned: sheet.Sheet) -> bool:
    """Return whether the plan rests on what was stored when it was made."""
    is_known = planned.rejections["code"] == reasons.DUPLICATE_RECIPIENT
    is_update = planned.plan["action"] == duplicates.UPDATE
    return bool(is_known.any() or is_update.any())


def _decide_again(
    conn: sa.Connection, loading: uploads.Upload, planned: sheet.Sheet
) -> tuple[sheet.Sheet, pd.DataFrame]:
    """Decide on what is stored now, holding on to whom the plan may correct."""
    is_duplicate = planned.rejections["code"].isin(_DUPLICATE)
    judged = planned.but(rejections=planned.rejections[~is_duplicate])
    keys = duplicates.keys(judged.valid)
    merging.stage_keys(conn, keys)
    conn.execute(engine.statement("lock_correctable"), {"provider": loading.provider})
    found = _matches(conn)
    decided = duplicates.decide(
        judged,
        found,
        provider=loading.provider,
        upload=loading.id,
        compared=keys,
        taken=merging.find_taken(conn),
    )
    return decided, found


def _matches(conn: sa.Connection) -> pd.DataFrame:
    rows = conn.execute(engine.statement("find_matches")).all()
    if not rows:
        return duplicates.NO_MATCHES
    names = ["line", *duplicates.NO_MATCHES.columns]
    found = pd.DataFrame(dict(zip(names, zip(*rows, strict=True), strict=True)))
    types = {"line": "int64", **duplicates.NO_MATCHES.dtypes}
    return found.astype(types).set_index("line")


def _record(
    conn: sa.Connection,
    loading: uploads.Upload,
    decided: sheet.Sheet,
    ended: outcome.Outcome,
    now: dt.datetime,
) -> None:
    """Write the outcome to the upload, and add to its provider's recipients."""
    providers = tables.providers
    conn.execute(
        sa.update(tables.uploads)
        .where(tables.uploads.c.id == loading.id)
        .values(
            status=ended.status.value,
            refusal_code=ended.refusal.code if ended.refusal else None,
            refusal_message=ended.refusal.message if ended.refusal else None,
            encoding=decided.encoding,
            delimiter=decided.delimiter,
            ignored_columns=list(decided.ignored_columns),
            rows=ended.rows,
            loaded=ended.loaded,
            updated=ended.updated,
            rejected=ended.rejected,
            reasons=dict(ended.reasons),
            rules_version=upload.RULES_VERSION,
            decided_at=now,
            finished_at=now,
            failed_at=None,
        )
    )
    # Last, because uploads of one provider wait for each other here.
    loaded = ended.loaded - ended.updated
    conn.execute(
        sa.update(providers)
        .where(providers.c.slug == loading.provider)
        .values(recipients=providers.c.recipients + loaded)
    )
