"""The file of a backup: a tar whose last member says what the others must be.

Only the form: members by name, with their sizes and digests.  It appears whole under
its name or not at all, for us alone, and never in the place of another file.
What is in it is `ingest.backup`.
"""

import contextlib
import hashlib
import io
import json
import os
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from cvms_pipeline import errors
from cvms_pipeline.files import disk, faults

FORMAT = 1
MANIFEST = "manifest.json"
_CHUNK = 1 << 20


class BackupExists(errors.PermanentError):
    """There is already a file of this name."""


class BackupDamaged(errors.PermanentError):
    """The file is no backup, or not a whole one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup says of itself.

    Attributes:
        facts: What its maker wrote down.
        members: Each member's name, size in bytes and SHA-256, in order.
        digest: The SHA-256 of the manifest itself, which stands for the whole.
    """

    facts: Mapping[str, Any]
    members: list[tuple[str, int, str]]
    digest: str


@dataclass(slots=True, kw_only=True)
class Writer:
    """A backup in the making.

    Attributes:
        folder: A private folder beside it, for what is not yet in it.
    """

    folder: Path
    _tar: tarfile.TarFile
    _members: list[tuple[str, int, str]] = field(default_factory=list)

    def add(self, name: str, source: Path) -> str | None:
        """Add a file as the member `name`.

        Returns:
            Its SHA-256, or None if there is no such file.
        """
        with faults.translated(source.parent):
            try:
                file = source.open("rb")
            except FileNotFoundError:
                return None
        with file:
            size = os.fstat(file.fileno()).st_size
            reader = _Hashing(file)
            self._tar.addfile(_info(name, size), reader)
        _forget(self._tar)
        digest = reader.digest.hexdigest()
        self._members.append((name, size, digest))
        return digest

    def close(self, facts: Mapping[str, Any]) -> None:
        """Add the manifest, after which nothing can be added."""
        about = {"format": FORMAT, **facts, "members": self._members}
        text = json.dumps(about, indent=1).encode("ascii")
        self._tar.addfile(_info(MANIFEST, len(text)), io.BytesIO(text))


@contextlib.contextmanager
def writing(path: Path) -> Iterator[Writer]:
    """Have a new backup written; it is there at the end of the block, or nothing is.

    Raises:
        BackupExists: If there is something at `path`.
        DiskFull, FolderForbidden, FolderAway: It cannot be written there.
    """
    if os.path.lexists(path):
        raise _exists(path)
    with (
        faults.translated(path.parent),
        tempfile.TemporaryDirectory(
            prefix=f".{path.name[:100]}.", suffix=".part", dir=path.parent
        ) as name,
    ):
        part = Path(name) / "backup.tar"
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
                yield Writer(folder=Path(name), _tar=tar)
            file.flush()
            os.fsync(descriptor)
        _name(part, path)


def _name(part: Path, path: Path) -> None:
    """Give the whole file its name, unless somebody was faster."""
    try:
        path.touch(mode=disk.PRIVATE_FILE, exist_ok=False)
    except FileExistsError:
        raise _exists(path) from None
    part.replace(path)
    disk.sync_folder(path.parent)


def _exists(path: Path) -> BackupExists:
    return BackupExists(f"{path} exists, and a backup replaces nothing. Name another.")


def verified(path: Path) -> Manifest:
    """Read a backup from end to end; return its manifest if all of it is right.

    Raises:
        BackupDamaged: Names what is wrong with it.
        FolderAway, FolderForbidden: It cannot be read.
    """
    found: list[tuple[str, int, str]] = []
    text = b""
    for name, size, file in members(path):
        if text:
            raise BackupDamaged(f"{path}: something follows its end.")
        if name == MANIFEST:
            text = file.read()
            continue
        reader = _Hashing(file)
        while reader.read(_CHUNK):
            pass
        found.append((name, size, reader.digest.hexdigest()))
    return _checked(path, text, found)


def _checked(path: Path, text: bytes, found: list[tuple[str, int, str]]) -> Manifest:
    if not text:
        raise BackupDamaged(f"{path} is not whole: its end is missing.")
    try:
        facts = json.loads(text)
        written = [(str(n), int(s), str(d)) for n, s, d in facts.pop("members")]
        edition = facts.pop("format")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BackupDamaged(f"{path}: what it says of itself is damaged.") from None
    if edition != FORMAT:
        raise BackupDamaged(f"{path} was made by another version (form {edition}).")
    for expected, actual in zip(written, found, strict=False):
        if expected != actual:
            raise BackupDamaged(f"{path} is damaged at {expected[0]}.")
    if len(written) != len(found):
        raise BackupDamaged(f"{path} has {len(found)} members, not {len(written)}.")
    digest = hashlib.sha256(text).hexdigest()
    return Manifest(facts=facts, members=written, digest=digest)


def members(path: Path) -> Iterator[tuple[str, int, io.BufferedIOBase]]:
    """Yield each member's name, size and content, which is to be read before the next.

    Raises:
        BackupDamaged: If it is no tar, or ends in the middle.
        FolderAway, FolderForbidden: It cannot be read.
    """
    with faults.translated(path):
        opened = path.open("rb")
    with opened, _told_of(path), tarfile.open(fileobj=opened, mode="r:") as tar:
        while (info := tar.next()) is not None:
            file = tar.extractfile(info) if info.isfile() else None
            if file is None:
                raise tarfile.TarError
            yield info.name, info.size, _Whole(file, path)
            _forget(tar)


@contextlib.contextmanager
def _told_of(path: Path) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, EOFError):
        raise BackupDamaged(f"{path} is no backup, or not a whole one.") from None


def _forget(tar: tarfile.TarFile) -> None:
    """Forget the members so far, which a tar remembers for good: there are many."""
    tar.members.clear()  # type: ignore[attr-defined]


def _info(name: str, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, disk.PRIVATE_FILE
    return info


class _Whole(io.BufferedIOBase):
    """Reads a member; says that the backup is not whole if the member is not."""

    def __init__(self, file: IO[bytes], path: Path) -> None:
        self._file = file
        self._path = path

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        with _told_of(self._path):
            return self._file.read(-1 if size is None else size)


class _Hashing(io.BufferedIOBase):
    """Reads from a file, and takes the digest of what was read."""

    def __init__(self, file: IO[bytes] | io.BufferedIOBase) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        data = self._file.read(-1 if size is None else size)
        self.digest.update(data)
        return data
