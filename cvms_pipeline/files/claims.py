"""Taking what was dropped: one atomic rename, and every crash is finished later.

    <incoming>/.claims/<upload id>/claim.json      whose it is; written first
    <incoming>/.claims/<upload id>/original        the rename puts it here
    <incoming>/.quarantine/<upload id>/            what may not be taken in

A claim stays open until `discard`, which the caller does last: look, `claim`,
`finish` (to archive or quarantine), register the upload, `discard`.  Whatever
dies in between, `open_claims` gives the claim again, and every step can be
repeated.  Why a file is unfit in itself is judged here; what its bytes hold is not.
"""

import base64
import contextlib
import datetime as dt
import errno
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cvms_pipeline.domain import reasons, upload
from cvms_pipeline.files import archive, disk, faults, incoming, settling

ORIGINAL = "original"
FACTS = "claim.json"
_DROPPED = ".dropped-"
_GONE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Something taken out of a provider's folder under an upload id.

    `folder` and `file_name` are fit to be shown; `identity` is what was found.
    """

    upload_id: str
    folder: str
    lane: upload.Lane
    file_name: str
    claimed_at: dt.datetime
    identity: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Where a claim has ended: in the archive, or in quarantine for `refusal`.

    `size` (bytes) is None for what is no file; `sha256` for what was not read.
    """

    size: int | None
    sha256: str | None
    refusal: str | None


def claim(
    folders: incoming.Folders,
    found: incoming.Found,
    *,
    upload_id: str,
    now: dt.datetime,
) -> Claim | None:
    """Take `found` out of its lane; None if it is gone or somebody else was faster.

    Raises:
        FolderForbidden, DiskFull, FolderAway: Nothing was taken.
        FolderElsewhere: The provider's folder is a mount of its own.
        ValueError: If `found` is misplaced.
    """
    if found.lane is None:
        raise ValueError("what is misplaced cannot be claimed")
    taken = Claim(
        upload_id=disk.checked_id(upload_id),
        folder=found.folder,
        lane=found.lane,
        file_name=found.file_name,
        claimed_at=now,
        identity=found.identity,
    )
    with faults.translated(folders.root):
        if _take(folders, found, taken):
            return taken
    return None


def open_claims(folders: incoming.Folders) -> list[Claim]:
    """Return the claims that a crash, or a writer, has left unfinished, oldest first.

    Claims that hold nothing are dropped: what they were for still lies in its
    lane, or has been discarded.
    """
    with faults.translated(folders.claims):
        disk.make_folder(folders.claims)
        _recover_dropped(folders.claims)
        found = []
        for name in sorted(each.name for each in folders.claims.iterdir()):
            if upload.is_id(name):
                if _place(folders, name) is None:
                    _drop(folders.claims / name)
                else:
                    found.append(read_facts(folders.claims / name))
    return found


def finish(
    folders: incoming.Folders,
    claim: Claim,
    shelves: archive.Archive,
    *,
    now: dt.datetime,
    quarantine: bool = False,
) -> Stored | None:
    """Store what was claimed; None while a writer still has it, or if it is gone.

    Files within the limit are copied to the archive, all else is moved to quarantine
    unopened.  With `quarantine` (nobody enabled owns the folder) files go there, too.

    Raises:
        FolderForbidden, DiskFull, FolderAway: The claim stays open.
    """
    if not quarantine and shelves.has(claim.upload_id):
        kept = shelves.read(claim.upload_id)
        return Stored(size=len(kept), sha256=upload.digest(kept), refusal=None)
    with faults.translated(folders.root):
        place = _place(folders, claim.upload_id)
        moment = folders.settling(now)
        if place is None or not moment.is_settled_since(claim.identity, place):
            return None
        stat = place.lstat()
        is_file = incoming.kind_of(stat) is incoming.Kind.FILE
        is_read = is_file and stat.st_size <= folders.max_bytes
        data = _read(place, stat) if is_read else None
        if is_read and data is None:
            return None
        refusal = _refusal(stat, folders.max_bytes, quarantine)
        if refusal is not None:
            _quarantine(folders, claim.upload_id)
    if refusal is None and data is not None:
        shelves.write(claim.upload_id, data)
    return Stored(
        size=stat.st_size if is_file else None,
        sha256=None if data is None else upload.digest(data),
        refusal=refusal,
    )


def discard(folders: incoming.Folders, claim: Claim) -> None:
    """Close a claim whose upload is stored and registered; again does nothing."""
    with faults.translated(folders.claims):
        folder = folders.claims / disk.checked_id(claim.upload_id)
        for name in (ORIGINAL, FACTS):
            (folder / name).unlink(missing_ok=True)
        _drop(folder)


def quarantined(folders: incoming.Folders, upload_id: str) -> Path:
    """Return where the upload's original lies if it was put into quarantine."""
    return folders.quarantine / disk.checked_id(upload_id) / ORIGINAL


