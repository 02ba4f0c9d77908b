"""A real mail server in this process, and messages to send to it."""

import contextlib
import datetime as dt
import shutil
import ssl
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd import controller, smtp

from benchmarks import ports
from cvms_pipeline.mail import mime

USER, PASSWORD = "us@er", "p:ss w/rd%"
USER_AND_PASSWORD_IN_URL = "us%40er:p%3Ass%20w%2Frd%25"


@dataclass
class Mailbox:
    """What the server was given, and what it shall answer."""

    received: list[smtp.Envelope] = field(default_factory=list)
    sessions: set[int] = field(default_factory=set)
    was_tls: list[bool] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    data_answer: str = "250 OK"

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802 - aiosmtpd's name
        envelope.mail_from = address
        return self.answers.get(address, "250 OK")

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802 - aiosmtpd's name
        answer = self.answers.get(address, "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's name
        if self.data_answer.startswith("250"):
            self.received.append(envelope)
            self.sessions.add(id(session))
            self.was_tls.append(session.ssl is not None)
        return self.data_answer


@dataclass
class Running:
    """A running server: its port, its mailbox, and how to stop it."""

    port: int
    mailbox: Mailbox
    stop: Callable[[], None]

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"


@pytest.fixture
def start_server() -> Iterator[Callable[..., Running]]:
    with contextlib.ExitStack() as stack:

        def start(**options: Any) -> Running:
            mailbox = Mailbox()
            port = ports.find_free()
            made = controller.Controller(
                mailbox, hostname="127.0.0.1", port=port, **options
            )
            made.start()
            stop = contextlib.ExitStack()
            stop.callback(made.stop)
            stack.callback(stop.close)
            return Running(port=port, mailbox=mailbox, stop=stop.close)

        yield start


@pytest.fixture
def server(start_server: Callable[..., Running]) -> Running:
    return start_server()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Make a certificate for 127.0.0.1 and its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("making a certificate needs openssl")
    folder = tmp_path_factory.mktemp("tls")
    made, key = folder / "certificate.pem", folder / "key.pem"
    command = (
        f"{openssl} req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1"
        f" -addext subjectAltName=IP:127.0.0.1 -keyout {key} -out {made}"
    )
    subprocess.run(command.split(), check=True, capture_output=True)  # noqa: S603 - a fixed command
    return made, key


@pytest.fixture
def server_tls(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


@pytest.fixture
def log_in() -> dict[str, Any]:
    """What makes a server want the user and password."""

    def check(server, session, envelope, mechanism, data):
        is_right = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        return smtp.AuthResult(success=is_right, handled=False)

    return {"authenticator": check}


@pytest.fixture
def at() -> dt.datetime:
    return dt.datetime(2026, 1, 5, 10, 15, tzinfo=dt.UTC)


@pytest.fixture
def message() -> mime.Message:
    return mime.Message(
        to=("canary@b.org",),
        sender="Vaccine Management System <nccvms@dhhs.nc.gov>",
        message_id="<1@dhhs.nc.gov>",
        subject="Hello",
        text="Grüße\n",
        html="<p>Grüße</p>",
    )
