"""Which rows are duplicates: inside the file, then of stored recipients.

Two rows with one match key are the same recipient, and at most one of them is kept:

* No recipient with the key is stored: the first row is inserted.
* This very upload has loaded the recipient from one of the rows: that row is planned as
  the same insert again, with the recipient's id.
* Otherwise the first row that may correct the e-mail address is an update.  A row with
  a birth date that many rows of its file share may not: such a date is often a default
  (1/1/1970), and then says nothing about who the person is.

Rows after the kept one repeat it; the other rows are stored already.

Everything is decided on frames; the store finds the recipients with the same match key.
`normalise.make_match_keys` defines which names are equal.
"""

import pandas as pd

from cvms_pipeline.domain.matching import possible_duplicates
from cvms_pipeline.domain.sheets import frames, sheet
from cvms_pipeline.domain.text import normalise
from cvms_pipeline.domain.validation import rules
from cvms_pipeline.domain.vocabulary import columns, reasons, wording

_INSERT = "insert"
UPDATE = "update"

NO_MATCHES = frames.make_empty_frame(frames.Matches)
"""The matches where no row is stored."""

MIN_SHARED_ROWS = 5
MIN_SHARED_PERCENT = 2
"""From both on, a birth date of a file is shared by many of its rows.

A date of fifty years is by chance that of 0.3 of 5,000 people, and 2 % of them are 100.
"""

_KEY = ["first_key", "last_key", "birth_date"]
_NO_CANDIDATES = frames.make_empty_frame(frames.Plan)


def make_keys(values: pd.DataFrame) -> pd.DataFrame:
    """Return the match keys of rows: `frames.Keys`.

    Args:
        values: Valid rows, cleaned: `frames.Cells`.
    """
    return pd.DataFrame(
        {
            "first_key": normalise.make_match_keys(values[columns.FIRST_NAME]),
            "last_key": normalise.make_match_keys(values[columns.LAST_NAME]),
            "birth_date": rules.parse_birth_dates(values[columns.BIRTH_DATE]),
            "email_key": values[columns.EMAIL].str.lower(),
        }
    )


def plan_rows(
    validated: sheet.Sheet,
    matches: pd.DataFrame,
    *,
    provider: str | None,
    upload: str | None,
    keys: pd.DataFrame | None = None,
    taken: pd.Index = NO_MATCHES.index,
    similar: pd.DataFrame = possible_duplicates.NO_SIMILAR,
) -> sheet.Sheet:
    """Return the sheet with its plan; every valid row is planned or rejected.

    The possible duplicates among the planned rows are found, too.

    Args:
        validated: A sheet whose rows have been validated.
        matches: The stored recipients of the valid rows: `frames.Matches`.
        provider: The slug of the uploader; None if nothing may be updated.
        upload: The id of this upload; None if there is none yet.
        keys: The result of `make_keys` for the valid rows, if it is known.
        taken: The lines of valid rows for which a stored recipient already has the
            username of first choice.
        similar: The stored recipients whom valid rows resemble: `frames.Similar`.

    Raises:
        FrameInvalid: If `matches` does not match its model.
    """
    planned = _plan(
        validated, matches, provider=provider, upload=upload, keys=keys, taken=taken
    )
    found = possible_duplicates.find(
        planned.plan, similar, provider=provider, upload=upload
    )
    if found.empty and planned.possible_duplicates.empty:
        return planned  # unchanged, because the check of a frame takes a millisecond
    return planned.replace(possible_duplicates=found)


def _plan(
    validated: sheet.Sheet,
    matches: pd.DataFrame,
    *,
    provider: str | None,
    upload: str | None,
    keys: pd.DataFrame | None,
    taken: pd.Index,
) -> sheet.Sheet:
    """Return the sheet with its plan and the rejections of duplicates."""
    keys = make_keys(validated.valid_values) if keys is None else keys
    is_open = _find_twins(keys) | keys.index.isin(matches.index)
    if not is_open.any():
        return validated.replace(plan=_make_plan(keys, _NO_CANDIDATES, taken))
    frames.check_frame(frames.Matches.to_schema(), matches)
    sharing = _count_sharing(keys, rows=len(validated.cells))[is_open]
    candidates = _find_candidates(keys[is_open], matches, provider, upload, sharing)
    kept, *rejected = _settle(candidates, validated.valid_values[columns.EMAIL])
    is_planned = ~is_open | keys.index.isin(kept.index)
    return validated.replace(
        plan=_make_plan(keys[is_planned], kept, taken),
        rejections=sheet.join_rejections([validated.rejections, *rejected]),
    )


