"""Copying what waits in the incoming folder for a backup, and putting it back.

    incoming/<folder>/<lane>/<name>    a settled file in a lane; names in base64
    claims/<upload id>/<name>          a claim that was not finished
    quarantine/<upload id>/<name>      what was never let in
    archive/<upload id>                the bytes of a registered upload

These are the names in a backup.  A file that somebody is writing, and what is no
regular file, is left out: it is not an upload yet, or will never be read as one.
"""

import base64
import binascii
import contextlib
import hashlib
import io
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from cvms_pipeline import errors
from cvms_pipeline.domain import upload
from cvms_pipeline.files import (
    archive,
    claims,
    disk,
    faults,
    incoming,
    names,
    settling,
    unclaimed,
)

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
_ARCHIVED = 0o400
_FOR_GROUP = 0o660
_BOTH = 2  # facts and original


class NameUnsafe(errors.PermanentError):
    """A backup names a place where nothing of it belongs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """A copy of something that waited.

    Attributes:
        member: What it is called in the backup.
        path: Where the copy is.
        facts: Folder, lane, shown name and digest of a file in a lane; None else.
        upload_id: Of a claim; None for a file in a lane.
    """

    member: str
    path: Path
    facts: tuple[str, str, str, str] | None
    upload_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What waited, and how many things were left out."""

    copies: list[Copied]
    left_out: int


def copy_waiting(
    folders: incoming.Folders, found: list[incoming.Found], place: Path
) -> Waiting:
    """Copy what was found in the lanes, then the open claims, to `place`.

    In this order, what moves on meanwhile is copied twice or is registered by the
    end, and never missed.
    """
    copies: list[Copied] = []
    left_out = 0
    with faults.translated(folders.root):
        for number, each in enumerate(e for e in found if not e.is_misplaced):
            copy = _copy_found(each, place / f"lane-{number}")
            left_out += copy is None and os.path.lexists(each.path)
            copies += [] if copy is None else [copy]
        for claim in claim_ids(folders):
            copied = list(_copy_claim(folders.claims / claim, place))
            original = folders.claims / claim / claims.ORIGINAL
            left_out += len(copied) < _BOTH and os.path.lexists(original)
            copies += copied
    return Waiting(copies=copies, left_out=left_out)


def facts_of_claims(copies: Sequence[Copied]) -> dict[str, tuple[str, str, str, str]]:
    """Return folder, lane, shown name and digest of each claim that was copied."""
    found = {}
    for copy in copies:
        if copy.upload_id is not None and copy.path.name == claims.ORIGINAL:
            read = claims.read_facts(copy.path.parent)
            told = (read.folder, str(read.lane), read.file_name, _digest(copy.path))
            found[copy.upload_id] = told
    return found


def quarantined(folders: incoming.Folders) -> Iterator[tuple[str, str, Path]]:
    """Yield upload id, member and path of each regular file in quarantine."""
    for upload_id in _ids(folders.quarantine):
        folder = folders.quarantine / upload_id
        for name in (claims.FACTS, claims.ORIGINAL):
            path = folder / name
            if path.is_file() and not path.is_symlink():
                yield upload_id, f"quarantine/{upload_id}/{name}", path


def claim_ids(folders: incoming.Folders) -> list[str]:
    """Return the ids of the open claims, sorted."""
    return _ids(folders.claims)


def is_untouched(folders: incoming.Folders, shelves: archive.Archive) -> bool:
    """Return whether no upload has ever come in here, as far as the folders tell."""
    if any(shelves.root.glob("*/*")):
        return False
    if not folders.root.exists():
        return True
    waits = unclaimed.count(folders).files > 0
    return not waits and not any(_ids(folders.quarantine))


