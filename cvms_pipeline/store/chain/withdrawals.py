"""Withdrawing an upload as a whole, while all of its invitations wait.

What happens then, in one transaction and in which order, is the function of the
database (revision 0018) that alone may delete recipients.
"""

import datetime as dt
from collections.abc import Mapping
from typing import ClassVar

import sqlalchemy as sa

from cvms_pipeline import errors
from cvms_pipeline.database import engine, tables
from cvms_pipeline.store.chain import outstanding

_WITHDRAW = sa.text("SELECT cvms.withdraw(:upload_id, :why, :now)")
_HELP_DESK = "Ask the help desk to remove people."


class NotWithdrawable(errors.PermanentError):
    """The upload cannot be withdrawn."""

    BECAUSE: ClassVar[Mapping[str, str]] = {
        "unknown": "There is no upload {0!r}. See `cvms uploads`.",
        "undecided": (
            "The upload {0} has no outcome yet, so there is nothing to withdraw."
        ),
        "withdrawn": "The upload {0} was withdrawn already.",
        "nothing": (
            "The upload {0} has loaded nobody, so there is nothing to withdraw."
        ),
        "invited": (
            "The upload {0} cannot be withdrawn any more: its invitations are being"
            f" sent. {_HELP_DESK}"
        ),
        "changed": (
            "The upload {0} cannot be withdrawn any more: a later upload has changed"
            f" people whom it has loaded or corrected. {_HELP_DESK}"
        ),
    }
    """Why the database has withdrawn nothing."""


def withdraw(
    conn: sa.Connection, upload_id: str, *, why: str, now: dt.datetime
) -> None:
    """Withdraw an upload: all of it, or nothing.

    Raises:
        NotWithdrawable: If it has loaded nobody, or somebody may have been invited.
        WhyMissing: If `why` says nothing.
        StoreConflict: If another upload was faster; it can be tried again.
    """
    values = {"upload_id": upload_id, "why": outstanding.clean_why(why), "now": now}
    with engine.suppress_lost_race(tables.PERSON_CONSTRAINTS):
        result = conn.scalar(_WITHDRAW, values)
        if result != "done":
            why_not = NotWithdrawable.BECAUSE[result]
            raise NotWithdrawable(why_not.format(upload_id))
        return
    raise engine.StoreConflict


def can_withdraw(conn: sa.Connection, upload_id: str) -> bool:
    """Return whether all invitations of an upload wait, as far as one can see now."""
    message = tables.messages
    is_untouched = (
        (message.c.status == "waiting")
        & (message.c.attempts == 0)
        & (message.c.next_attempt_at == message.c.queued_at)
    )
    query = sa.select(sa.func.bool_and(is_untouched)).where(
        message.c.upload_id == upload_id, message.c.kind == "invitation"
    )
    return bool(conn.scalar(query))
