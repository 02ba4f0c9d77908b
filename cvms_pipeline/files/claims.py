"""Claiming dropped files: one atomic rename, and every crash is finished later.

    <incoming>/.claims/<upload id>/claim.json      facts of the claim, written first
    <incoming>/.claims/<upload id>/original        the file, by the rename
    <incoming>/.quarantine/<upload id>/            what is not accepted

A claim stays open until `discard`, which the caller does last: `incoming.scan`,
`claim`, `finish` (to archive or quarantine), register the upload, `discard`.  After a
crash in between, `list_open_claims` returns the claim again, and every step can be
repeated.  A file may be refused here for its kind, size and permissions, nothing else.
"""

import base64
import contextlib
import dataclasses
import datetime as dt
import errno
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cvms_pipeline import disk
from cvms_pipeline.domain.vocabulary import reasons, upload
from cvms_pipeline.files import access, archive, incoming, names, pauses, settling

ORIGINAL = "original"
CLAIM_FILE = "claim.json"
_REMOVING = ".dropped-"
_GONE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Something that was moved out of a provider's folder under an upload id.

    `folder`, `lane`, `file_name` and `identity` are those of the `incoming.Entry`;
    `results` is the folder in the provider's results of a corrected report, or "".
    """

    upload_id: str
    folder: str
    lane: upload.Lane
    file_name: str
    claimed_at: dt.datetime
    identity: tuple[int, ...]
    results: str = ""
    sent_from: upload.Way = upload.Way.FOLDER
    sent_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimOutcome:
    """The end of a claim: in the archive, or in quarantine because of `refusal`.

    `size` (bytes), `sha256` and `refusal` (a reason code) are None if there is none.
    """

    size: int | None
    sha256: str | None
    refusal: str | None


def claim(
    folders: incoming.Folders,
    found: incoming.Entry,
    *,
    upload_id: str,
    now: dt.datetime,
) -> Claim | None:
    """Move `found` out of its lane; None if it is gone, or another process was faster.

    Raises:
        FolderForbidden, DiskFull, FolderAway: Nothing was moved.
        FolderElsewhere: The provider's folder is a mount point.
        ValueError: If `found` is misplaced.
    """
    if found.lane is None:
        raise ValueError("what is misplaced cannot be claimed")
    taken = Claim(
        upload_id=names.check_id(upload_id),
        folder=found.folder,
        lane=found.lane,
        file_name=found.file_name,
        claimed_at=now,
        identity=found.identity,
        results=incoming.find_results(folders, found.path),
    )
    with access.translate_errors(folders.root):
        return taken if _take(folders, found, taken) else None


def list_open_claims(
    folders: incoming.Folders, *, now: dt.datetime, limit: int
) -> list[Claim]:
    """Return claims that a crash, a writer or a pause has left unfinished.

    Those that were never paused are first, then the oldest; those paused at the moment
    `now` are left out.  Claims without an original are removed.
    """
    found: list[Claim] = []
    with access.translate_errors(folders.claims):
        disk.make_folder(folders.claims)
        _resume_removals(folders.claims)
        for folder in pauses.list_due(folders.claims, now=now):
            if len(found) == limit:
                break
            if _find_original(folders, folder.name) is None:
                _remove_if_unused(folder)
            else:
                found.append(read_claim(folder))
    return found


def finish(
    folders: incoming.Folders,
    claim: Claim,
    received: archive.Archive,
    *,
    now: dt.datetime,
    quarantine: bool = False,
) -> ClaimOutcome | None:
    """Store what was claimed; None while somebody still writes it, or if it is gone.

    Files within the limit that may be read are copied to the archive; everything else
    is moved to quarantine, with `quarantine` (the provider is unknown) also files.

    Raises:
        NotReadableYet, FolderForbidden, DiskFull, FolderAway: The claim stays open.
    """
    if not quarantine and received.has(claim.upload_id):
        return _describe(received.read(claim.upload_id))
    with access.translate_errors(folders.root):
        original = _find_original(folders, claim.upload_id)
        check = folders.make_settle_check(now)
        if original is None or not check.is_settled_since(claim.identity, original):
            return None
        status = original.lstat()
        is_file = incoming.get_kind(status) is incoming.Kind.FILE
        refusal = _find_refusal(status, folders.max_bytes, quarantine)
        is_read = is_file and status.st_size <= folders.max_bytes
        if is_read and not pauses.is_readable(original, claim.claimed_at, now=now):
            is_read, refusal = False, refusal or reasons.NOT_READABLE
        data = _read(original, status) if is_read else None
        if is_read and data is None:
            return None
        if refusal is not None:
            _quarantine(folders, claim.upload_id)
    if data is None:
        size = status.st_size if is_file else None
        return ClaimOutcome(size=size, sha256=None, refusal=refusal)
    if refusal is None:
        received.write(claim.upload_id, data)
    return _describe(data, refusal)


def discard(folders: incoming.Folders, claim: Claim) -> None:
    """Close a claim after its upload was registered; to repeat it does nothing."""
    folder = folders.claims / names.check_id(claim.upload_id)
    with access.translate_errors(folders.claims):
        for name in (ORIGINAL, CLAIM_FILE):
            (folder / name).unlink(missing_ok=True)
        _remove_if_unused(folder)


def quarantine_path(folders: incoming.Folders, upload_id: str) -> Path:
    """Return the path of the upload's original if it was moved to quarantine."""
    return folders.quarantine / names.check_id(upload_id) / ORIGINAL