def _take(folders: incoming.Folders, found: incoming.Found, taken: Claim) -> bool:
    folder = folders.claims / taken.upload_id
    try:
        disk.make_folder(folder)
        disk.write(folder / FACTS, _facts(taken, found.path.name))
        _move(folders, found, folder)
    except OSError as error:
        _drop(folder)
        if error.errno in _GONE:
            return False
        raise
    return True


def _move(folders: incoming.Folders, found: incoming.Found, folder: Path) -> None:
    """Rename `found` into the claim's folder, through no link that a provider made."""
    lane, provider = found.path.parent, found.path.parent.parent
    with (
        disk.opened_folder(folders.root, follow=True) as root,
        disk.opened_folder(provider.name, dir_fd=root) as outer,
        disk.opened_folder(lane.name, dir_fd=outer) as inner,
    ):
        now = os.stat(found.path.name, dir_fd=inner, follow_symlinks=False)
        if (now.st_dev, now.st_ino) != found.identity[:2]:
            raise FileNotFoundError(errno.ENOENT, "replaced since it was found")
        target = folder / ORIGINAL
        os.rename(found.path.name, target, src_dir_fd=inner)
        disk.sync_folder(folder)
        disk.sync_folder(inner)


def _facts(taken: Claim, name_on_disk: str) -> bytes:
    facts = {
        "folder": taken.folder,
        "lane": taken.lane,
        "file_name": taken.file_name,
        "file_name_base64": base64.b64encode(os.fsencode(name_on_disk)).decode("ascii"),
        "identity": taken.identity,
        "claimed_at": taken.claimed_at.isoformat(),
    }
    return json.dumps(facts, indent=1).encode("ascii")


def read_facts(folder: Path) -> Claim:
    """Return the claim in `folder`; one without facts belongs to nobody known."""
    stamp = dt.datetime.fromtimestamp(folder.stat().st_mtime, dt.UTC)
    facts: dict[str, Any] = {"folder": "", "file_name": "unknown", "identity": []}
    facts |= {"lane": upload.Lane.LOW_VOLUME, "claimed_at": stamp.isoformat()}
    with contextlib.suppress(FileNotFoundError, ValueError, TypeError):
        facts.update(json.loads((folder / FACTS).read_bytes()))
    return Claim(
        upload_id=folder.name,
        folder=facts["folder"],
        lane=upload.Lane(facts["lane"]),
        file_name=facts["file_name"],
        claimed_at=dt.datetime.fromisoformat(facts["claimed_at"]),
        identity=tuple(facts["identity"]),
    )


def _place(folders: incoming.Folders, upload_id: str) -> Path | None:
    """Return where the claimed thing is: in its claim, in quarantine, or nowhere."""
    places = (folders.claims / upload_id / ORIGINAL, quarantined(folders, upload_id))
    return next((place for place in places if os.path.lexists(place)), None)


def _refusal(stat: os.stat_result, max_bytes: int, quarantine: bool) -> str | None:
    if quarantine:
        return reasons.PROVIDER_UNKNOWN
    if incoming.kind_of(stat) is not incoming.Kind.FILE:
        return reasons.NOT_A_FILE
    return reasons.FILE_TOO_LARGE if stat.st_size > max_bytes else None


def _read(path: Path, before: os.stat_result) -> bytes | None:
    """Return the bytes, or None if somebody wrote while they were read."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        data = file.read(before.st_size + 1)
        after = os.fstat(descriptor)
    is_same = settling.identity(after) == settling.identity(before)
    return data if is_same and len(data) == after.st_size else None


def _quarantine(folders: incoming.Folders, upload_id: str) -> None:
    source, target = folders.claims / upload_id, folders.quarantine / upload_id
    disk.make_folder(target)
    if os.path.lexists(source / ORIGINAL):
        if (source / FACTS).exists():
            disk.write(target / FACTS, (source / FACTS).read_bytes())
        (source / ORIGINAL).rename(target / ORIGINAL)
        disk.sync_folder(target)
        disk.sync_folder(source)


def _drop(folder: Path) -> None:
    """Remove a claim that holds nothing; one that was just filled is put back.

    Another process may be about to move its file in.  Once the folder has another
    name that cannot happen any more, and looking again tells whether it has.
    """
    aside = folder.with_name(_DROPPED + folder.name)
    with contextlib.suppress(FileNotFoundError):
        folder.rename(aside)
        _settle_dropped(aside)


def _settle_dropped(aside: Path) -> None:
    if os.path.lexists(aside / ORIGINAL):
        aside.rename(aside.with_name(aside.name.removeprefix(_DROPPED)))
        return
    for left in aside.iterdir():
        left.unlink(missing_ok=True)
    disk.remove_if_empty(aside)
    disk.sync_folder(aside.parent)


def _recover_dropped(claims: Path) -> None:
    for aside in claims.glob(f"{_DROPPED}*"):
        with contextlib.suppress(FileNotFoundError):
            _settle_dropped(aside)
