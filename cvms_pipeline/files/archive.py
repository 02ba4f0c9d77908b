"""What is kept of each upload: its received bytes, its error report, work in progress.

The archive holds the bytes of every upload, never changed; the work folder holds what
one step of a run keeps for the next, until the upload is finished.  Only bytes by
upload id: `domain` reads and renders them, and `store` records their upload.
"""

import contextlib
import io
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cvms_pipeline import disk, errors
from cvms_pipeline.domain.vocabulary import faults, upload
from cvms_pipeline.files import access, names, settling

CASES = "cases"
"""The folder in the archive with the files of cases, which are kept in the same way."""

_MARK = ".removed"
_READ_ONLY = 0o400
_WORK_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}")
_EARLIER = "BulkError-earlier.csv"


class ArchiveMissing(errors.PermanentError):
    """The archive does not hold the upload."""


class ArchiveDiffers(errors.PermanentError):
    """The archive holds other bytes for the upload."""


class ArchiveDamaged(errors.PermanentError):
    """The archived bytes of the upload are not those that were received."""


class ReportMissing(errors.PermanentError):
    """There is no error report for the upload."""


@dataclass(frozen=True, slots=True)
class Archive:
    """The folder `root`: `<year and month>/<upload id>`, one file an upload."""

    root: Path

    def open_cases(self) -> Self:
        """Return the archive of the files of cases; their ids have the same form."""
        return type(self)(self.root / CASES)

    def path(self, upload_id: str) -> Path:
        """Return where the upload's bytes are or would be."""
        return names.upload_path(self.root, upload_id)

    def has(self, upload_id: str) -> bool:
        """Return whether the upload's bytes are there; if so, they are complete."""
        with access.translate_errors(self.root):
            return self.path(upload_id).exists()

    def write(self, upload_id: str, data: bytes) -> None:
        """Keep `data`; writing the same bytes again changes nothing.

        Raises:
            ArchiveDiffers: If other bytes are kept for this upload.
        """
        with access.translate_errors(self.root):
            path = self.path(upload_id)
            if not path.exists():
                disk.write(path, data, mode=_READ_ONLY)
            elif path.read_bytes() != data:
                raise ArchiveDiffers(faults.ARCHIVE_CHANGED.describe(place=path))

    def read(self, upload_id: str, *, sha256: str | None = None) -> bytes:
        """Return the upload's bytes.

        Args:
            upload_id: The upload.
            sha256: The digest of the bytes when they were received, if it is known.

        Raises:
            ArchiveMissing: If they are not there.
            ArchiveDamaged: If their digest is another one.
        """
        path = self.path(upload_id)
        if not self.has(upload_id):
            raise ArchiveMissing(faults.ARCHIVE_MISSING.describe(place=path))
        with access.translate_errors(self.root):
            data = path.read_bytes()
        if sha256 is not None and upload.compute_sha256(data) != sha256:
            raise ArchiveDamaged(faults.ARCHIVE_CHANGED.describe(place=path))
        return data

    def is_cut(self, upload_id: str) -> bool:
        """Return whether the last line of the bytes has no line break; others have."""
        with access.translate_errors(self.root):
            try:
                with self.path(upload_id).open("rb") as file:
                    return settling.find_ending(file) is settling.Ending.CUT
            except FileNotFoundError:
                return False

    def remove(self, upload_id: str, *, is_marked: bool = False) -> None:
        """Remove the upload's bytes, if they are there.

        With `is_marked`, a mark beside them says so until `remove_marks`; it is there
        before they are removed, and not if they cannot be.
        """
        with access.translate_errors(self.root):
            path = self.path(upload_id)
            mark = _get_mark(path)
            if is_marked:
                disk.write(mark, b"")
            try:
                disk.remove(path)
            except OSError:
                disk.remove(mark)
                raise
            disk.remove_if_empty(path.parent)

    def list_marked(self) -> list[str]:
        """Return the uploads that have a mark, sorted."""
        with access.translate_errors(self.root):
            marks = self.root.glob("[0-9]" * 6 + f"/*{_MARK}")
            return sorted(filter(upload.is_id, (mark.stem for mark in marks)))

    def remove_marks(self, upload_ids: Iterable[str]) -> None:
        """Remove the marks of uploads."""
        with access.translate_errors(self.root):
            for upload_id in upload_ids:
                path = self.path(upload_id)
                disk.remove(_get_mark(path))
                disk.remove_if_empty(path.parent)


