"""Error reports that a provider has corrected where they are, in its `results`.

    <incoming>/<provider>/results/<file>-<upload id>/BulkError.csv

Such a report is found when its bytes are not those that we wrote; it is then claimed
like a file in a lane (`claims`), and our own copy is put back (`put_back`).
A provider may do in its results what it likes: what cannot be read is passed over.
"""

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cvms_pipeline import disk, errors
from cvms_pipeline.domain.text import display
from cvms_pipeline.domain.vocabulary import upload
from cvms_pipeline.files import access, archive, incoming, reports, settling

_MAX_REPORTS = 200
"""How many reports of a provider are inspected: the latest ones."""

_NAME = re.compile(r".*-(\d{8}-\d{6}-[a-z0-9]{8})", re.DOTALL)
_LOCKS = frozenset(f(upload.REPORT_NAME) for f in (".~lock.{}#".format, "~${}".format))
_LOCK_SECONDS = 600
"""How long the lock file of a program that shows the report is respected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _CorrectedReport:
    """A report that is not, or no longer, the one that we wrote.

    Attributes:
        entry: Where it is; `lane` is None, because its place does not show that.
        data: Its bytes; None if it is larger than a file that is read.
    """

    entry: incoming.Entry
    data: bytes | None


def find_corrected(
    folders: incoming.Folders, kept: archive.Reports, *, check: settling.SettleCheck
) -> Iterator[_CorrectedReport]:
    """Yield the corrected reports of all providers, settled or not.

    Args:
        folders: The incoming folder.
        kept: Our own copies; a report without one is passed over.
        check: Tells whether a file is settled.

    Raises:
        FolderAway, FolderForbidden: The incoming folder or ours cannot be read.
    """
    with (
        access.translate_errors(folders.root),
        disk.open_folder(folders.root, follow=True) as root,
    ):
        providers = list(filter(upload.is_slug, disk.list_names(root)))
    for slug in providers:
        if (folders.root / slug).is_symlink():
            continue
        results = folders.root / slug / incoming.RESULTS
        for name, upload_id in _list_latest(results):
            with contextlib.suppress(OSError):
                found = _inspect(folders, results / name, kept, upload_id, check)
                if found is not None:
                    yield found


def put_back(folders: incoming.Folders, *, slug: str, name: str, report: bytes) -> None:
    """Put an error report back into the folder `name` of the provider's results.

    What the provider has put there meanwhile stays, and nothing that it has done there
    is an error: then there is nothing to put back.

    Raises:
        DiskFull: It can be put back later.
    """
    mode = reports.GROUP_FILE if folders.group else disk.PRIVATE_FILE_MODE
    try:
        with (
            access.translate_errors(folders.root / slug),
            reports.opened_results(folders, slug) as results,
            disk.open_folder(name, dir_fd=results) as folder,
        ):
            reports.remove_leftovers(folder, upload.REPORT_NAME)
            temporary = disk.make_temporary_name(upload.REPORT_NAME)
            disk.write_new(temporary, report, dir_fd=folder, mode=mode)
            try:
                if upload.REPORT_NAME not in disk.list_names(folder):
                    os.rename(
                        temporary,
                        upload.REPORT_NAME,
                        src_dir_fd=folder,
                        dst_dir_fd=folder,
                    )
            finally:
                reports.remove_leftovers(folder, upload.REPORT_NAME)
            disk.sync_folder(folder)
    except access.DiskFull:
        raise
    except errors.CvmsError:
        return


def find_upload_id(results_folder: str) -> str | None:
    """Return the id of the upload whose results are in a folder called so, or None."""
    match = _NAME.fullmatch(results_folder)
    return None if match is None else match[1]


def _list_latest(results: Path) -> list[tuple[str, str]]:
    """Return the latest folders of a results folder, each with the upload's id."""
    found = []
    with (
        contextlib.suppress(OSError),
        disk.open_folder(results) as opened,
        os.scandir(opened) as entries,
    ):
        for entry in entries:
            upload_id = find_upload_id(entry.name)
            if upload_id is not None and entry.is_dir(follow_symlinks=False):
                found.append((entry.name, upload_id))
    return sorted(found, key=lambda each: each[1], reverse=True)[:_MAX_REPORTS]


def _inspect(
    folders: incoming.Folders,
    folder: Path,
    kept: archive.Reports,
    upload_id: str,
    check: settling.SettleCheck,
) -> _CorrectedReport | None:
    """Return the report in `folder` if its provider has changed it."""
    ours = kept.path(upload_id).stat()
    with disk.open_folder(folder) as opened:
        status = os.stat(upload.REPORT_NAME, dir_fd=opened, follow_symlinks=False)
        is_same = (status.st_size, status.st_mtime_ns) == (
            ours.st_size,
            ours.st_mtime_ns,
        )
        if is_same or incoming.get_kind(status) is not incoming.Kind.FILE:
            return None
        data = None
        if status.st_size <= folders.max_bytes:
            data = _read(opened, folders.max_bytes)
            if kept.has_written(upload_id, data):
                _stamp(opened, ours.st_mtime_ns)
                return None
        seconds_left = check.seconds_left(upload.REPORT_NAME, dir_fd=opened)
        age = check.now_ns / 1e9 - status.st_mtime
        if age < _LOCK_SECONDS and not _LOCKS.isdisjoint(disk.list_names(opened)):
            return None  # a program still shows it, and may save it again
    entry = incoming.make_entry(
        folder / upload.REPORT_NAME,
        display.escape_hidden(folder.parent.parent.name),
        status,
        None,
        seconds_left,
    )
    return _CorrectedReport(entry=entry, data=data)


def _read(folder: int, max_bytes: int) -> bytes:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    descriptor = os.open(upload.REPORT_NAME, flags, dir_fd=folder)
    with os.fdopen(descriptor, "rb") as file:
        return file.read(max_bytes + 1)


def _stamp(folder: int, time_ns: int) -> None:
    """Give our report the time of our own copy, so that it need not be read again."""
    with contextlib.suppress(OSError):
        os.utime(
            upload.REPORT_NAME,
            ns=(time_ns, time_ns),
            dir_fd=folder,
            follow_symlinks=False,
        )
