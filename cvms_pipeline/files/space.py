"""How much room there is on the disk of a folder; nothing is read or written."""

import os
from dataclasses import dataclass
from pathlib import Path

from cvms_pipeline.files import faults


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """The room on the file system of one folder.

    Attributes:
        name: What the folder is for.
        free_bytes: What we may still write.
        size_bytes: What there is in all.
    """

    name: str
    free_bytes: int
    size_bytes: int

    @property
    def free_percent(self) -> float:
        """Return the free share, in percent; of what we may use."""
        return 100 * self.free_bytes / self.size_bytes if self.size_bytes else 0.0


def of(name: str, folder: Path) -> Space:
    """Return the room on the disk that `folder` is, or will be, on.

    Raises:
        FolderAway, FolderForbidden: It cannot be asked.
    """
    there = next(p for p in (folder, *folder.parents) if os.path.lexists(p))
    with faults.translated(folder):
        found = os.statvfs(there)
    used = (found.f_blocks - found.f_bfree) * found.f_frsize
    free = found.f_bavail * found.f_frsize  # without what is kept for root
    return Space(name=name, free_bytes=free, size_bytes=used + free)
