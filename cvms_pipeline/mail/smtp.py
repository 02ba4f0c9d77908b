"""Sending messages to a mail server, many over one connection.

No error that is raised here holds an address, a password or the server's own words.
"""

import contextlib
import datetime as dt
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from cvms_pipeline.mail import mailer, mime, smtp_server

_HANDOVER_SECONDS = 30.0
"""For everything that a message needs: connection, log-in, addresses and content."""

_PROBE_SECONDS = 10.0
_CLOSE_SECONDS = 1.0
_SLOW_SECONDS = 5.0
"""A server that needs more for one message is slow: nobody should wait for it."""

_SLOW_MEMORY_SECONDS = 120.0

_LOGIN_REQUIRED = 530  # about the connection and not about a message
_TOO_LARGE = 552
_NOT_SUPPORTED = 553  # a server's answer to an address that it cannot accept


class SmtpMailer:
    """Sends through one mail server; the connection stays open until `close`.

    With `smtp://` the connection changes to TLS if the server offers it, and must do
    so before a password is sent; with `smtp+starttls://` it always must.  Certificates
    are verified, by `trust` if given, except for a server on this machine, where they
    are mostly self-signed.
    """

    is_idempotent = False

    def __init__(
        self,
        url: str,
        *,
        trust: ssl.SSLContext | None = None,
        timeout_seconds: float = _HANDOVER_SECONDS,
    ) -> None:
        """Read the server's URL; nothing is opened yet.

        Args:
            url: Such as `smtp://user:password@mail.org`.
            trust: How certificates are verified, if not as usual.
            timeout_seconds: How long the whole hand-over of a message may take.

        Raises:
            MailUrlWrong: If the URL cannot be used.
        """
        self._server = smtp_server.parse_url(url)
        self._trust = trust
        self._timeout_seconds = timeout_seconds
        self._connection: smtplib.SMTP | None = None
        self._line: socket.socket | None = None  # a second handle of its socket
        self._is_late = False
        self._slow_until = 0.0

    def __repr__(self) -> str:
        """Return a text without user and password."""
        return f"SmtpMailer({self._server})"

    @property
    def is_slow(self) -> bool:
        """Return whether a message took long within the last two minutes."""
        return time.monotonic() < self._slow_until

    def close(self) -> None:
        """Close the connection, if one is open; the next message opens another."""
        if self._connection is not None:
            with self._within(_CLOSE_SECONDS), contextlib.suppress(OSError):
                self._connection.quit()
        self._drop()

    def find_file(self, message_id: str, *, is_invitation: bool) -> Path | None:
        """Return None: no message becomes a file."""
        return None

    def is_reachable(self) -> bool:
        """Return whether the server can be reached and accepts the log-in."""
        try:
            with self._within(min(_PROBE_SECONDS, self._timeout_seconds)):
                self._connect()
        except mailer.MailServerAway:
            return False
        return True

    def send(self, message: mime.Message, *, at: dt.datetime) -> mailer.Delivery:
        """Send `message`, dated `at`.

        If the server accepts it for some of its addresses only, it counts as sent to
        these; the others are in the result.

        Raises:
            MailServerAway: The server cannot be reached, or refuses us.
            MailServerBusy: The server does not accept this message now.
            MailRefused: The server will never accept this message.
        """
        email = mime.to_bytes(message, at)
        sender = mime.read_sender(message).addr_spec
        to = {mime.read_address(each).addr_spec: each for each in message.to}
        begun = time.monotonic()
        try:
            with self._within(self._timeout_seconds):
                refused = self._hand_over(sender, [*to], email)
        finally:
            if time.monotonic() - begun > _SLOW_SECONDS:
                self._slow_until = time.monotonic() + _SLOW_MEMORY_SECONDS
        is_later = {name: 400 <= code < 500 for name, code in refused.items()}
        return mailer.Delivery(
            refused=tuple(refused[name] for name in refused if not is_later[name]),
            postponed=tuple(to[name] for name in refused if is_later[name]),
        )

    def _hand_over(self, sender: str, to: list[str], email: bytes) -> dict[str, int]:
        """Return the addresses that were not accepted with the server's number."""
        connection = self._connect()
        try:
            refused = connection.sendmail(sender, to, email)
        except (OSError, ValueError) as error:
            fault = self._explain_refusal(error)
            is_answer = isinstance(error, (smtplib.SMTPException, ValueError))
            if not is_answer or isinstance(error, smtplib.SMTPServerDisconnected):
                self._drop()
        else:
            return {name: code for name, (code, _) in refused.items()}
        raise fault

    def _connect(self) -> smtplib.SMTP:
        """Return a connection that the server has not closed."""
        if self._connection is not None:
            with contextlib.suppress(OSError):
                if self._connection.noop()[0] == 250:
                    return self._connection
            self._drop()
        try:
            self._connection = self._open()
        except (OSError, ValueError) as error:
            fault = smtp_server.explain(self._server, error)
        else:
            return self._connection
        raise fault

    def _open(self) -> smtplib.SMTP:
        opened = smtp_server.open_socket(self._server, self._timeout_seconds)
        try:
            self._line = opened.dup()
            if self._is_late:
                raise TimeoutError
            return smtp_server.greet(self._server, opened, self._trust)
        except BaseException:
            opened.close()
            self._drop()
            raise

    def _drop(self) -> None:
        """Close the connection without a word."""
        connection, self._connection = self._connection, None
        line, self._line = self._line, None
        if connection is not None:
            connection.close()
        if line is not None:
            line.close()

    @contextlib.contextmanager
    def _within(self, seconds: float) -> Iterator[None]:
        """Break the connection off after `seconds`, whatever is being waited for.

        The timeout of a socket is one for each read: a server that sends a line every
        few seconds would never exceed it.
        """
        self._is_late = False
        timer = threading.Timer(seconds, self._break_off)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _break_off(self) -> None:
        self._is_late = True
        if self._line is not None:
            with contextlib.suppress(OSError):  # it is closed already
                self._line.shutdown(socket.SHUT_RDWR)

    def _explain_refusal(
        self, error: Exception
    ) -> mailer.MailServerAway | mailer.MailServerBusy | mailer.MailRefused:
        """Return why a message was not accepted."""
        code = _find_code(error)
        if code == _LOGIN_REQUIRED:
            return mailer.MailLoginFailed(
                "it wants a log-in", server=f" {self._server}"
            )
        # A refusal of our sender is not about the message, unless it is too large.
        is_sender = isinstance(error, smtplib.SMTPSenderRefused) and code != _TOO_LARGE
        if 500 <= code < 600 and not is_sender:
            return mailer.MailRefused(code)
        if self._is_late:
            return mailer.MailServerSlow()
        return mailer.MailServerBusy(
            smtp_server.describe(error), server=f" {self._server}"
        )


def _find_code(error: Exception) -> int:
    """Return the number of the server's answer, or 0 if there was none."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = (code for code, _ in error.recipients.values())
        return min(codes, default=_NOT_SUPPORTED)
    if isinstance(error, (smtplib.SMTPSenderRefused, smtplib.SMTPDataError)):
        return error.smtp_code
    is_unsupported = isinstance(error, (smtplib.SMTPNotSupportedError, ValueError))
    return _NOT_SUPPORTED if is_unsupported else 0