def _find_twins(keys: pd.DataFrame) -> pd.Series:
    """Return which rows have the match key of another one."""
    # Dates are compared in a sixth of the time, and most files have few the same.
    may_be = keys["birth_date"].duplicated(keep=False)
    is_twin = keys[may_be].duplicated(_KEY, keep=False)
    return is_twin.reindex(keys.index, fill_value=False)


def _find_candidates(
    keys: pd.DataFrame,
    matches: pd.DataFrame,
    provider: str | None,
    upload: str | None,
    sharing: pd.Series,
) -> pd.DataFrame:
    """Return the group of each row with a twin or a match, and what may become of it.

    Twins are rows with one match key; one candidate of a group is kept.  `sharing` is
    0, or with how many rows of the file a row shares its birth date; such a row
    corrects nobody, and `withheld` is that number where it would have.
    """
    line = keys.index
    twins = keys.groupby(_KEY, sort=False).ngroup()
    stored = matches.assign(email_key=matches["email"].str.lower()).reindex(line)
    is_stored = pd.Series(line.isin(matches.index), index=line)
    is_own = _equals(stored["upload"], upload) & (stored["source_line"] == line)
    is_updatable = (
        (stored["email_key"] != keys["email_key"])
        & _equals(stored["provider"], provider)
        & _equals(stored["is_registered"], False)
    )
    has_own = is_own.groupby(twins).transform("any")
    return pd.DataFrame(
        {
            "twins": twins,
            "is_candidate": is_own
            | (~has_own & (~is_stored | (is_updatable & (sharing == 0)))),
            "withheld": sharing.where(is_updatable & ~has_own, 0),
            "action": pd.Series(_INSERT, index=line, dtype=str).mask(
                is_stored & ~is_own, UPDATE
            ),
            "recipient_id": stored["recipient_id"],
        }
    )


def _settle(candidates: pd.DataFrame, emails: pd.Series) -> tuple[pd.DataFrame, ...]:
    """Return the kept rows, and the rejections of those after and before them."""
    line = candidates.index.to_series()
    first = line.where(candidates["is_candidate"])
    kept = first.groupby(candidates["twins"]).transform("min")
    is_kept, is_repeated = line == kept, line > kept
    emails = emails.loc[line]
    repeated = wording.describe_duplicates(
        emails[is_repeated], kept[is_repeated].astype("int64").astype(str)
    )
    is_stored, withheld = ~is_kept & ~is_repeated, candidates["withheld"]
    stored = wording.describe_duplicates(emails[is_stored & (withheld == 0)])
    is_withheld = is_stored & (withheld > 0)
    unchanged = wording.describe_unchanged(emails[is_withheld], withheld[is_withheld])
    return (
        candidates[is_kept],
        sheet.make_rejections(reasons.DUPLICATE_IN_FILE, repeated),
        sheet.make_rejections(reasons.DUPLICATE_RECIPIENT, stored),
        sheet.make_rejections(reasons.DUPLICATE_RECIPIENT, unchanged),
    )


def _count_sharing(keys: pd.DataFrame, *, rows: int) -> pd.Series:
    """Return how many rows have the birth date of each; 0 if they are not many."""
    dates = keys["birth_date"]
    counts: pd.Series = dates.groupby(dates).transform("size")
    fewest = max(MIN_SHARED_ROWS, rows * MIN_SHARED_PERCENT / 100)
    return counts.where(counts >= fewest, 0)


def _make_plan(keys: pd.DataFrame, kept: pd.DataFrame, taken: pd.Index) -> pd.DataFrame:
    """Return the plan of the rows with `keys`: inserts, unless `kept` differs."""
    action = pd.Series(_INSERT, keys.index, dtype=str)
    recipient_id = pd.Series(None, keys.index, dtype=str)
    if len(kept):
        action = kept["action"].reindex(keys.index, fill_value=_INSERT)
        recipient_id = kept["recipient_id"].reindex(keys.index)
    return keys.assign(
        is_taken=keys.index.isin(taken), action=action, recipient_id=recipient_id
    )


def _equals(found: pd.Series, wanted: str | bool | None) -> pd.Series:
    """Return where `found` equals `wanted`; nowhere if that is None."""
    if wanted is None:
        return pd.Series(False, index=found.index)
    return found.eq(wanted).fillna(False).astype(bool)
