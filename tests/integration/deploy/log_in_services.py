"""The portal as a process with a log-in service, and accounts for the people there."""

import contextlib
import dataclasses
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import proxies
import web_sessions

PORTAL = "cvms_pipeline.portal.site.serving"
_SET_UP = """
from cvms_pipeline.portal.site import configuration
from cvms_pipeline.settings import loading
configuration.set_up(loading.load())
"""
_ADD = """
from allauth.mfa.totp.internal import auth
from cvms_pipeline.portal.accounts import models
for name in ("proven", "plain", "factor", "ann", "off", "twice", "twice"):
    address = f"{name}@mercy.example.org"
    made = models.Account.objects.add(address, models.Role.PROVIDER, provider="mercy")
    if name in ("proven", "factor"):
        auth.TOTP.activate(made, "A" * 32)
models.Account.objects.filter(email__startswith="off@").update(is_active=False)
"""
_TELL = """
from allauth.socialaccount import models
from django.contrib.sessions.models import Session
print(*(each.get_decoded() for each in Session.objects.all()))
print(*(list(m.objects.values()) for m in (models.SocialAccount, models.SocialToken)))
"""


@dataclasses.dataclass(kw_only=True)
class Portal:
    """A portal that runs.

    Attributes:
        said: What it has written, to be read without moving its position.
    """

    url: str
    environment: dict[str, str]
    said: IO[bytes]

    def cvms(self, *words: str) -> str:
        """Return what a command prints."""
        return _run(self.environment, "-m", "cvms_pipeline.cli", *words)

    def tell_stored(self) -> str:
        """Return what sessions hold, and what allauth keeps of services."""
        return _run(self.environment, "-c", _SET_UP + _TELL)

    def read_log(self) -> str:
        return os.pread(self.said.fileno(), 10**8, 0).decode()

    def visit(self) -> web_sessions.Session:
        """Return a browser that nobody has logged in with."""
        return web_sessions.Session(self.url)


def describe(
    database_url: str, home: Path, *, port: int, **chosen: str
) -> dict[str, str]:
    """Return the environment of a portal with the settings `chosen`."""
    return proxies.clean_environment(
        CVMS_HOME=str(home),
        CVMS_DATABASE_URL=database_url.replace("+psycopg2", ""),
        CVMS_PORTAL_PORT=str(port),
        **chosen,
    )


def prepare(environment: dict[str, str]) -> None:
    """Make the tables, a provider, and the accounts."""
    cvms = ("-m", "cvms_pipeline.cli")
    _run(environment, *cvms, "db", "upgrade")
    words = ("--name", "M", "--pin", "NCA123456", "--email", "staff@m.example.org")
    _run(environment, *cvms, "providers", "add", "mercy", *words)
    _run(environment, "-c", _SET_UP + _ADD)


@contextlib.contextmanager
def serving(environment: dict[str, str]) -> Iterator[Portal]:
    """Run a portal on a database that is prepared."""
    port = int(environment["CVMS_PORTAL_PORT"])
    command = [sys.executable, "-m", PORTAL]
    with proxies.running(command, port, env=environment) as said:
        yield Portal(url=f"http://127.0.0.1:{port}", environment=environment, said=said)


@contextlib.contextmanager
def running(
    database_url: str, home: Path, *, port: int, **chosen: str
) -> Iterator[Portal]:
    """Run the portal with a service that the settings `chosen` name."""
    environment = describe(database_url, home, port=port, **chosen)
    prepare(environment)
    with serving(environment) as made:
        yield made


def _run(environment: dict[str, str], *words: str) -> str:
    ended: Any = subprocess.run(  # noqa: S603 # our own words
        [sys.executable, *words],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return str(ended.stdout)
