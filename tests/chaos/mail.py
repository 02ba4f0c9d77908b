"""The mail server of a chaos run: it can be stopped, and keeps all messages."""

import email
import email.message
import email.policy
from dataclasses import dataclass, field

from aiosmtpd import controller

from benchmarks import ports

WELCOME = "Welcome to the North Carolina Vaccine Management COVID-19 Vaccine Portal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A message as it was received."""

    message_id: str
    to: str
    subject: str
    text: str
    attached: bytes | None

    def fact(self, name: str) -> str | None:
        """Return what the body's line `name: ...` says."""
        for line in self.text.splitlines():
            if line.startswith(f"{name}: "):
                return line.removeprefix(f"{name}: ")
        return None


@dataclass
class MailServer:
    """A server on one port, on this machine only."""

    letters: list[Letter] = field(default_factory=list)
    port: int = 0
    _running: controller.Controller | None = None

    def __post_init__(self) -> None:
        """Find a port; nothing listens yet."""
        self.port = ports.find_free()

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's
        """Remember the message, then say that it was taken."""
        self.letters.append(read(envelope.content))
        return "250 OK"

    def start(self) -> None:
        """Listen, unless it does."""
        if self._running is None:
            self._running = controller.Controller(
                self, hostname="127.0.0.1", port=self.port
            )
            self._running.start()

    def stop(self) -> None:
        """Be away: connections that are open are cut."""
        running, self._running = self._running, None
        if running is not None:
            running.stop()


def read(content: bytes) -> Letter:
    """Return what matters of a message's bytes."""
    message = email.message_from_bytes(content, policy=email.policy.default)
    body = message.get_body(("plain",))
    attached = [part.get_payload(decode=True) for part in message.iter_attachments()]
    return Letter(
        message_id=str(message["Message-ID"]),
        to=str(message["To"]),
        subject=" ".join(str(message["Subject"]).split()),
        text="" if body is None else body.get_content(),
        attached=attached[0] if attached else None,
    )
