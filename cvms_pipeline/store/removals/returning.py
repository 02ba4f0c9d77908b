"""Rows of removed people that come back in a corrected error report.

A provider corrects some rows of `BulkError.csv` and leaves the others as they are.  One
of those may be a duplicate of somebody who was removed since: with its error it is the
same row as before, so it is rejected as before, and loads nobody.  A row without an
error is a new one.
"""

import pandas as pd
import sqlalchemy as sa

from cvms_pipeline.database import engine
from cvms_pipeline.domain.matching import duplicates
from cvms_pipeline.domain.sheets import sheet
from cvms_pipeline.domain.text import normalise

_statement = engine.load_statements(__package__)
_KEY = ["message", "first_key", "last_key", "birth_date"]
_SEPARATOR = "\x1e"


def add_returning(
    conn: sa.Connection,
    matches: pd.DataFrame,
    read: sheet.Sheet,
    keys: pd.DataFrame,
    *,
    provider: str | None,
) -> pd.DataFrame:
    """Return the matches of an upload, with those of rows of removed people.

    Args:
        conn: The transaction.
        matches: What `recipients.look_up` has found.
        read: The sheet; without a column `Error` nothing is looked up.
        keys: The match keys of its valid rows.
        provider: Whose upload it is.
    """
    errors = read.extras["error"]
    errors = errors[(errors != "") & errors.index.isin(keys.index)]
    errors = errors[~errors.index.isin(matches.index)]
    if provider is None or errors.empty:
        return matches
    values = {"provider": provider, "errors": _SEPARATOR.join(errors.unique())}
    rows = conn.execute(_statement("find_returning"), values).mappings().all()
    if not rows:
        return matches
    found = _match(pd.DataFrame(rows), keys.loc[errors.index].assign(message=errors))
    types = duplicates.NO_MATCHES.dtypes.to_dict()
    found = found[list(types)].astype(types)
    return found if matches.empty else pd.concat([matches, found]).sort_index()


def _match(removed: pd.DataFrame, keys: pd.DataFrame) -> pd.DataFrame:
    """Return the removed people by the line of the row that has error and key."""
    removed["first_key"] = normalise.make_match_keys(removed.pop("first_name"))
    removed["last_key"] = normalise.make_match_keys(removed.pop("last_name"))
    removed["birth_date"] = removed["birth_date"].astype(str)
    dated = keys.assign(birth_date=keys["birth_date"].astype(str))
    found = dated.reset_index().merge(removed.drop_duplicates(_KEY), on=_KEY)
    return found.set_index("line").assign(is_registered=True)
