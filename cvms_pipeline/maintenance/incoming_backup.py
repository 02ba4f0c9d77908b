"""Copies waiting files from the incoming folder into a backup; their paths in both.

    archive/<year and month>/<upload id>         the bytes of a registered upload
    incoming/<provider>/<lane>/<name>            a settled file in a lane
    incoming/.claims/<upload id>/<name>          a claim that was not finished
    incoming/.quarantine/<upload id>/<name>      a file that was not accepted

These are the paths in a backup, as in the installation.  A file that somebody is
writing is left out, for it is not an upload yet; so is what is no regular file, for it
never will be.  What may not be read is left out, too, and named: by its path, or where
a provider has chosen the name, by the folder it is in.
"""

import contextlib
import os
import shutil
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from cvms_pipeline import disk, errors
from cvms_pipeline.database import dumps
from cvms_pipeline.domain.vocabulary import upload
from cvms_pipeline.files import access, archive, claims, incoming, names, settling
from cvms_pipeline.maintenance import bundle

_ARCHIVED_FILE = 0o400
_GROUP_FILE = 0o660
_CLAIM_FILES = (claims.CLAIM_FILE, claims.ORIGINAL)


class NameUnsafe(errors.PermanentError):
    """A backup holds a file at a path where no file of a backup belongs."""


