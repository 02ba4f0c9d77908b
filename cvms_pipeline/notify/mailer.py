"""Which way messages take: a mail server, or a Maildir that anyone can read.

Only the choice and what the ways have in common; the ways are `smtp` and `maildir`.
"""

import datetime as dt
from pathlib import Path
from typing import Protocol, Self

from cvms_pipeline.notify import delivery, maildir, messages, smtp


class Mailer(Protocol):
    """Hands messages over; as a context it closes what it has opened.

    Attributes:
        repeats_are_one: Whether a message that is sent again leaves only one.
    """

    repeats_are_one: bool

    def send(self, message: messages.Message, *, at: dt.datetime) -> delivery.Delivery:
        """Hand `message` over, dated `at`.

        Raises:
            MailServerAway: Not now; the message may be sent again.
            MailRefused: Never; sending it again will not help.
        """
        ...

    def is_there(self) -> bool:
        """Return whether messages can be handed over at all."""
        ...

    def close(self) -> None:
        """Close the connection, if one is open; the next message opens another."""
        ...

    def __enter__(self) -> Self:
        """Return the mailer itself."""
        ...

    def __exit__(self, *error: object) -> None:
        """Close the connection."""
        ...


def for_url(url: str | None, folder: Path) -> Mailer:
    """Return the mailer for `url`; without one, for the Maildir `folder`.

    Raises:
        MailUrlWrong: If `url` cannot be used.
    """
    if url is None:
        return maildir.MaildirMailer(folder)
    return smtp.SmtpMailer(url)
