"""The archive: the bytes of every upload as they were received, unchangeable.

Only bytes by upload id.  What they mean is `domain`, whose they are is `store`.
"""

import contextlib
from dataclasses import dataclass
from pathlib import Path

from cvms_pipeline import errors
from cvms_pipeline.domain import upload
from cvms_pipeline.files import disk, faults

_READ_ONLY = 0o400


class ArchiveMissing(errors.PermanentError):
    """The archive does not hold the upload."""


class ArchiveDiffers(errors.PermanentError):
    """The archive holds other bytes for the upload."""


class ArchiveDamaged(errors.PermanentError):
    """The archived bytes of the upload are not those that were received."""


@dataclass(frozen=True, slots=True)
class Archive:
    """The folder `root`: `<year and month>/<upload id>`, one file an upload."""

    root: Path

    def path(self, upload_id: str) -> Path:
        """Return where the upload's bytes are or would be."""
        return disk.shelf(self.root, upload_id)

    def has(self, upload_id: str) -> bool:
        """Return whether the upload's bytes are there; they are whole if they are."""
        with faults.translated(self.root):
            return self.path(upload_id).exists()

    def write(self, upload_id: str, data: bytes) -> None:
        """Keep `data`; the same bytes again change nothing.

        Raises:
            ArchiveDiffers: If other bytes are kept for this upload.
        """
        with faults.translated(self.root):
            path = self.path(upload_id)
            if not path.exists():
                disk.write(path, data, mode=_READ_ONLY)
            elif path.read_bytes() != data:
                raise ArchiveDiffers(f"The archive has other bytes for {upload_id}")

    def read(self, upload_id: str, *, sha256: str | None = None) -> bytes:
        """Return the upload's bytes.

        Args:
            upload_id: Whose.
            sha256: What their digest was when they were received, if it is known.

        Raises:
            ArchiveMissing: If they are not there.
            ArchiveDamaged: If they have another digest than `sha256`.
        """
        path = self.path(upload_id)
        data: bytes | None = None
        with faults.translated(self.root), contextlib.suppress(FileNotFoundError):
            data = path.read_bytes()
        if data is None:
            raise ArchiveMissing(f"{self.root} does not hold the upload {upload_id}")
        if sha256 is not None and upload.digest(data) != sha256:
            raise ArchiveDamaged(
                f"The archived bytes of {upload_id} are not those that were received."
                f" Bring {path} back from a backup, then run the upload again."
            )
        return data

    def remove(self, upload_id: str) -> None:
        """Remove the upload's bytes, if they are there."""
        with faults.translated(self.root):
            path = self.path(upload_id)
            disk.remove(path)
            disk.remove_if_empty(path.parent)
