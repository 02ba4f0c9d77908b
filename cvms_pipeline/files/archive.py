"""The archive: the bytes of every upload as they were received, unchangeable.

Only bytes by upload id.  What they mean is `domain`, whose they are is `store`.
"""

from dataclasses import dataclass
from pathlib import Path

from cvms_pipeline import errors
from cvms_pipeline.files import disk, faults

_READ_ONLY = 0o400


class ArchiveMissing(errors.PermanentError):
    """The archive does not hold the upload."""


class ArchiveDiffers(errors.PermanentError):
    """The archive holds other bytes for the upload."""


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

    def read(self, upload_id: str) -> bytes:
        """Return the upload's bytes.

        Raises:
            ArchiveMissing: If they are not there.
        """
        with faults.translated(self.root):
            try:
                return self.path(upload_id).read_bytes()
            except FileNotFoundError:
                pass
        raise ArchiveMissing(f"{self.root} does not hold the upload {upload_id}")

    def remove(self, upload_id: str) -> None:
        """Remove the upload's bytes, if they are there."""
        with faults.translated(self.root):
            path = self.path(upload_id)
            disk.remove(path)
            disk.remove_if_empty(path.parent)
