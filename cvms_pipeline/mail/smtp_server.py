"""The mail server that a URL names, and a connection to it that is fit to send.

Here are name, TLS and log-in, and why there is no connection; messages are sent by
`smtp`.  No error that is raised here holds a password or the server's own words.
"""

import ipaddress
import smtplib
import socket
import ssl
from dataclasses import dataclass, field
from typing import Any
from urllib import parse

from cvms_pipeline.mail import mailer

_CONNECT_SECONDS = 10.0
_TLS_PORT = 465
_LOGIN_PORT = 587
_PORT = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """The mail server that `CVMS_SMTP_URL` names."""

    host: str
    port: int
    is_tls: bool
    is_tls_required: bool
    user: str | None
    password: str | None = field(repr=False)

    @property
    def is_loopback(self) -> bool:
        """Return whether messages to it never leave this machine."""
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

    Without a port: 465 for `smtps://`, 587 where a log-in or TLS is required, else 25.

    Raises:
        MailUrlWrong: If it names none; the text does not repeat it.
    """
    try:
        parts = parse.urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise mailer.MailUrlWrong from None
    if parts.scheme not in ("smtp", "smtp+starttls", "smtps") or not host:
        raise mailer.MailUrlWrong
    is_tls = parts.scheme == "smtps"
    is_tls_required = parts.scheme != "smtp"
    is_submission = parts.username or is_tls_required
    usual = _TLS_PORT if is_tls else _LOGIN_PORT if is_submission else _PORT
    return Server(
        host=host,
        port=port or usual,
        is_tls=is_tls,
        is_tls_required=is_tls_required,
        user=None if parts.username is None else parse.unquote(parts.username),
        password=None if parts.password is None else parse.unquote(parts.password),
    )


def open_socket(server: Server, seconds: float) -> socket.socket:
    """Return a socket to the server; each read and write takes up to `seconds`.

    Raises:
        OSError: If the server cannot be reached.
    """
    address = (server.host, server.port)
    opened = socket.create_connection(address, min(seconds, _CONNECT_SECONDS))
    opened.settimeout(seconds)
    return opened


def greet(
    server: Server, opened: socket.socket, trust: ssl.SSLContext | None
) -> smtplib.SMTP:
    """Return a connection over `opened`, secured and logged in as the URL demands.

    Certificates are verified, by `trust` if given.

    Raises:
        OSError, ValueError: If the server does not accept it; see `explain`.
        MailNotSecure: If the connection would not be secure.
    """
    if server.is_tls:
        context = make_context(server, trust)
        opened = context.wrap_socket(opened, server_hostname=server.host)
    connection = _Connection(opened, server)
    try:
        connection.ehlo_or_helo_if_needed()
        _secure(connection, server, trust)
        if server.user is not None and server.password is not None:
            connection.login(server.user, server.password)
    except BaseException:
        connection.close()
        raise
    return connection


def make_context(server: Server, trust: ssl.SSLContext | None) -> ssl.SSLContext:
    """Return how certificates are verified: not at all for a server on this machine."""
    if trust is not None:
        return trust
    context = ssl.create_default_context()
    if server.is_loopback:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def explain(server: Server, error: Exception) -> mailer.MailServerAway:
    """Return why there is no connection; that is never about a message."""
    login = (smtplib.SMTPAuthenticationError, smtplib.SMTPNotSupportedError)
    kind = mailer.MailServerAway
    if isinstance(error, ssl.SSLCertVerificationError):
        kind = mailer.MailNotSecure
    elif isinstance(error, login):
        kind = mailer.MailLoginFailed
    return kind(describe(error), server=f" {server}")


def describe(error: Exception) -> str:
    """Return the number of the server's answer, or the kind of the error."""
    code = getattr(error, "smtp_code", None)
    return type(error).__name__ if code is None else f"it answered {code}"


class _Connection(smtplib.SMTP):
    """A connection over a socket that is open already.

    The library would open it itself, and nobody else could then end a connection that
    waits for the first answer.
    """

    def __init__(self, opened: socket.socket, server: Server) -> None:
        self._opened = opened
        name = socket.gethostname()  # not getfqdn: that may wait for the DNS
        name = name if "." in name else "[127.0.0.1]"
        super().__init__(server.host, server.port, name)

    def connect(
        self, host: str = "localhost", port: int = 0, source_address: Any = None
    ) -> tuple[int, bytes]:
        """Read the greeting of the server."""
        self.sock, self.file = self._opened, None
        return self.getreply()


def _secure(
    connection: smtplib.SMTP, server: Server, trust: ssl.SSLContext | None
) -> None:
    if server.is_tls:
        return
    if connection.has_extn("starttls"):
        connection.starttls(context=make_context(server, trust))
        connection.ehlo()
    elif server.is_tls_required or (
        server.password is not None and not server.is_loopback
    ):
        raise mailer.MailNotSecure("no STARTTLS", server=f" {server}")