def put_back(
    folders: incoming.Folders,
    shelves: archive.Archive,
    member: str,
    content: io.BufferedIOBase,
) -> None:
    """Write a member to where it was; `sync` brings it to the disk.

    Raises:
        NameUnsafe: If nothing of a backup belongs there.
    """
    first, *rest = PurePosixPath(member).parts
    if first == "archive" and len(rest) == 1:
        _place(shelves.root, shelves.path(rest[0]), content, _ARCHIVED)
    elif first in ("claims", "quarantine") and rest[1:] in (
        [claims.FACTS],
        [claims.ORIGINAL],
    ):
        root = folders.claims if first == "claims" else folders.quarantine
        path = root / disk.checked_id(rest[0]) / rest[1]
        _place(folders.root, path, content, disk.PRIVATE_FILE)
    elif first == "incoming" and len(rest) == 3:
        mode = _FOR_GROUP if folders.group else disk.PRIVATE_FILE
        _place(folders.root, _lane_path(folders, *rest), content, mode)
    else:
        raise NameUnsafe(f"{NameUnsafe.__doc__} ({first})")


def _copy_found(found: incoming.Found, target: Path) -> Copied | None:
    if found.kind is not incoming.Kind.FILE or not found.is_settled:
        return None
    digest = _copy_steady(found.path, found.identity, target)
    if digest is None or found.lane is None:
        return None
    parts = (found.path.parent.parent.name, found.lane, found.path.name)
    return Copied(
        member="/".join(["incoming", _coded(parts[0]), parts[1], _coded(parts[2])]),
        path=target,
        facts=(found.folder, found.lane, found.file_name, digest),
        upload_id=None,
    )


def _copy_claim(folder: Path, place: Path) -> Iterator[Copied]:
    (place / folder.name).mkdir(mode=disk.PRIVATE_FOLDER)
    for name in (claims.FACTS, claims.ORIGINAL):
        target = place / folder.name / name
        if _copy_steady(folder / name, None, target) is not None:
            yield Copied(
                member=f"claims/{folder.name}/{name}",
                path=target,
                facts=None,
                upload_id=folder.name,
            )


def _copy_steady(path: Path, seen: tuple[int, ...] | None, target: Path) -> str | None:
    """Copy a file; return its digest, or None if it is gone, changes, or is no file."""
    try:
        descriptor = os.open(path, _READ)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as source, target.open("xb") as copy:
        before = os.fstat(descriptor)
        is_meant = seen is None or settling.identity(before) == seen
        if incoming.kind_of(before) is not incoming.Kind.FILE or not is_meant:
            return None
        shutil.copyfileobj(source, copy)
        is_same = settling.identity(os.fstat(descriptor)) == settling.identity(before)
    if not is_same:
        return None
    return _digest(target)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _place(root: Path, path: Path, content: io.BufferedIOBase, mode: int) -> None:
    with faults.translated(root):
        disk.make_folder(path.parent)
        temporary = path.with_name(disk.temporary_name("restore"))
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                shutil.copyfileobj(content, file)
                os.fchmod(descriptor, mode)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def _lane_path(folders: incoming.Folders, folder: str, lane: str, name: str) -> Path:
    parts = [_decoded(folder), lane, _decoded(name)]
    is_odd = any(p.startswith(".") or "/" in p or "\0" in p or not p for p in parts)
    if is_odd or lane not in set(upload.Lane) or names.is_temporary(parts[2]):
        raise NameUnsafe(f"{NameUnsafe.__doc__} (incoming)")
    return folders.root.joinpath(*parts)


def _coded(name: str) -> str:
    return base64.urlsafe_b64encode(os.fsencode(name)).decode("ascii")


def _decoded(text: str) -> str:
    try:
        return os.fsdecode(base64.urlsafe_b64decode(text))
    except (binascii.Error, ValueError):
        raise NameUnsafe(f"{NameUnsafe.__doc__} (incoming)") from None


def _ids(folder: Path) -> list[str]:
    """Return the upload ids that have a folder in `folder`, sorted."""
    with contextlib.suppress(FileNotFoundError):
        return sorted(filter(upload.is_id, (each.name for each in folder.iterdir())))
    return []
