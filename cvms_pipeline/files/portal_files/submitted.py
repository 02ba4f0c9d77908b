"""Files that a page has received: each becomes a claim, like a file that was dropped.

    <incoming>/.claims/.sent-<upload id>.<random>/    while it is written
    <incoming>/.claims/<upload id>/                   the claim, by one rename

From the rename on, the file cannot be lost, and `claims` does the rest.  For a while
the claim is paused: whoever has made it finishes it, and after a crash the sensor does.
"""

import contextlib
import datetime as dt
import errno
import secrets
import shutil
from dataclasses import replace
from pathlib import Path

from cvms_pipeline import disk
from cvms_pipeline.files import access, claims, incoming, names, pauses, settling

_PREFIX = ".sent-"
_PAUSE = dt.timedelta(seconds=10)
_UNFINISHED = dt.timedelta(minutes=2)
"""After this time nobody writes such a folder any more: a request is shorter."""

_TAKEN = frozenset({errno.ENOTEMPTY, errno.EEXIST})


def make_claim(
    folders: incoming.Folders, claim: claims.Claim, data: bytes
) -> claims.Claim | None:
    """Return the claim of `data`, with its identity; None if its id has a claim.

    Raises:
        FolderForbidden, DiskFull, FolderAway: There is no claim.
    """
    target = folders.claims / names.check_id(claim.upload_id)
    ours = folders.claims / f"{_PREFIX}{claim.upload_id}.{secrets.token_hex(6)}"
    with access.translate_errors(folders.root):
        disk.make_folder(ours)
        try:
            made = _fill(ours, claim, data)
            ours.rename(target)
        except OSError as error:
            _remove(ours)
            if error.errno in _TAKEN:
                return None
            raise
        disk.sync_folder(folders.claims)
    return made


def find_claim(folders: incoming.Folders, upload_id: str) -> claims.Claim | None:
    """Return the open claim with this id, or None."""
    with contextlib.suppress(FileNotFoundError):
        return claims.read_claim(folders.claims / names.check_id(upload_id))
    return None


def remove_unfinished(folders: incoming.Folders, *, now: dt.datetime) -> None:
    """Remove what crashes have left half written; nobody was told that it is here."""
    before = (now - _UNFINISHED).timestamp()
    with access.translate_errors(folders.claims):
        for folder in folders.claims.glob(f"{_PREFIX}*"):
            with contextlib.suppress(FileNotFoundError):
                if folder.stat().st_mtime < before:
                    _remove(folder)


def _fill(folder: Path, claim: claims.Claim, data: bytes) -> claims.Claim:
    original = folder / claims.ORIGINAL
    disk.write_new(original, data)
    made = replace(claim, identity=settling.get_identity(original.lstat()))
    facts = claims.encode_facts(made, claim.file_name)
    disk.write_new(folder / claims.CLAIM_FILE, facts)
    pauses.pause(folder, until=(claim.claimed_at + _PAUSE).timestamp())
    disk.sync_folder(folder)
    return made


def _remove(folder: Path) -> None:
    shutil.rmtree(folder)
    disk.sync_folder(folder.parent)
