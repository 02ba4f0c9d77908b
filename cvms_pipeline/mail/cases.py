"""The words of the messages about a case of the help desk.

Pure, like `messages`.  They name the case and what has happened, and lead to its page:
what was written there may hold personal data, and is in no message.
"""

import enum

from cvms_pipeline.domain.vocabulary import cases
from cvms_pipeline.mail import mime

_NO_REPLY = (
    "Please do not reply to this message: replies are not read. Answer on the page."
)


class About(enum.StrEnum):
    """What a message about a case tells."""

    OPENED = "opened"
    REPLIED = "replied"
    RESOLVED = "resolved"
    CLOSED = "closed"
    LOADED = "loaded"
    ONBOARDED = "onboarded"
    ONBOARDING_REFUSED = "onboarding_refused"
    REMOVED = "removed"


_SENTENCES = {
    About.OPENED: "We have received your request. Its case number is {number}.",
    About.REPLIED: "The help desk has answered your case {number}.",
    About.RESOLVED: (
        "The help desk has resolved your case {number}. If something is still missing,"
        " answer on its page."
    ),
    About.CLOSED: "Your case {number} is closed.",
    About.LOADED: (
        "The file of your case {number} is being loaded. A notice with the outcome"
        " follows."
    ),
    About.ONBOARDED: (
        "Your organisation can now upload recipients: case {number}. A message with a"
        " link to set your password follows if you have a new account."
    ),
    About.ONBOARDING_REFUSED: (
        "Your request for onboarding was not granted: case {number}. The reason is on"
        " its page."
    ),
    About.REMOVED: "The recipient of your case {number} was removed.",
}
_FOR_STAFF = {
    About.OPENED: "A new case was opened: {number}.",
    About.REPLIED: "The requester has answered the case {number}.",
}


def make_case_message(
    *,
    to: str,
    sender: str,
    message_id: str,
    first_id: str,
    number: int,
    kind: cases.Kind,
    state: cases.State,
    about: About,
    url: str,
    is_to_staff: bool,
) -> mime.Message:
    """Return a message of the thread of a case.

    Args:
        to: The address.
        sender: The address it is from.
        message_id: Stays the same when the message is sent again.
        first_id: The Message-ID of the first message of the thread.
        number: The case's.
        kind: What was asked for.
        state: How far the case is now.
        about: What has happened.
        url: The page of the case.
        is_to_staff: Whether it is to the help desk, not to the requester.
    """
    shown = cases.format_number(number)
    sentences = _FOR_STAFF if is_to_staff else _SENTENCES
    body = mime.Body()
    body.add_paragraph("Hello,")
    body.add_paragraph(sentences[about].format(number=shown))
    body.add_facts([("Case", shown), ("Request", kind.words), ("State", state.words)])
    body.add_paragraph("See it here, after log-in:")
    body.add_link(url)
    body.add_paragraph(_NO_REPLY)
    body.add_paragraph("Vaccine Management System")
    is_first = message_id == first_id
    subject = f"Case {shown} opened - {kind.words}"
    return mime.Message(
        to=(to,),
        sender=sender,
        message_id=message_id,
        subject=subject if is_first else f"Re: {subject}",
        text=body.as_text(),
        html=body.as_html(),
        answers=None if is_first else first_id,
    )
