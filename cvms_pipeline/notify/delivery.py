"""How handing over a message ends: delivered, later, or never.

Only the values; no text here holds an address, or what a server said, which may.
"""

from dataclasses import dataclass

from cvms_pipeline import errors


class MailServerAway(errors.TransientError):
    """The mail server cannot take messages at the moment."""


class MailServerBusy(MailServerAway):
    """The mail server can be reached, and takes this message later."""


class MailLoginFailed(MailServerAway):
    """The mail server does not accept the user and password in CVMS_SMTP_URL."""


class MailNotSecure(MailServerAway):
    """The connection to the mail server would not be secure."""


class MailUrlWrong(errors.PermanentError):
    """CVMS_SMTP_URL cannot be used; for example smtp://user:password@mail.org:587."""


class MailRefused(errors.PermanentError):
    """The mail server has refused this message for good."""

    def __init__(self, smtp_code: int) -> None:
        """Take the server's answer, a number such as 550."""
        super().__init__(f"The mail server has refused this message ({smtp_code}).")
        self.smtp_code = smtp_code


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A message that was handed over.

    `refused` has the server's number for each address that it did not take; the
    message went to the others.
    """

    refused: tuple[int, ...] = ()
