"""Folders, and sockets in them, that only one system user may reach.

Other modules decide what is in them.  Nothing outside the given path is changed.
"""

import contextlib
import hashlib
import os
import stat
import sys
import tempfile
from pathlib import Path

from cvms_pipeline import errors

# What fits into sockaddr_un, without the closing NUL.
_SOCKET_PATH_BYTES = 103 if sys.platform == "darwin" else 107
_SPECIAL = frozenset(b',"#;%')


class UnsafeFolder(errors.PermanentError):
    """A folder that must be private is open to others."""


def ensure_folder(path: Path, *, owner: tuple[int, int] | None = None) -> Path:
    """Make the folder `path`, 0700, or check that it is private already; return it.

    Args:
        path: The folder; missing parents are made too.
        owner: User and group that it shall have; by default those of this process.

    Raises:
        UnsafeFolder: If it is a link, another user's, or open to others.
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


def change_owner(folder: Path, owner: tuple[int, int]) -> None:
    """Give `folder` and everything in it to `owner`; links are not followed."""
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, *owner, follow_symlinks=False)


def choose_socket_folder(preferred: Path, longest_name: str) -> Path:
    """Return the preferred folder for sockets, or a short one where it is unfit.

    It is unfit if a socket's path would be too long, or has characters that mean
    something in a setting: Postgres would read a comma as a list, supervisord a `#`
    as a comment.  Nothing is made: see `ensure_folder`.
    """
    path = os.fsencode(preferred / longest_name)
    if len(path) <= _SOCKET_PATH_BYTES and not set(path) & _SPECIAL:
        return preferred
    digest = hashlib.sha256(os.fsencode(preferred)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"cvms-{os.geteuid()}-{digest}"
