"""Who may enter the embedded Postgres: its two roles, their passwords, their URLs.

One owns everything and migrates; as the other the services work.  Passwords are
made here and kept in 0600 files; what each role may do is `store.roles`.
"""

import secrets
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

from cvms_pipeline.local import private

OWNER = DATABASE = "cvms"
SERVICE = "cvms_service"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A role, its password's file, and where the server is.

    Attributes:
        role: The role.
        file: Where its password lies.
        place: What a connection's `host` and `port` are.
    """

    role: str
    file: Path
    place: dict[str, str]

    def ensure(self, owner: tuple[int, int]) -> None:
        """Make the password, once, for the system user `owner`."""
        if not self.file.exists():
            private.write(self.file, secrets.token_urlsafe(32) + "\n", owner=owner)

    def url(self, scheme: str) -> str:
        """Return the URL, with the password."""
        password = self.file.read_text().strip()
        query = urlencode(self.place, quote_via=quote)
        return f"{scheme}://{self.role}:{password}@/{DATABASE}?{query}"


def of(folder: Path, sockets: Path, port: int) -> tuple[Credentials, Credentials]:
    """Return those of the owner and of the services; their files are in `folder`."""
    place = {"host": str(sockets), "port": str(port)}
    return (
        Credentials(role=OWNER, file=folder / "password", place=place),
        Credentials(role=SERVICE, file=folder / "service_password", place=place),
    )
