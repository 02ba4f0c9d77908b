"""Who is a duplicate (DESIGN 5): inside the file, then against the store.

Decides on frames alone; the store finds the recipients with the same match key
and hands them in.  How names are compared is `cleaning.match_key`.
"""

import pandas as pd

from cvms_pipeline.domain import (
    cleaning,
    columns,
    reasons,
    rejections,
    rules,
    sheet,
    wording,
)

INSERT = "insert"
UPDATE = "update"

_KEY = ["first_key", "last_key", "birth_date"]

NO_MATCHES = pd.DataFrame(
    {
        "recipient_id": pd.Series(dtype=str),
        "email": pd.Series(dtype=str),
        "provider": pd.Series(dtype=str),
        "is_registered": pd.Series(dtype=bool),
        "upload": pd.Series(dtype=str),
        "source_line": pd.Series(dtype="int64"),
    },
    index=pd.Index([], dtype="int64", name="line"),
)
"""What the store knows of nobody: the shape of `matches`."""

NO_LINES = NO_MATCHES.index
"""No row of an upload."""

_NOBODY = NO_MATCHES.assign(action="")


def keys(values: pd.DataFrame) -> pd.DataFrame:
    """Return what the rows are compared by, with the index of `values`.

    Args:
        values: Cleaned rows that no reason speaks against.

    Returns:
        The match key `first_key`, `last_key` (strings) and `birth_date`
        (datetime64[us]), and `email_key`, the e-mail address in small letters.
    """
    return pd.DataFrame(
        {
            "first_key": cleaning.match_key(values[columns.FIRST_NAME]),
            "last_key": cleaning.match_key(values[columns.LAST_NAME]),
            "birth_date": rules.birth_dates(values[columns.BIRTH_DATE]),
            "email_key": values[columns.EMAIL].str.lower(),
        }
    )


def decide(
    judged: sheet.Sheet,
    matches: pd.DataFrame,
    *,
    provider: str | None,
    upload: str | None,
    compared: pd.DataFrame | None = None,
    taken: pd.Index = NO_LINES,
) -> sheet.Sheet:
    """Return the sheet with its plan; every valid row is planned or rejected.

    Of the rows with one match key at most one is kept.  Not in the store: the first
    is inserted.  Loaded by this very upload and line: it is planned as the same
    insert again, with its recipient's id.  In the store otherwise: the first row
    that may correct the e-mail address is an update.  Rows after the kept one
    repeat it, the others are known already.

    Args:
        judged: A sheet that `schema` has judged.
        matches: Whom the store has of the valid rows, in the shape of `NO_MATCHES`.
        provider: Who uploads; None where nothing may be updated.
        upload: The id of this upload; None where there is none yet.
        compared: What `keys` returned for the valid rows, where that is known.
        taken: The lines of valid rows whose username of first choice somebody has who
            is stored.
    """
    values = judged.valid
    compared = keys(values) if compared is None else compared
    named = compared.assign(is_taken=compared.index.isin(taken))
    is_open = compared.duplicated(_KEY, keep=False)
    is_open |= compared.index.isin(matches.index)
    if not is_open.any():
        return judged.but(plan=_plan(values.index, _NOBODY, named))
    rows = _rows(compared[is_open], matches, provider, upload)
    kept, *rejected = _settle(rows, values.loc[rows.index, columns.EMAIL])
    return judged.but(
        plan=_plan(values.index[~is_open], kept, named),
        rejections=rejections.join([judged.rejections, *rejected]),
    )


def _rows(
    compared: pd.DataFrame,
    matches: pd.DataFrame,
    provider: str | None,
    upload: str | None,
) -> pd.DataFrame:
    """Return the rows with their group of twins and who may be kept of it.

    Args:
        compared: The keys of the rows that have a twin or a match.
        matches: As `decide` takes them.
        provider: As `decide` takes it.
        upload: As `decide` takes it.
    """
    line = compared.index
    twins = compared.groupby(_KEY, sort=False).ngroup()
    stored = matches.assign(email_key=matches["email"].astype(str).str.lower()).reindex(
        line
    )
    is_stored = pd.Series(line.isin(matches.index), index=line)
    is_own = _is(stored["upload"], upload) & (stored["source_line"] == line)
    is_updatable = (
        (stored["email_key"] != compared["email_key"])
        & _is(stored["provider"], provider)
        & _is(stored["is_registered"], False)
    )
    has_own = is_own.groupby(twins).transform("any")
    return pd.DataFrame(
        {
            "twins": twins,
            "is_candidate": is_own | (~has_own & (~is_stored | is_updatable)),
            "action": pd.Series(INSERT, index=line, dtype=str).mask(
                is_stored & ~is_own, UPDATE
            ),
            "recipient_id": stored["recipient_id"],
        }
    )


def _settle(
    rows: pd.DataFrame, emails: pd.Series
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return which of `rows` are kept, and why not those after and before them."""
    line = rows.index.to_series()
    kept = line.where(rows["is_candidate"]).groupby(rows["twins"]).transform("min")
    is_kept, is_repeated = line == kept, line > kept
    repeated = _repeated(emails[is_repeated], kept[is_repeated])
    return rows[is_kept], repeated, _known(emails[~is_kept & ~is_repeated])


def _repeated(emails: pd.Series, kept: pd.Series) -> pd.DataFrame:
    lines = kept.astype("int64").astype(str)
    texts = wording.duplicate_in_file(emails, lines)
    return rejections.of(reasons.DUPLICATE_IN_FILE, texts)


def _known(emails: pd.Series) -> pd.DataFrame:
    texts = wording.duplicate_recipient(emails)
    return rejections.of(reasons.DUPLICATE_RECIPIENT, texts)


def _plan(alone: pd.Index, kept: pd.DataFrame, named: pd.DataFrame) -> pd.DataFrame:
    """Return the plan of the rows that are `alone`, new and no twin, and of `kept`."""
    text = NO_MATCHES["recipient_id"].dtype
    new = {"action": INSERT, "recipient_id": None}
    plan = pd.DataFrame(new, index=alone, dtype=text)
    if len(kept):
        plan = pd.concat([plan, kept[list(new)].astype(text)]).sort_index()
    return plan.join(named).rename_axis("line")


def _is(found: pd.Series, wanted: str | bool | None) -> pd.Series:
    """Return where `found` is `wanted`; nowhere if that is None."""
    if wanted is None:
        return pd.Series(False, index=found.index)
    return found.eq(wanted).fillna(False).astype(bool)
