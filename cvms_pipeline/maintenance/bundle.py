"""The folder of a backup, and the file SHA256SUMS in it that lists what it must hold.

    <backup>/archive/, incoming/, database.dump, secret_key
    <backup>/backup.json      facts about the backup
    <backup>/SHA256SUMS       for `sha256sum --check`

Only this form lives here: which files there are is decided in `backup`.  The folder
appears whole under its name or not at all, and only our user can read it.
"""

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from cvms_pipeline import disk, errors
from cvms_pipeline.files import access

ARCHIVE, INCOMING = "archive", "incoming"
DUMP, KEY, FACTS = "database.dump", "secret_key", "backup.json"

_SUMS = "SHA256SUMS"
_FORMAT = 2  # 1 was a tar


class BackupExists(errors.PermanentError):
    """There is already something of this name."""


class BackupDamaged(errors.PermanentError):
    """The folder is no backup, or not a whole one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A whole backup, every byte of which has been compared with its digest.

    Attributes:
        folder: Its folder.
        facts: The facts about it, as `backup` wrote them.
        names: The path of each file below `folder`.
        digest: The SHA-256 of SHA256SUMS, which identifies the backup.
    """

    folder: Path
    facts: Mapping[str, Any]
    names: frozenset[str]
    digest: str


def copy(source: BinaryIO, target: Path, *, mode: int = disk.PRIVATE_FILE_MODE) -> None:
    """Copy an open file to a new one.

    It may not be on the disk yet when this returns: with many small files one
    `os.sync` at the end is much faster than one for each.
    """
    with access.translate_errors(target.parent):
        disk.make_folder(target.parent)
        with disk.open_private(target, "xb") as file:
            shutil.copyfileobj(source, file)
            os.fchmod(file.fileno(), mode)


@contextlib.contextmanager
def create(path: Path) -> Iterator[Path]:
    """Yield a folder to fill; after the block it is at `path`, or removed.

    Raises:
        BackupExists: If there is something at `path`.
        DiskFull, FolderForbidden, FolderAway: It cannot be written there.
    """
    exists = BackupExists(
        f"{path} exists, and a backup replaces nothing. Name another."
    )
    if os.path.lexists(path):
        raise exists
    with (
        access.translate_errors(path.parent),
        tempfile.TemporaryDirectory(
            prefix=f".{path.name[:100]}.", suffix=".part", dir=path.parent
        ) as place,
    ):
        folder = Path(place) / "backup"
        folder.mkdir(mode=disk.PRIVATE_FOLDER_MODE)
        yield folder
        os.sync()
        try:
            folder.rename(path)
        except OSError:
            if os.path.lexists(path):  # somebody else has made it meanwhile
                raise exists from None
            raise
        disk.sync_folder(path.parent)


def read_digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file below a folder, by its path there.

    Links and pipes are no files.
    """
    return {
        str(path.relative_to(folder)): compute_digest(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


def write_sums(
    folder: Path, digests: Mapping[str, str], facts: Mapping[str, Any]
) -> None:
    """Write the facts about a backup, and the digests of all its files."""
    text = json.dumps({"format": _FORMAT, **facts}, indent=1)
    disk.write(folder / FACTS, text.encode("ascii"))
    # The facts are last: where their line is missing, the file has been cut.
    complete = {**digests, FACTS: compute_digest(folder / FACTS)}
    disk.write(folder / _SUMS, _format_lines(complete))


def verify(path: Path) -> Backup:
    """Read a backup from end to end and compare every digest.

    Raises:
        BackupDamaged: Names what is wrong with it.
        FolderAway, FolderForbidden: It cannot be read.
    """
    if path.is_file():
        raise BackupDamaged(
            f"{path} is a file, and a backup is a folder: it was made by an earlier"
            " version in another form, or is no backup."
        )
    with access.translate_errors(path):
        path.stat()  # a folder that is away is another problem than a bad backup
        sums = (path / _SUMS).read_bytes() if (path / _SUMS).is_file() else b""
        expected = _parse(sums)
        if FACTS not in expected:
            raise BackupDamaged(f"{path} is no backup, or not a whole one.")
        digests = read_digests(path)
        identity = digests.pop(_SUMS)
        _compare(path, expected, digests)
        facts: dict[str, Any] = json.loads((path / FACTS).read_bytes())
    edition = facts.pop("format", None)
    if edition != _FORMAT:
        raise BackupDamaged(f"{path} was made by another version (form {edition}).")
    return Backup(folder=path, facts=facts, names=frozenset(digests), digest=identity)


def compute_digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _compare(
    path: Path, expected: Mapping[str, str], digests: Mapping[str, str]
) -> None:
    """Check that the files have the digests that SHA256SUMS lists, and no other."""
    found = _parse(_format_lines(digests))
    for name in sorted({*expected, *found}):
        # A provider has chosen the names of its files: they may be personal.
        shown = INCOMING if name.startswith(INCOMING) else name
        if name not in found:
            raise BackupDamaged(f"{path} is not whole: {shown} is missing.")
        if name not in expected:
            raise BackupDamaged(f"{path}: {shown} does not belong to it.")
        if found[name] != expected[name]:
            raise BackupDamaged(f"{path} is damaged at {shown}.")


def _format_lines(digests: Mapping[str, str]) -> bytes:
    """Return lines as sha256sum writes them: one with escapes begins with a backslash.

    Args:
        digests: SHA-256 by path.
    """
    lines = []
    for name, digest in digests.items():
        escaped = name.replace("\\", r"\\").replace("\n", r"\n").replace("\r", r"\r")
        mark = "" if escaped == name else "\\"
        lines.append(f"{mark}{digest}  {escaped}\n")
    return os.fsencode("".join(lines))


def _parse(lines: bytes) -> dict[str, str]:
    """Return the digest in each line by the name in it, both as they are written."""
    pairs = (line.partition("  ") for line in os.fsdecode(lines).split("\n")[:-1])
    return {name: digest for digest, _, name in pairs}
