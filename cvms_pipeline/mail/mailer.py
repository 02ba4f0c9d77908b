"""The protocol of everything that sends messages, and the errors of sending.

The two implementations are `smtp` and `maildir`; `bootstrap` chooses one of them.
No text here holds an address, or a server's answer, which may hold one.
"""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cvms_pipeline import errors
from cvms_pipeline.domain.vocabulary import faults
from cvms_pipeline.mail import mime


class _MailFailed(errors.TransientError):
    """The mail server did not take a message."""

    fault = faults.MAIL_AWAY

    def __init__(
        self, detail: str = "", *, server: str = "", fault: faults.Fault | None = None
    ) -> None:
        """Say what has failed: `server` is a space and its name, if it is known."""
        super().__init__((fault or self.fault).describe(detail, place=server))


class MailServerAway(_MailFailed):
    """The mail server cannot be reached, or accepts no message from us now."""


class MailServerBusy(_MailFailed):
    """The mail server does not accept this message now; it may accept others."""

    fault = faults.MAIL_BUSY


class MailServerSlow(MailServerBusy):
    """The mail server has not accepted this message in the time that it has."""

    fault = faults.MAIL_SLOW


class MailLoginFailed(MailServerAway):
    """The mail server does not accept the user and password in CVMS_SMTP_URL."""

    fault = faults.MAIL_LOGIN


class MailNotSecure(MailServerAway):
    """The connection to the mail server would not be secure."""

    fault = faults.MAIL_NOT_SECURE


class MailUrlWrong(errors.PermanentError):
    """CVMS_SMTP_URL cannot be used; for example smtp://user:password@mail.org:587."""


class MailRefused(errors.PermanentError):
    """The mail server has refused this message permanently."""

    def __init__(self, smtp_code: int) -> None:
        """Keep the number of the server's answer, such as 550."""
        super().__init__(faults.MAIL_REFUSED.describe(f"SMTP {smtp_code}"))
        self.smtp_code = smtp_code


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A message that was sent.

    It was sent to all of its addresses, except those that are refused or postponed.

    Attributes:
        refused: The server's number for each address that it will never accept.
        postponed: The addresses that it does not accept now.
    """

    refused: tuple[int, ...] = ()
    postponed: tuple[str, ...] = ()


class Mailer(Protocol):
    """Sends messages, over a connection that stays open until `close`.

    Attributes:
        is_idempotent: Whether a message that is sent twice arrives once.
    """

    is_idempotent: bool

    @property
    def is_slow(self) -> bool:
        """Return whether a message took so long lately that nobody should wait."""
        ...

    def send(self, message: mime.Message, *, at: dt.datetime) -> Delivery:
        """Send `message`, dated `at`.

        Raises:
            MailServerAway: No message is accepted now; it may be sent again.
            MailServerBusy: This one is not accepted now; it may be sent again.
            MailRefused: It is never accepted; sending it again will not help.
        """
        ...

    def find_file(self, message_id: str, *, is_invitation: bool) -> Path | None:
        """Return the file of a message that was sent, if it became one."""
        ...

    def is_reachable(self) -> bool:
        """Return whether messages can be sent at all."""
        ...

    def close(self) -> None:
        """Close the connection, if one is open; the next message opens another."""
        ...
