"""Messages to a mail server, many over one connection.

Nothing that is raised here holds an address, a password or what the server said.
"""

import contextlib
import datetime as dt
import ipaddress
import smtplib
import socket
import ssl
from dataclasses import dataclass, field
from typing import Self
from urllib import parse

from cvms_pipeline.notify import delivery, emails, messages

TIMEOUT_SECONDS = 30.0

_LOGIN_FIRST = 530  # "authentication required", about us and not about a message
_TOO_LARGE = 552
_NOT_SUPPORTED = 553  # as servers say to addresses that they cannot take
_TLS_PORT = 465
_LOGIN_PORT = 587
_PORT = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A mail server as `CVMS_SMTP_URL` names it."""

    host: str
    port: int
    is_tls: bool
    is_tls_needed: bool
    user: str | None
    password: str | None = field(repr=False)

    @property
    def is_loopback(self) -> bool:
        """Return whether what is sent to it never leaves this machine."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        """Return host and port, which may be shown."""
        return f"{self.host}:{self.port}"


def parse_url(url: str) -> Server:
    """Return the server that `url` names: `smtp://[user[:password]@]host[:port]`.

    Raises:
        MailUrlWrong: If it names none; the text does not repeat it.
    """
    try:
        parts = parse.urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise delivery.MailUrlWrong from None
    if parts.scheme not in ("smtp", "smtp+starttls", "smtps") or not host:
        raise delivery.MailUrlWrong
    is_tls = parts.scheme == "smtps"
    is_tls_needed = parts.scheme != "smtp"
    is_submission = parts.username or is_tls_needed
    usual = _TLS_PORT if is_tls else _LOGIN_PORT if is_submission else _PORT
    return Server(
        host=host,
        port=port or usual,
        is_tls=is_tls,
        is_tls_needed=is_tls_needed,
        user=None if parts.username is None else parse.unquote(parts.username),
        password=None if parts.password is None else parse.unquote(parts.password),
    )


class SmtpMailer:
    """Sends through one mail server; the connection stays open until `close`.

    With `smtp://` the connection changes to TLS if the server offers it, and has to
    before a password is sent; with `smtp+starttls://` it always has to.  Certificates
    are verified, by `trust` if given, except on this very machine, where they are
    mostly self-made.
    """

    repeats_are_one = False

    def __init__(
        self,
        url: str,
        *,
        trust: ssl.SSLContext | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        """Take the server's URL; nothing is opened yet.

        Raises:
            MailUrlWrong: If the URL cannot be used.
        """
        self._server = parse_url(url)
        self._trust = trust
        self._timeout_seconds = timeout_seconds
        self._connection: smtplib.SMTP | None = None

    def __repr__(self) -> str:
        """Return what may be shown: host and port."""
        return f"SmtpMailer({self._server})"

    def __enter__(self) -> Self:
        """Return the mailer itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close the connection."""
        self.close()

    def close(self) -> None:
        """Close the connection, if one is open; the next message opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.quit()
            connection.close()

    def is_there(self) -> bool:
        """Return whether the server can be reached and talks to us."""
        try:
            self._opened()
        except delivery.MailServerAway:
            return False
        return True

    def send(self, message: messages.Message, *, at: dt.datetime) -> delivery.Delivery:
        """Hand `message` over, dated `at`.

        If the server takes it for some of its addresses only, it counts as sent.

        Raises:
            MailServerAway: The server is away, busy, or takes nothing from us.
            MailRefused: The server will never take this message.
        """
        email = emails.to_bytes(message, at)
        sender = emails.sender(message).addr_spec
        to = [emails.address(each).addr_spec for each in message.to]
        connection = self._opened()
        try:
            refused = connection.sendmail(sender, to, email)
        except (OSError, ValueError) as error:
            fault = self._fault(error)
        else:
            return delivery.Delivery(refused=tuple(c for c, _ in refused.values()))
        if not isinstance(fault, delivery.MailRefused):
            self.close()
        raise fault

    def _opened(self) -> smtplib.SMTP:
        """Return a connection that the server has not closed meanwhile."""
        if self._connection is not None:
            with contextlib.suppress(OSError):
                if self._connection.noop()[0] == 250:
                    return self._connection
            self.close()
        try:
            self._connection = self._open()
        except (OSError, ValueError) as error:
            fault = self._fault_of_opening(error)
        else:
            return self._connection
        raise fault

    def _open(self) -> smtplib.SMTP:
        server = self._server
        name = socket.gethostname()  # not getfqdn: that may wait for the DNS
        name = name if "." in name else "[127.0.0.1]"
        with contextlib.ExitStack() as undo:
            connection: smtplib.SMTP
            if server.is_tls:
                connection = smtplib.SMTP_SSL(
                    server.host,
                    server.port,
                    name,
                    timeout=self._timeout_seconds,
                    context=self._tls(),
                )
            else:
                connection = smtplib.SMTP(
                    server.host, server.port, name, timeout=self._timeout_seconds
                )
            undo.callback(connection.close)
            self._secure(connection)
            if server.user is not None and server.password is not None:
                connection.login(server.user, server.password)
            undo.pop_all()
        return connection

    def _secure(self, connection: smtplib.SMTP) -> None:
        connection.ehlo_or_helo_if_needed()
        if self._server.is_tls:
            return
        if connection.has_extn("starttls"):
            connection.starttls(context=self._tls())
            connection.ehlo()
        elif self._server.is_tls_needed or (
            self._server.password is not None and not self._server.is_loopback
        ):
            raise delivery.MailNotSecure(
                f"The mail server {self._server} offers no STARTTLS, so nothing is"
                " sent. Use smtps:// in CVMS_SMTP_URL if it takes TLS."
            )

    def _tls(self) -> ssl.SSLContext:
        if self._trust is not None:
            return self._trust
        context = ssl.create_default_context()
        if self._server.is_loopback:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def _fault_of_opening(self, error: Exception) -> delivery.MailServerAway:
        """Say why there is no connection; that is never a message's fault."""
        if isinstance(error, ssl.SSLCertVerificationError):
            return delivery.MailNotSecure(
                f"The certificate of the mail server {self._server} cannot be"
                " verified. Name its certificate authority in SSL_CERT_FILE."
            )
        if isinstance(error, smtplib.SMTPAuthenticationError):
            return delivery.MailLoginFailed()
        if isinstance(error, smtplib.SMTPNotSupportedError):
            return delivery.MailLoginFailed(
                f"The mail server {self._server} takes no log-in; remove user and"
                " password from CVMS_SMTP_URL."
            )
        return self._away(error)

    def _fault(
        self, error: Exception
    ) -> delivery.MailServerAway | delivery.MailRefused:
        """Say why a message was not taken."""
        if isinstance(error, smtplib.SMTPRecipientsRefused):
            codes = sorted(code for code, _ in error.recipients.values())
            code = codes[0] if codes else _NOT_SUPPORTED
        elif isinstance(error, smtplib.SMTPSenderRefused):
            is_size = error.smtp_code == _TOO_LARGE
            code = error.smtp_code if is_size else 0  # else: it takes nothing from us
        elif isinstance(error, smtplib.SMTPDataError):
            code = error.smtp_code
        elif isinstance(error, (smtplib.SMTPNotSupportedError, ValueError)):
            code = _NOT_SUPPORTED
        else:
            code = 0
        is_for_good = 500 <= code < 600 and code != _LOGIN_FIRST
        return delivery.MailRefused(code) if is_for_good else self._away(error)

    def _away(self, error: Exception) -> delivery.MailServerAway:
        code = getattr(error, "smtp_code", None)
        what = type(error).__name__ if code is None else f"it answered {code}"
        kind = delivery.MailServerAway if code is None else delivery.MailServerBusy
        return kind(
            f"The mail server {self._server} takes no message now ({what})."
            " Check that it runs and CVMS_SMTP_URL."
        )
