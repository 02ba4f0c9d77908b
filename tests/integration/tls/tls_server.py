"""A TLS server in front of the embedded Postgres, which is built without TLS.

It answers a client's SSLRequest as Postgres does, then passes everything through.  So
the TLS options of a URL are tested with the real drivers, by a real handshake.
"""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_SSL_REQUEST = bytes.fromhex("0000000804d2162f")
_GSS_REQUEST = bytes.fromhex("0000000804d21630")


@dataclass(kw_only=True)
class Door:
    """Where it is, and how many have come in, with TLS and without."""

    port: int
    with_tls: int = 0
    without: int = 0
    threads: list[threading.Thread] = field(default_factory=list)


@contextlib.contextmanager
def opened(server: Path, context: ssl.SSLContext | None) -> Iterator[Door]:
    """Have a door to the server's socket while the block runs; None: without TLS."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        door = Door(port=listening.getsockname()[1])
        watching = threading.Thread(
            target=_let_in, args=[listening, server, context, door], daemon=True
        )
        watching.start()
        yield door


def _let_in(
    listening: socket.socket, server: Path, context: ssl.SSLContext | None, door: Door
) -> None:
    with contextlib.suppress(OSError):
        while True:
            client, _ = listening.accept()
            thread = threading.Thread(
                target=_pass, args=[client, server, context, door], daemon=True
            )
            thread.start()
            door.threads.append(thread)


def _pass(
    client: socket.socket, server: Path, context: ssl.SSLContext | None, door: Door
) -> None:
    with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
        stack.enter_context(client)
        first = client.recv(8, socket.MSG_WAITALL)
        if first == _GSS_REQUEST:
            client.sendall(b"N")
            first = client.recv(8, socket.MSG_WAITALL)
        if first == _SSL_REQUEST and context is None:
            client.sendall(b"N")
            first = client.recv(8, socket.MSG_WAITALL)
            if not first:
                return
        if first == _SSL_REQUEST and context is not None:
            client.sendall(b"S")
            client = context.wrap_socket(client, server_side=True)
            stack.enter_context(client)
            door.with_tls += 1
            first = b""
        else:
            door.without += 1
        inside = stack.enter_context(socket.socket(socket.AF_UNIX))
        inside.connect(str(server))
        inside.sendall(first)
        back = threading.Thread(target=_copy, args=[inside, client], daemon=True)
        back.start()
        _copy(client, inside)
        back.join(10)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