def _describe(data: bytes, refusal: str | None = None) -> ClaimOutcome:
    digest = upload.compute_sha256(data)
    return ClaimOutcome(size=len(data), sha256=digest, refusal=refusal)


def _take(folders: incoming.Folders, found: incoming.Entry, taken: Claim) -> bool:
    folder = folders.claims / taken.upload_id
    try:
        disk.make_folder(folder)
        disk.write(folder / CLAIM_FILE, encode_facts(taken, found.path.name))
        _move(folders, found, folder)
    except OSError as error:
        _remove_if_unused(folder)
        if error.errno in _GONE:
            return False
        raise
    return True


def _move(folders: incoming.Folders, found: incoming.Entry, folder: Path) -> None:
    """Rename `found` into the claim's folder; a link on its path is not followed."""
    parts = found.path.relative_to(folders.root).parts
    with disk.open_inside(folders.root, *parts[:-1]) as inner:
        now = os.stat(found.path.name, dir_fd=inner, follow_symlinks=False)
        if (now.st_dev, now.st_ino) != found.identity[:2]:
            raise FileNotFoundError(errno.ENOENT, "replaced since it was found")
        target = folder / ORIGINAL
        os.rename(found.path.name, target, src_dir_fd=inner)
        disk.sync_folder(folder)
        disk.sync_folder(inner)


def encode_facts(taken: Claim, name_on_disk: str) -> bytes:
    """Return the content of the file with the facts of a claim."""
    name = base64.b64encode(os.fsencode(name_on_disk)).decode("ascii")
    written = {"file_name_base64": name, "claimed_at": taken.claimed_at.isoformat()}
    facts = dataclasses.asdict(taken) | written
    return json.dumps(facts, indent=1).encode("ascii")


def read_claim(folder: Path) -> Claim:
    """Return the claim in `folder`; without valid facts it has no provider."""
    stamp = dt.datetime.fromtimestamp(folder.stat().st_mtime, dt.UTC)
    facts: dict[str, Any] = {"folder": "", "file_name": "unknown", "identity": []}
    facts |= {"lane": upload.Lane.LOW_VOLUME, "claimed_at": stamp.isoformat()}
    with contextlib.suppress(FileNotFoundError, ValueError, TypeError):
        written = json.loads((folder / CLAIM_FILE).read_bytes())
        return _to_claim(folder.name, facts | written)
    return _to_claim(folder.name, facts)


def _to_claim(upload_id: str, facts: dict[str, Any]) -> Claim:
    return Claim(
        upload_id=upload_id,
        folder=facts["folder"],
        lane=upload.Lane(facts["lane"]),
        file_name=facts["file_name"],
        claimed_at=dt.datetime.fromisoformat(facts["claimed_at"]),
        identity=tuple(facts["identity"]),
        results=facts.get("results", ""),
        sent_from=upload.Way(facts.get("sent_from", upload.Way.FOLDER)),
        sent_by=facts.get("sent_by"),
    )


def _find_original(folders: incoming.Folders, upload_id: str) -> Path | None:
    """Return the path of what was claimed, in its claim or in quarantine, or None."""
    claimed = folders.claims / upload_id / ORIGINAL
    places = (claimed, quarantine_path(folders, upload_id))
    return next(filter(os.path.lexists, places), None)


def _find_refusal(
    status: os.stat_result, max_bytes: int, quarantine: bool
) -> str | None:
    if quarantine:
        return reasons.PROVIDER_UNKNOWN
    if incoming.get_kind(status) is not incoming.Kind.FILE:
        return reasons.NOT_A_FILE
    return reasons.FILE_TOO_LARGE if status.st_size > max_bytes else None


def _read(path: Path, before: os.stat_result) -> bytes | None:
    """Return the bytes, or None if somebody wrote to the file meanwhile."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        data = file.read(before.st_size + 1)
        after = os.fstat(descriptor)
    is_same = settling.get_identity(after) == settling.get_identity(before)
    return data if is_same and len(data) == after.st_size else None


def _quarantine(folders: incoming.Folders, upload_id: str) -> None:
    source, target = folders.claims / upload_id, folders.quarantine / upload_id
    disk.make_folder(target)
    if os.path.lexists(source / ORIGINAL):
        if (source / CLAIM_FILE).exists():
            disk.write(target / CLAIM_FILE, (source / CLAIM_FILE).read_bytes())
        (source / ORIGINAL).rename(target / ORIGINAL)
        disk.sync_folder(target)
        disk.sync_folder(source)


def _remove_if_unused(folder: Path) -> None:
    """Remove a claim without an original; one that has just got one is put back.

    Another process may be about to move its file into the claim.  Once the folder has
    another name that cannot happen any more, so it is checked again after the rename.
    """
    aside = folder.with_name(_REMOVING + folder.name)
    with contextlib.suppress(FileNotFoundError):
        folder.rename(aside)
        _finish_removal(aside)


def _finish_removal(aside: Path) -> None:
    if os.path.lexists(aside / ORIGINAL):
        aside.rename(aside.with_name(aside.name.removeprefix(_REMOVING)))
        return
    for file in aside.iterdir():
        file.unlink(missing_ok=True)
    disk.remove_if_empty(aside)
    disk.sync_folder(aside.parent)


def _resume_removals(claims: Path) -> None:
    for aside in claims.glob(f"{_REMOVING}*"):
        with contextlib.suppress(FileNotFoundError):
            _finish_removal(aside)
