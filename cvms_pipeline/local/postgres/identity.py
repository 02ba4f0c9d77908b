"""The system user as which Postgres runs: it refuses to run as root.

An ordinary user's Postgres runs as that user.  Root's runs in a user namespace of its
own, where the files of root appear as another user's: no system user is added, and no
permission is changed.  Where namespaces are not allowed (in most containers) it runs as
a system user that owns `data/postgres` and nothing else; one capability lets it pass
closed parent folders, which therefore stay closed.
"""

import os
import pwd
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cvms_pipeline import errors

_ACCOUNT = "cvms-postgres"
_NAMESPACE = ("unshare", "--user", "--map-user=65534", "--map-group=65534", "--")
# To reach the data below closed parent folders; the first one that suffices is taken.
# Containers by default have only the second.
_CAPABILITIES = (None, "dac_read_search", "dac_override")
_PROBE = 'cd -- "$1" && exec "$0" --version'
_PROBE_SECONDS = 20


class CannotRunAsRoot(errors.PermanentError):
    """Postgres cannot be run as root here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A user and a group, and the command that runs another one as them."""

    uid: int
    gid: int
    prefix: tuple[str, ...] = ()

    @property
    def owner(self) -> tuple[int, int]:
        """Return user and group."""
        return self.uid, self.gid


def choose_identity(folder: Path, binary: Path) -> Identity:
    """Return as whom `binary` can be run on the data in `folder`.

    Raises:
        CannotRunAsRoot: If root is not allowed any of the ways; says what helps.
    """
    for identity in _list_identities(folder):
        # As probe: enter the parent of the folder, and run the program from there.
        probe = [*identity.prefix, "/bin/sh", "-c", _PROBE, str(binary)]
        if not identity.prefix or _succeeds([*probe, str(folder.parent)]):
            return identity
    raise CannotRunAsRoot(
        "The embedded Postgres cannot run as root here: neither user namespaces nor"
        f" a system user that reaches {folder.parent} are possible. Run the command"
        " as an ordinary user, or set CVMS_DATABASE_URL to a Postgres of your own."
    )


def _list_identities(folder: Path) -> Iterator[Identity]:
    """Yield the identities to try, best first; the owner of existing data decides."""
    found = folder.stat()
    if os.geteuid() != 0:
        yield Identity(uid=os.geteuid(), gid=os.getegid())
        return
    if found.st_uid != 0:
        yield from _list_users(found.st_uid, found.st_gid)
        return
    yield Identity(uid=0, gid=0, prefix=_NAMESPACE)
    account = _ensure_account()
    if account:
        yield from _list_users(account.pw_uid, account.pw_gid)


def _list_users(uid: int, gid: int) -> Iterator[Identity]:
    for capability in _CAPABILITIES:
        prefix = build_prefix(uid, gid, capability)
        yield Identity(uid=uid, gid=gid, prefix=prefix)


def build_prefix(uid: int, gid: int, capability: str | None) -> tuple[str, ...]:
    """Return the command that runs another one as `uid`, with one capability kept."""
    command = ("setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups")
    if capability is None:
        return command
    return (
        *command,
        "--securebits=+no_setuid_fixup",
        f"--inh-caps=+{capability}",
        f"--ambient-caps=+{capability}",
    )


def _ensure_account() -> pwd.struct_passwd | None:
    """Return the system user for Postgres, added if it is missing; None if it cannot.

    It has no home and no shell, so that nobody can log in as it.
    """
    try:
        return pwd.getpwnam(_ACCOUNT)
    except KeyError:
        pass
    options = ["--system", "--user-group", "--no-create-home", "--home-dir=/"]
    if _succeeds(["useradd", *options, "--shell=/usr/sbin/nologin", _ACCOUNT]):
        return pwd.getpwnam(_ACCOUNT)
    return None


def _succeeds(command: list[str]) -> bool:
    try:
        ended = subprocess.run(  # noqa: S603  # no shell
            command, capture_output=True, cwd="/", timeout=_PROBE_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return ended.returncode == 0
