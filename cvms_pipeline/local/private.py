"""Files, folders and sockets that only one system user may reach.

What is in them is the business of the modules that ask for them.  Nothing outside
the path that is asked for is ever changed.
"""

import contextlib
import hashlib
import os
import stat
import sys
import tempfile
from pathlib import Path
from typing import BinaryIO

from cvms_pipeline import errors

# What fits into sockaddr_un, without the closing NUL.
_SOCKET_PATH_BYTES = 103 if sys.platform == "darwin" else 107
_AWKWARD = frozenset(b',"#;%')


class UnsafeFolder(errors.PermanentError):
    """A folder that must be private is open to others."""


def folder(path: Path, *, owner: tuple[int, int] | None = None) -> Path:
    """Make the folder `path`, 0700, or check that it is private already.

    Args:
        path: The folder; its parents are made too when they are missing.
        owner: User and group it is to belong to; default: who runs this.

    Raises:
        UnsafeFolder: If it is a link, somebody else's, or open to others.
    """
    me = os.geteuid()
    uid, gid = owner or (me, -1)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise UnsafeFolder(f"{path} is not a folder. Move it away.")
    if found.st_uid not in (uid, me):
        raise UnsafeFolder(
            f"{path} belongs to the system user {found.st_uid}, not to {uid}."
            " Work as that user, or move the folder away."
        )
    if found.st_mode & 0o077:
        raise UnsafeFolder(f"{path} is open to others. Run: chmod 700 '{path}'")
    if found.st_uid != uid:
        os.chown(path, uid, gid, follow_symlinks=False)
    return path


def give(folder: Path, owner: tuple[int, int]) -> None:
    """Make `folder` and all in it belong to `owner`; links are not followed."""
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, *owner, follow_symlinks=False)


def write(path: Path, text: str, *, owner: tuple[int, int] | None = None) -> None:
    """Write the file `path` anew, 0600, all of it or nothing."""
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)
        if owner and owner[0] != os.geteuid():
            os.fchown(descriptor, *owner)
    part.replace(path)


def log(path: Path) -> BinaryIO:
    """Open the log file `path` for appending, made 0600."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
    return os.fdopen(os.open(path, flags, 0o600), "ab")


def socket_folder(wanted: Path, longest_name: str) -> Path:
    """Return where sockets go: `wanted`, or a short path if that is too long.

    So is a path with signs that mean something in a setting: Postgres would read a
    comma as a list, supervisord a `#` as a comment.  Nothing is made: see `folder`.
    """
    path = os.fsencode(wanted / longest_name)
    if len(path) <= _SOCKET_PATH_BYTES and not set(path) & _AWKWARD:
        return wanted
    digest = hashlib.sha256(os.fsencode(wanted)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"cvms-{os.geteuid()}-{digest}"
