"""The messages about a case: what is queued when.  Their words are `mail.cases`.

They hold no word that anybody has typed, and no link that opens without log-in.
"""

import enum

from cvms_pipeline.database import engine
from cvms_pipeline.mail import cases as words
from cvms_pipeline.store import outbox
from cvms_pipeline.store.help_desk import cases
from cvms_pipeline.use_cases import pipelines

About = words.About


def queue(
    conn: engine.Connection,
    pipeline: pipelines.Pipeline,
    case: cases.Case,
    activity_id: int | None,
    about: About,
) -> None:
    """Tell the requester what has happened to a case, once for each activity.

    A case that nobody has asked for ("This is not me") has no address.
    """
    if activity_id is not None and case.requester_email:
        purpose = make_purpose(case.number, activity_id)
        _queue(conn, pipeline, case, purpose, case.requester_email, about)


def tell_help_desk(
    conn: engine.Connection,
    pipeline: pipelines.Pipeline,
    case: cases.Case,
    activity_id: int | None,
    about: About = About.OPENED,
) -> None:
    """Tell the help desk, if it has an address, once for each activity."""
    if activity_id is not None and pipeline.help_desk is not None:
        purpose = make_purpose(case.number, activity_id, is_to_staff=True)
        _queue(conn, pipeline, case, purpose, pipeline.help_desk, about)


def make_purpose(number: int, activity_id: int, *, is_to_staff: bool = False) -> str:
    """Return the purpose of the message about an activity."""
    return f"case:{number}:{activity_id}{':help-desk' if is_to_staff else ''}"


def _queue(
    conn: engine.Connection,
    pipeline: pipelines.Pipeline,
    case: cases.Case,
    purpose: str,
    address: str,
    about: enum.StrEnum,
) -> None:
    is_to_staff = purpose.endswith(":help-desk")
    outbox.queue(
        conn,
        purpose=purpose,
        kind=outbox.Kind.CASE,
        addresses=[address],
        now=pipeline.now(),
        details={"case": case.number, "about": about.value, "staff": is_to_staff},
    )
