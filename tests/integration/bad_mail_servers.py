"""Mail servers that are slow, silent or rude, on a real port."""

import contextlib
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(kw_only=True)
class Manners:
    """How a server behaves, and what it has counted.

    Attributes:
        pause: Seconds before each line that it writes.
        is_silent: Whether it accepts connections and never writes.
        drops: When it closes the connection: at the "greeting", or after "data".
        closes_at: The address at which it answers 421 and closes.
        contents: How many messages it was given, accepted or not.
    """

    pause: float = 0.0
    is_silent: bool = False
    drops: str = "never"
    closes_at: bytes = b"-"
    connections: int = 0
    contents: int = 0
    port: int = 0
    is_over: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"


class _Handler(socketserver.StreamRequestHandler):
    manners: Manners

    def handle(self) -> None:
        self.manners.connections += 1
        if self.manners.is_silent:
            self.manners.is_over.wait(60)
        elif self.manners.drops != "greeting":
            with contextlib.suppress(OSError):
                self._say("220 hello")
                while line := self.rfile.readline():
                    if not self._answer(line):
                        break

    def _answer(self, line: bytes) -> bool:
        """Answer a command; return whether the connection stays open."""
        verb = line[:4].upper()
        if verb == b"RCPT" and self.manners.closes_at in line:
            self.manners.closes_at = b"-"
            self._say("421 4.3.2 closing")
            return False
        if verb == b"DATA":
            self._say("354 go on")
            while (content := self.rfile.readline()) not in (b".\r\n", b""):
                pass
            self.manners.contents += content != b""
            if self.manners.drops == "data":
                return False
        self._say("221 bye" if verb == b"QUIT" else "250-one\r\n250 two")
        return verb != b"QUIT"

    def _say(self, text: str) -> None:
        for line in text.split("\r\n"):
            self.manners.is_over.wait(self.manners.pause)
            self.wfile.write(line.encode() + b"\r\n")


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False


@contextlib.contextmanager
def running(manners: Manners) -> Iterator[Manners]:
    """Run a server with these manners."""
    handler = type("Handler", (_Handler,), {"manners": manners})
    with _Server(("127.0.0.1", 0), handler) as server:
        manners.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield manners
        finally:
            manners.is_over.set()
            server.shutdown()
            thread.join()
