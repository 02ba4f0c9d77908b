"""Removing what is in quarantine, also where a provider has closed a folder to us.

    <incoming>/.quarantine/<upload id>/         to be removed
    <incoming>/.quarantine/.not-removed/        what could not be removed, set aside

When an upload's files are removed is decided in `retention`, which records it between
`empty` and `remove_emptied`; how they came here is in `files.claims`.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

from cvms_pipeline import disk
from cvms_pipeline.files import access, incoming, names


def get_closed_folder(folders: incoming.Folders) -> Path:
    """Return the folder of what cannot be removed."""
    return folders.quarantine / ".not-removed"


def empty(folders: incoming.Folders, upload_id: str) -> bool:
    """Remove the quarantined files of an upload; no link in them is followed.

    Return False if one of them is in a folder that only another user may change; all
    others are removed.
    """
    with access.translate_errors(folders.root):
        for path in _get_folder(folders, upload_id).iterdir():
            if path.is_symlink() or not path.is_dir():
                path.unlink()
                continue
            shutil.rmtree(path, ignore_errors=True)  # as much of it as possible
            if path.exists():
                try:
                    shutil.rmtree(path)
                except PermissionError:
                    return False
    return True


def remove_emptied(folders: incoming.Folders, upload_ids: Sequence[str]) -> None:
    """Remove the folders of uploads that `empty` has emptied."""
    with access.translate_errors(folders.root):
        for upload_id in upload_ids:
            _get_folder(folders, upload_id).rmdir()
        disk.sync_folder(folders.quarantine)


def set_aside(folders: incoming.Folders, upload_ids: Sequence[str]) -> None:
    """Move what cannot be removed to where nothing tries again."""
    closed = get_closed_folder(folders)
    with access.translate_errors(folders.root):
        disk.make_folder(closed)
        for upload_id in upload_ids:
            _get_folder(folders, upload_id).rename(closed / upload_id)
        disk.sync_folder(closed)
        disk.sync_folder(folders.quarantine)


def _get_folder(folders: incoming.Folders, upload_id: str) -> Path:
    return folders.quarantine / names.check_id(upload_id)
