"""Free ports for the servers that benchmarks and tests start.

They come from below those that the system gives to outgoing connections: a port of the
system's own choice may be taken by any connection between its choice and its use.
"""

import contextlib
import random
import socket
from pathlib import Path

_LOWEST = 10_000
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_USUAL_HIGHEST = 32_768
_NEIGHBOURS = 3  # `cvms up` serves the portal one above and the metrics two above
_ATTEMPTS = 1_000
_given: set[int] = set()


def find_free() -> int:
    """Return a port of this machine that nobody uses, nor the two ports above it.

    Raise `RuntimeError` if there is none.
    """
    highest = _read_highest() - _NEIGHBOURS
    for _ in range(_ATTEMPTS):
        chosen = random.randrange(_LOWEST, highest, _NEIGHBOURS)
        wanted = range(chosen, chosen + _NEIGHBOURS)
        if chosen not in _given and all(map(_is_free, wanted)):
            _given.add(chosen)
            return chosen
    raise RuntimeError(f"no free port between {_LOWEST} and {highest}")


def _read_highest() -> int:
    with contextlib.suppress(OSError, ValueError, IndexError):
        return max(int(_RANGE.read_text().split()[0]), _LOWEST + 1_000)
    return _USUAL_HIGHEST


def _is_free(port: int) -> bool:
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
