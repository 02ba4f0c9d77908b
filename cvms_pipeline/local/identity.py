"""As whom Postgres runs, which refuses to run as root.

An ordinary user's Postgres simply runs as that user.  Root's runs in a user
namespace of its own, where root's files look like nobody's: no system user is
made and no permission is touched.  Where namespaces are not allowed (in most
containers) it runs as a system user that owns `data/postgres` and nothing else;
closed parent folders are then passed by one capability, not by opening them.
"""

import os
import pwd
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cvms_pipeline import errors

ACCOUNT = "cvms-postgres"
_NAMESPACE = ("unshare", "--user", "--map-user=65534", "--map-group=65534", "--")
# To reach the data below closed parent folders; the first that is needed is taken.
# Containers by default have only the second.
_CAPABILITIES = (None, "dac_read_search", "dac_override")
_PROBE = 'cd -- "$1" && exec "$0" --version'
_PROBE_SECONDS = 20


class CannotRunAsRoot(errors.PermanentError):
    """Postgres cannot be run as root here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Whose the server's files are, and what goes before its commands."""

    uid: int
    gid: int
    prefix: tuple[str, ...] = ()

    @property
    def owner(self) -> tuple[int, int]:
        """Return user and group."""
        return self.uid, self.gid


def choose(folder: Path, binary: Path) -> Identity:
    """Return as whom `binary` can be run on the data in `folder`.

    Raises:
        CannotRunAsRoot: If root is not allowed any of the ways; says what helps.
    """
    for identity in _ways(folder):
        if not identity.prefix or _works(identity, folder.parent, binary):
            return identity
    raise CannotRunAsRoot(
        "The embedded Postgres cannot run as root here: neither user namespaces nor"
        f" a system user that reaches {folder.parent} are possible. Run the command"
        " as an ordinary user, or set CVMS_DATABASE_URL to a Postgres of your own."
    )


def _ways(folder: Path) -> Iterator[Identity]:
    """Yield the ways to try, best first; the owner of existing data decides."""
    found = folder.stat()
    if os.geteuid() != 0:
        yield Identity(uid=os.geteuid(), gid=os.getegid())
        return
    if found.st_uid != 0:
        yield from _as_user(found.st_uid, found.st_gid)
        return
    yield Identity(uid=0, gid=0, prefix=_NAMESPACE)
    account = _account()
    if account:
        yield from _as_user(account.pw_uid, account.pw_gid)


def _as_user(uid: int, gid: int) -> Iterator[Identity]:
    for capability in _CAPABILITIES:
        prefix = command_prefix(uid, gid, capability)
        yield Identity(uid=uid, gid=gid, prefix=prefix)


def command_prefix(uid: int, gid: int, capability: str | None) -> tuple[str, ...]:
    """Return what makes root's command run as `uid`, keeping one capability."""
    kept = () if capability is None else _keeping(capability)
    return ("setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", *kept)


def _keeping(capability: str) -> tuple[str, ...]:
    return (
        "--securebits=+no_setuid_fixup",
        f"--inh-caps=+{capability}",
        f"--ambient-caps=+{capability}",
    )


def _works(identity: Identity, folder: Path, binary: Path) -> bool:
    """Return whether `identity` may enter `folder` and run `binary`."""
    probe = [*identity.prefix, "/bin/sh", "-c", _PROBE, str(binary), str(folder)]
    return _succeeds(probe)


def _account() -> pwd.struct_passwd | None:
    """Return the system user for Postgres, made if it is missing."""
    try:
        return pwd.getpwnam(ACCOUNT)
    except KeyError:
        pass
    options = ["--system", "--user-group", "--no-create-home", "--home-dir=/"]
    if _succeeds(["useradd", *options, "--shell=/usr/sbin/nologin", ACCOUNT]):
        return pwd.getpwnam(ACCOUNT)
    return None


def _succeeds(command: list[str]) -> bool:
    try:
        ended = subprocess.run(  # noqa: S603  # our own words
            command, capture_output=True, cwd="/", timeout=_PROBE_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return ended.returncode == 0
