"""The message that brings an account of the portal its link to set a password.

Pure, like `messages`, which has the words for providers, recipients and data-ops.
"""

from cvms_pipeline.mail import mime

_SUBJECTS = {
    True: "Your account for the Vaccine Management System",
    False: "Set a new password for the Vaccine Management System",
}


def make_link_message(
    *,
    to: str,
    sender: str,
    message_id: str,
    username: str,
    link: str,
    valid_until: str,
    is_new: bool,
) -> mime.Message:
    """Return the message with the link; `valid_until` as it is shown.

    Args:
        to: The address.
        sender: The address it is from.
        message_id: Stays the same when the message is sent again.
        username: What the owner types to log in.
        link: The link; it can be used once.
        valid_until: Until when.
        is_new: Whether the account is new; else its owner has asked for the link.
    """
    body = _make_body(username, link, valid_until, is_new=is_new)
    return mime.Message(
        to=(to,),
        sender=sender,
        message_id=message_id,
        subject=_SUBJECTS[is_new],
        text=body.as_text(),
        html=body.as_html(),
    )


def _make_body(
    username: str, link: str, valid_until: str, *, is_new: bool
) -> mime.Body:
    body = mime.Body()
    body.add_paragraph("Hello,")
    if is_new:
        body.add_paragraph(
            "An account for the Vaccine Management System was created for you. To"
            " use it, first set your password."
        )
    else:
        body.add_paragraph("Somebody, probably you, has asked for a new password.")
    body.add_facts([("Your username", username)])
    body.add_paragraph("Set your password here:")
    body.add_link(link)
    body.add_paragraph(
        f"The link works once, until {valid_until}. A newer link replaces it."
    )
    body.add_paragraph(
        "If you did not expect this message, you can ignore it: nothing changes. Please"
        " do not forward it: whoever has the link can set your password."
    )
    body.add_paragraph("Vaccine Management System")
    return body
