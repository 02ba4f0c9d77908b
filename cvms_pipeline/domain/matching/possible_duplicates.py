"""Which rows are probably people who are known already, and are loaded nevertheless.

Their match key is a new one, so no rule says that they are duplicates; a person has to
look at them.  A row is compared with earlier rows of its file and with stored people,
in the ways of `likeness.Likeness`.  The store finds the people whom a row resembles
(`similar`); everything else is here.
"""

from collections.abc import Sequence

import pandas as pd

from cvms_pipeline.domain.sheets import frames
from cvms_pipeline.domain.text import arrow
from cvms_pipeline.domain.vocabulary import likeness

NO_SIMILAR = frames.make_empty_frame(frames.Similar)
"""The similar people where no row resembles a stored one."""

_NONE = frames.make_empty_frame(frames.PossibleDuplicates)
_ORDER = ["line", "is_own", "upload", "other_line"]
_NEW = "insert"


def find(
    plan: pd.DataFrame,
    similar: pd.DataFrame,
    *,
    provider: str | None,
    upload: str | None,
) -> pd.DataFrame:
    """Return the possible duplicates among the new people of a plan.

    Args:
        plan: The rows to load: `frames.Plan`.
        similar: The stored people whom its rows resemble: `frames.Similar`.
        provider: The slug of the uploader, or None.
        upload: The id of this upload, or None; its own people are not compared with
            themselves when it runs again.

    Returns:
        `frames.PossibleDuplicates`, in order of line; those that the uploader may see
        first.
    """
    found = [
        *_compare_in_file(plan),
        _compare_stored(plan, similar, provider, upload),
    ]
    filled = [frame for frame in found if len(frame)]
    if not filled:
        return _NONE
    joined = pd.concat(filled, ignore_index=True).astype(_NONE.dtypes.to_dict())
    ascending = [True, False, True, True]
    return joined.sort_values(_ORDER, ascending=ascending, ignore_index=True)


def to_records(found: pd.DataFrame) -> Sequence[likeness.PossibleDuplicate]:
    """Return the rows of `found` (`frames.PossibleDuplicates`) as values."""
    if found.empty:
        return ()
    rows = found.astype(object).where(found.notna(), None)
    return likeness.parse(rows.to_dict("records"))


def _compare_in_file(plan: pd.DataFrame) -> list[pd.DataFrame]:
    """Return what each new row has in common with an earlier one of the file."""
    has_first_name_as_last = arrow.is_in(plan["last_key"], plan["first_key"])
    is_sharing = plan["email_key"].duplicated(keep=False)
    if not (has_first_name_as_last.any() or is_sharing.any()):
        return []
    is_new = plan["action"] == _NEW
    names = plan[is_new & has_first_name_as_last].reset_index()
    sharing = plan[is_new & is_sharing].reset_index()
    return [
        _pair(
            names,
            names.rename(columns={"first_key": "last_key", "last_key": "first_key"}),
            ["first_key", "last_key", "birth_date"],
            likeness.Likeness.SWAPPED_NAMES,
        ),
        _find_other_last_names(sharing),
        _pair(
            sharing,
            sharing.assign(birth_date=_swap_day_and_month(sharing["birth_date"])),
            ["first_key", "last_key", "birth_date", "email_key"],
            likeness.Likeness.SWAPPED_DATE,
        ),
    ]


def _pair(
    rows: pd.DataFrame, others: pd.DataFrame, on: list[str], kind: likeness.Likeness
) -> pd.DataFrame:
    """Return the rows that equal an earlier one of `others` in the columns `on`.

    No two rows have the same values there, so no row has several pairs.
    """
    if rows.empty:
        return _NONE
    pairs = rows[["line", *on]].merge(others[["line", *on]], on=on, suffixes=("", "_"))
    pairs = pairs[pairs["line_"] < pairs["line"]]
    return _make(pairs["line"], kind, pairs["line_"])


def _find_other_last_names(sharing: pd.DataFrame) -> pd.DataFrame:
    """Return what rows have in common with the first of theirs but for the last name.

    Match keys are unique here, so that the last names of such rows differ.
    """
    if sharing.empty:
        return _NONE
    on = ["first_key", "birth_date", "email_key"]
    first = sharing.groupby(on)["line"].transform("min")
    is_later = first < sharing["line"]
    kind = likeness.Likeness.OTHER_LAST_NAME
    return _make(sharing["line"][is_later], kind, first[is_later])


def _compare_stored(
    plan: pd.DataFrame,
    similar: pd.DataFrame,
    provider: str | None,
    upload: str | None,
) -> pd.DataFrame:
    if similar.empty:
        return _NONE
    is_new = similar["line"].isin(plan.index[plan["action"] == _NEW])
    others = similar[is_new & similar["upload"].ne(upload or "")]
    is_own = others["provider"].eq(provider or "").astype(bool)
    return others.assign(is_own=is_own)[list(_NONE)]


def _make(
    lines: pd.Series, kind: likeness.Likeness, other_lines: pd.Series
) -> pd.DataFrame:
    """Return the possible duplicates of lines inside one file."""
    return pd.DataFrame(
        {
            "line": lines.to_numpy(),
            "likeness": kind.value,
            "upload": None,
            "other_line": other_lines.to_numpy(),
            "is_own": True,
        }
    ).astype(_NONE.dtypes.to_dict())


def _swap_day_and_month(dates: pd.Series) -> pd.Series:
    """Return `dates` with day and month swapped; NaT where that is no other date."""
    is_other = (dates.dt.day <= 12) & (dates.dt.day != dates.dt.month)
    swapped = pd.to_datetime(
        pd.DataFrame(
            {
                "year": dates.dt.year,
                "month": dates.dt.day.where(is_other, 1),
                "day": dates.dt.month,
            }
        )
    )
    return swapped.astype(dates.dtype).where(is_other)