def _get_mark(path: Path) -> Path:
    return path.with_name(path.name + _MARK)


@dataclass(frozen=True, slots=True)
class Work:
    """The folder `root`: `<upload id>/<name>`."""

    root: Path

    def path(self, upload_id: str, name: str) -> Path:
        """Return where `name` of the upload is or would be.

        Raises:
            UnsafeName: If one of them may not become part of a path.
        """
        if not _WORK_NAME.fullmatch(name):
            raise names.UnsafeName("this is no name for a file in the work folder")
        return self.root / names.check_id(upload_id) / name

    def write(self, upload_id: str, name: str, data: disk.Data) -> None:
        """Keep `data`; it replaces what was kept under that name."""
        with access.translate_errors(self.root):
            disk.write(self.path(upload_id, name), data)

    @contextlib.contextmanager
    def opened(self, upload_id: str, name: str) -> Iterator[io.BufferedIOBase | None]:
        """Open what is kept for reading; yield None if there is nothing."""
        with access.translate_errors(self.root), contextlib.ExitStack() as closing:
            file = None
            with contextlib.suppress(FileNotFoundError):
                file = closing.enter_context(self.path(upload_id, name).open("rb"))
            yield file

    def remove(self, upload_id: str) -> None:
        """Remove everything that is kept for the upload, if there is anything."""
        with access.translate_errors(self.root):
            folder = self.root / names.check_id(upload_id)
            if folder.exists():
                shutil.rmtree(folder)
                disk.sync_folder(self.root)

    def list_ids(self) -> list[str]:
        """Return the ids of the uploads for which something is kept, sorted."""
        with access.translate_errors(self.root):
            kept = [each.name for each in self.root.glob("*")]
        return sorted(filter(upload.is_id, kept))


@dataclass(frozen=True, slots=True)
class Reports:
    """The folder `root`: `<year and month>/<upload id>/BulkError.csv`."""

    root: Path

    def path(self, upload_id: str) -> Path:
        """Return where the upload's error report is or would be."""
        return names.upload_path(self.root, upload_id) / upload.REPORT_NAME

    def write(self, upload_id: str, data: bytes) -> None:
        """Keep the upload's error report; one that it replaces is kept beside it."""
        with access.translate_errors(self.root):
            path = self.path(upload_id)
            with contextlib.suppress(FileNotFoundError):
                earlier = path.read_bytes()
                if earlier != data:
                    disk.write(path.with_name(_EARLIER), earlier)
            disk.write(path, data)

    def has_written(self, upload_id: str, data: bytes) -> bool:
        """Return whether `data` is, or was, the error report that was written."""
        path = self.path(upload_id)
        with access.translate_errors(self.root):
            return any(
                each.exists() and each.read_bytes() == data
                for each in (path, path.with_name(_EARLIER))
            )

    def read(self, upload_id: str) -> bytes:
        """Return the upload's error report.

        Raises:
            ReportMissing: If there is none.
        """
        with access.translate_errors(self.root):
            try:
                return self.path(upload_id).read_bytes()
            except FileNotFoundError:
                pass
        raise ReportMissing(f"There is no error report for the upload {upload_id}")

    def remove(self, upload_id: str) -> None:
        """Remove the upload's error report, if there is one."""
        with access.translate_errors(self.root):
            path = self.path(upload_id)
            disk.remove(path)
            disk.remove(path.with_name(_EARLIER))
            disk.remove_if_empty(path.parent)
            disk.remove_if_empty(path.parent.parent)