_Content = tuple[str, str, str, str]
"""What identifies a dropped file: folder, lane, shown name, SHA-256."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingFiles:
    """The waiting files that were copied into a backup.

    Attributes:
        lane_files: The content of each file of a lane, by the path of its copy.
        claims: The content of each open claim, by the path of its copy; None if its
            file was already in quarantine.
        left_out: How many things were not copied.
        unreadable: The names of those that may not be read; they are not in `left_out`.
    """

    lane_files: Mapping[Path, _Content]
    claims: Mapping[Path, _Content | None]
    left_out: int
    unreadable: Sequence[str]

    @property
    def claim_ids(self) -> set[str]:
        """Return the upload ids of the claims."""
        return {claim.name for claim in self.claims}


def copy_waiting(
    folders: incoming.Folders, found: Sequence[incoming.Entry], backup: Path
) -> WaitingFiles:
    """Copy what was found in the lanes, then the open claims.

    In this order, a file that is claimed meanwhile is copied twice, or is registered as
    an upload before the tables are dumped; it is never missed.
    """
    lane_files: dict[Path, _Content] = {}
    open_claims: dict[Path, _Content | None] = {}
    left_out, unreadable = 0, set[str]()
    with access.translate_errors(folders.root):
        for each in found:
            copy = backup.joinpath(bundle.INCOMING, *each.path.parts[-3:])
            if each.is_settled and not is_readable(each.path):
                unreadable.add(f"a file in {bundle.INCOMING}/{each.folder}/{each.lane}")
            elif each.is_settled and _copy_unchanged(each.path, copy, each.identity):
                lane_files[copy] = _describe(each, copy)
            elif not each.is_misplaced:
                left_out += os.path.lexists(each.path)
        for upload_id in list_ids(folders.claims):
            claim = folders.claims / upload_id
            copy, closed = _copy_claim(claim, backup)
            unreadable.update(closed)
            if copy.exists():
                open_claims[copy] = _describe_claim(copy)
            if not closed and not (copy / claims.ORIGINAL).exists():
                left_out += os.path.lexists(claim / claims.ORIGINAL)
    return WaitingFiles(
        lane_files=lane_files,
        claims=open_claims,
        left_out=left_out,
        unreadable=sorted(unreadable),
    )


def remove_registered(
    waiting: WaitingFiles, uploads: Sequence[dumps.UploadFile], earlier: Collection[str]
) -> WaitingFiles:
    """Remove the copies of files that are uploads in the tables; return the others.

    A claim has the id of its upload.  A file in a lane has none: if its content is that
    of a new upload or of a new claim, it was claimed while the backup was made.  As
    many copies are removed as there are such uploads and claims, because the same file
    may have been dropped twice.

    Args:
        waiting: What was copied.
        uploads: The uploads in the tables.
        earlier: The ids of uploads and claims before anything was copied.
    """
    registered = {each.id for each in uploads}
    claimed: Counter[tuple[str | None, ...] | None] = Counter(
        (each.folder, each.lane, each.file_name, each.sha256)
        for each in uploads
        if each.id not in earlier
    )
    open_claims, lane_files = {}, {}
    for claim, content in waiting.claims.items():
        if claim.name in registered:
            shutil.rmtree(claim)
            continue
        open_claims[claim] = content
        claimed[content] += claim.name not in earlier
    for copy, content in waiting.lane_files.items():
        if claimed[content] > 0:
            claimed[content] -= 1
            copy.unlink()
        else:
            lane_files[copy] = content
    return replace(waiting, lane_files=lane_files, claims=open_claims)


def copy_quarantine(
    folders: incoming.Folders, upload_ids: Collection[str], backup: Path
) -> list[str]:
    """Copy the quarantined files of some uploads, as far as retention has left them.

    Returns:
        The names of those that may not be read.
    """
    unreadable = []
    with access.translate_errors(folders.root):
        for upload_id in list_ids(folders.quarantine):
            if upload_id in upload_ids:
                _, closed = _copy_claim(folders.quarantine / upload_id, backup)
                unreadable += closed
    return unreadable


def is_readable(path: Path) -> bool:
    """Return whether our user may read what is at a path, as far as it is a file."""
    try:
        os.close(_open(str(path), os.O_RDONLY))
    except PermissionError:
        return False
    except OSError:  # it is gone, a link, a socket ...
        return True
    return True


def list_ids(folder: Path) -> list[str]:
    """Return the upload ids in the folder of the claims or of the quarantine, sorted.

    Raises:
        FolderAway, FolderForbidden: It cannot be read; one that is missing is empty.
    """
    with access.translate_errors(folder), contextlib.suppress(FileNotFoundError):
        return sorted(filter(upload.is_id, (each.name for each in folder.iterdir())))
    return []


def find_target(
    name: str, folders: incoming.Folders, archived: archive.Archive
) -> tuple[Path, int]:
    """Return the path of a file of a backup in an installation, and its mode there.

    Raises:
        NameUnsafe, UnsafeName: If no file of a backup belongs there.
    """
    match PurePosixPath(name).parts:
        case (bundle.ARCHIVE, archive.CASES, _, file_id):
            return archived.open_cases().path(file_id), _ARCHIVED_FILE
        case (bundle.ARCHIVE, _, upload_id):
            return archived.path(upload_id), _ARCHIVED_FILE
        case (bundle.INCOMING, ".claims" | ".quarantine" as kept, upload_id, file) if (
            file in _CLAIM_FILES
        ):
            folder = folders.root / kept / names.check_id(upload_id)
            return folder / file, disk.PRIVATE_FILE_MODE
        case (bundle.INCOMING, provider, lane, file) if (
            incoming.find_lane(lane) is not None
            and not provider.startswith(".")
            and not file.startswith(".")
        ):
            mode = _GROUP_FILE if folders.group else disk.PRIVATE_FILE_MODE
            return folders.root / provider / lane / file, mode
    raise NameUnsafe


def _describe(file: incoming.Entry | claims.Claim, copy: Path) -> _Content:
    digest = bundle.compute_digest(copy)
    return (file.folder, str(file.lane), file.file_name, digest)


def _describe_claim(copy: Path) -> _Content | None:
    original = copy / claims.ORIGINAL
    return _describe(claims.read_claim(copy), original) if original.exists() else None


def _copy_claim(folder: Path, backup: Path) -> tuple[Path, list[str]]:
    """Copy a claim, open or in quarantine.

    Returns:
        Its copy, which may be missing, and the names of files that may not be read.
    """
    name = Path(bundle.INCOMING, *folder.parts[-2:])
    closed = []
    for file in _CLAIM_FILES:
        if not is_readable(folder / file):
            closed.append(str(name / file))
        else:
            _copy_unchanged(folder / file, backup / name / file)
    return backup / name, closed


def _copy_unchanged(
    path: Path, copy: Path, identity: tuple[int, ...] | None = None
) -> bool:
    """Copy a file; return False if it is missing, not regular, or changes meanwhile."""
    try:
        source = open(path, "rb", opener=_open)  # noqa: SIM115  # has no opener
    except OSError:
        return False
    with source:
        stat = os.fstat(source.fileno())
        before = settling.get_identity(stat)
        is_file = incoming.get_kind(stat) is incoming.Kind.FILE
        if not is_file or identity not in (None, before):
            return False
        bundle.copy(source, copy)
        if settling.get_identity(os.fstat(source.fileno())) != before:
            copy.unlink()
            return False
    return True


def _open(path: str, _flags: int) -> int:
    """Open a file; never follow a link, and never wait for the writer of a pipe."""
    return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
