"""The work folder: what one step of an upload's run leaves for the next.

Only bytes by upload id and name, private, and gone when the upload is finished.
What they hold is the business of whoever writes them.
"""

import contextlib
import io
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cvms_pipeline.domain import upload
from cvms_pipeline.files import disk, faults

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}")


@dataclass(frozen=True, slots=True)
class Work:
    """The folder `root`: `<upload id>/<name>`."""

    root: Path

    def path(self, upload_id: str, name: str) -> Path:
        """Return where `name` of the upload is or would be.

        Raises:
            UnsafeName: If one of them may not become part of a path.
        """
        if not _NAME.fullmatch(name):
            raise disk.UnsafeName("that is no name for a file of ours")
        return self.root / disk.checked_id(upload_id) / name

    def write(self, upload_id: str, name: str, data: disk.Data) -> None:
        """Keep `data`, in place of what was kept under that name."""
        with faults.translated(self.root):
            disk.write(self.path(upload_id, name), data)

    def has(self, upload_id: str, name: str) -> bool:
        """Return whether something is kept under that name."""
        with faults.translated(self.root):
            return self.path(upload_id, name).exists()

    @contextlib.contextmanager
    def opened(self, upload_id: str, name: str) -> Iterator[io.BufferedIOBase | None]:
        """Open what is kept, to be read; yield None if nothing is."""
        with faults.translated(self.root), contextlib.ExitStack() as closing:
            file = None
            with contextlib.suppress(FileNotFoundError):
                file = closing.enter_context(self.path(upload_id, name).open("rb"))
            yield file

    def remove(self, upload_id: str) -> None:
        """Remove everything kept for the upload, if there is anything."""
        with faults.translated(self.root):
            folder = self.root / disk.checked_id(upload_id)
            if folder.exists():
                shutil.rmtree(folder)
                disk.sync_folder(self.root)

    def ids(self) -> list[str]:
        """Return the uploads for which something is kept, sorted."""
        with faults.translated(self.root):
            kept = [each.name for each in self.root.glob("*")]
        return sorted(filter(upload.is_id, kept))
