"""What has lain in our folders for long: ids by month, and by last change.

Whether it may go, the store knows; here it is only found, and what lies in
quarantine removed, for which there is no other module.
"""

import datetime as dt
import shutil
from pathlib import Path

from cvms_pipeline.domain import upload
from cvms_pipeline.files import claims, disk, faults, incoming, work


def on_shelves(root: Path, *, until: dt.datetime) -> list[str]:
    """Return the ids on the shelves under `root` up to the month of `until`.

    The shelves are those of `disk.shelf`: archive and reports.
    """
    last = f"{until:%Y%m}"
    with faults.translated(root):
        months = [m for m in root.glob("[0-9]" * 6) if m.name <= last]
        found = [each.name for month in months for each in month.iterdir()]
    return sorted(filter(upload.is_id, found))


def in_quarantine(folders: incoming.Folders) -> list[str]:
    """Return the ids of the uploads whose originals are in quarantine, sorted."""
    with faults.translated(folders.root):
        found = [each.name for each in folders.quarantine.glob("*")]
    return sorted(filter(upload.is_id, found))


def remove_quarantined(folders: incoming.Folders, upload_id: str) -> None:
    """Remove what is in quarantine for the upload; no link in it is followed."""
    with faults.translated(folders.root):
        folder = claims.quarantined(folders, upload_id).parent
        if folder.exists():
            shutil.rmtree(folder)
            disk.sync_folder(folder.parent)


def untouched(kept: work.Work, *, before: dt.datetime) -> list[str]:
    """Return the uploads in whose work folder nothing has changed since `before`."""
    with faults.translated(kept.root):
        return [
            upload_id
            for upload_id in kept.ids()
            if _changed_at(kept.root / upload_id) < before.timestamp()
        ]


def _changed_at(folder: Path) -> float:
    """Return when a folder or a file in it was last changed, in Unix seconds."""
    return max(each.stat().st_mtime for each in (folder, *folder.iterdir()))
