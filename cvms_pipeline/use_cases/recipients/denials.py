"""The case that "This is not me" opens, for the help desk and the provider.

It holds no personal data: which upload and which line loaded the recipient.  Nobody is
its requester, so nobody is mailed as one.
"""

import uuid

from cvms_pipeline.database import engine
from cvms_pipeline.domain.vocabulary import cases as vocabulary
from cvms_pipeline.store.help_desk import activity, cases
from cvms_pipeline.store.recipient_access import access
from cvms_pipeline.use_cases import pipelines
from cvms_pipeline.use_cases.help_desk import mails

_NOBODY = str(uuid.UUID(int=0))
_WHO = "Recipient portal"
_TEXT = (
    "Somebody at the e-mail address of the recipient in line {line} of the upload"
    " {upload} says that it is the address of another person. No more messages go"
    " there. Find out the right address, and upload the row again with it."
)


def open_case(
    conn: engine.Connection, pipeline: pipelines.Pipeline, found: access.Recipient
) -> None:
    """Open a case about a wrong address; one for each time that it is denied."""
    now = pipeline.now()
    organisation, vfc_pin = access.find_provider(conn, found.provider)
    opened = cases.add(
        conn,
        now=now,
        key=f"denied:{found.id}:{found.current_link}",
        kind=vocabulary.Kind.WRONG_ADDRESS,
        provider=found.provider,
        vfc_pin=vfc_pin,
        organisation=organisation,
        requester=_NOBODY,
        requester_name=_WHO,
        requester_email="",
        upload_id=found.upload_id,
        line=found.source_line,
        recipient_id=found.id,
    )
    if opened is None:
        return
    first = activity.add(
        conn,
        now=now,
        number=opened.number,
        action=vocabulary.Action.OPENED,
        author=_NOBODY,
        author_name=_WHO,
        text=_TEXT.format(line=found.source_line, upload=found.upload_id),
    )
    mails.tell_help_desk(conn, pipeline, opened, first)
