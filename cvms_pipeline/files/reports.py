"""Error reports: kept with us, and published with a receipt beside the drop.

Only bytes and where they go; what they say is `domain.report` and
`notify.messages`.  A results folder belongs to the provider, who may have put
anything there, so nothing in it is followed.
"""

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cvms_pipeline import errors
from cvms_pipeline.domain import upload
from cvms_pipeline.files import disk, faults, incoming, names, providers

REPORT = "BulkError.csv"
RECEIPT = "receipt.txt"

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_FOLDER_FOR_GROUP = 0o2750
_FILE_FOR_GROUP = 0o640


class ReportMissing(errors.PermanentError):
    """There is no error report for the upload."""


class ResultsForbidden(errors.PermanentError):
    """A provider's results folder is a link or no folder."""


@dataclass(frozen=True, slots=True)
class Reports:
    """The folder `root`: `<year and month>/<upload id>/BulkError.csv`."""

    root: Path

    def path(self, upload_id: str) -> Path:
        """Return where the upload's error report is or would be."""
        return disk.shelf(self.root, upload_id) / REPORT

    def write(self, upload_id: str, data: bytes) -> None:
        """Keep the upload's error report, in place of an earlier one."""
        with faults.translated(self.root):
            disk.write(self.path(upload_id), data)

    def read(self, upload_id: str) -> bytes:
        """Return the upload's error report.

        Raises:
            ReportMissing: If there is none.
        """
        with faults.translated(self.root):
            try:
                return self.path(upload_id).read_bytes()
            except FileNotFoundError:
                pass
        raise ReportMissing(f"There is no error report for the upload {upload_id}")

    def remove(self, upload_id: str) -> None:
        """Remove the upload's error report, if there is one."""
        with faults.translated(self.root):
            path = self.path(upload_id)
            disk.remove(path)
            disk.remove_if_empty(path.parent)
            disk.remove_if_empty(path.parent.parent)


def results_name(file_name: str, upload_id: str) -> str:
    """Return the name of the folder that `publish` makes in `results`."""
    return f"{names.safe_stem(file_name)}-{disk.checked_id(upload_id)}"


def publish(
    folders: incoming.Folders,
    *,
    slug: str,
    upload_id: str,
    file_name: str,
    report: bytes | None,
    receipt: str,
) -> Path:
    """Put the receipt, and the error report if any, into the provider's results.

    The folder appears whole.  Publishing again brings it to what is given; a file
    that the provider changed there is kept beside it as `...-earlier`.

    Raises:
        ProviderFolderMissing: If the provider has no folder.
        ResultsForbidden: If `results` is a link or no folder.
    """
    name = results_name(file_name, upload_id)
    content = {RECEIPT: receipt.encode("utf-8")}
    if report is not None:
        content[REPORT] = report
    mode = _FILE_FOR_GROUP if folders.group else disk.PRIVATE_FILE
    with (
        faults.translated(folders.root / slug),
        _opened_results(folders, slug) as results,
    ):
        if not _publish_whole(results, name, content, mode):
            _bring_up_to_date(results, name, content, mode)
        disk.sync_folder(results)
    return folders.root / slug / incoming.RESULTS / name


@contextlib.contextmanager
def _opened_results(folders: incoming.Folders, slug: str) -> Iterator[int]:
    provider = folders.root / slug
    if not upload.is_slug(slug) or not provider.is_dir():
        raise providers.ProviderFolderMissing(
            f"There is no folder {provider}. Make it with `cvms providers add`."
        )
    if not os.path.lexists(provider / incoming.RESULTS):
        providers.make_provider(folders, slug)
    with disk.opened_folder(folders.root, follow=True) as root:
        try:
            outer = os.open(slug, _FOLDER, dir_fd=root)
            try:
                inner = os.open(incoming.RESULTS, _FOLDER, dir_fd=outer)
            finally:
                os.close(outer)
        except OSError as error:
            if error.errno not in (errno.ELOOP, errno.ENOTDIR):
                raise
            raise ResultsForbidden(
                f"{provider / incoming.RESULTS} is a link or no folder. Remove it;"
                " a folder is made in its place."
            ) from None
    try:
        yield inner
    finally:
        os.close(inner)


def _publish_whole(
    results: int, name: str, content: Mapping[str, bytes], mode: int
) -> bool:
    """Make the folder `name` with its content at once; False if there is one."""
    _clear_the_way(results, name)
    temporary = disk.temporary_name(name)
    os.mkdir(temporary, disk.PRIVATE_FOLDER, dir_fd=results)
    with disk.opened_folder(temporary, dir_fd=results) as folder:
        for file_name, data in content.items():
            disk.write_new(file_name, data, dir_fd=folder, mode=mode)
        if mode != disk.PRIVATE_FILE:
            os.fchmod(folder, _FOLDER_FOR_GROUP)
        disk.sync_folder(folder)
    try:
        _rename(results, temporary, name)
    except OSError as error:
        shutil.rmtree(temporary, dir_fd=results)
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        return False
    return True


def _clear_the_way(results: int, name: str) -> None:
    """Remove what a crash left, and put aside what is called `name` but no folder."""
    for left in os.listdir(results):
        if left.startswith(f".{name}.") and left.endswith(".tmp"):
            shutil.rmtree(left, ignore_errors=True, dir_fd=results)
    with contextlib.suppress(FileNotFoundError):
        stat = os.stat(name, dir_fd=results, follow_symlinks=False)
        if incoming.kind_of(stat) is not incoming.Kind.FOLDER:
            _rename(results, name, f"{name}-earlier")


def _bring_up_to_date(
    results: int, name: str, content: Mapping[str, bytes], mode: int
) -> None:
    with disk.opened_folder(name, dir_fd=results) as folder:
        for file_name in (RECEIPT, REPORT):
            data = content.get(file_name)
            is_there = _is_there(folder, file_name)
            if is_there and _read(folder, file_name, data) == data:
                continue
            if is_there:
                stem, _, end = file_name.partition(".")
                _rename(folder, file_name, f"{stem}-earlier.{end}")
            if data is not None:
                temporary = disk.temporary_name(file_name)
                disk.write_new(temporary, data, dir_fd=folder, mode=mode)
                _rename(folder, temporary, file_name)
        disk.sync_folder(folder)


def _is_there(folder: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _read(folder: int, name: str, expected: bytes | None) -> bytes | None:
    """Return as much of a regular file as tells it from `expected`."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    stat = os.stat(name, dir_fd=folder, follow_symlinks=False)
    if expected is None or incoming.kind_of(stat) is not incoming.Kind.FILE:
        return b""
    with os.fdopen(os.open(name, flags, dir_fd=folder), "rb") as file:
        return file.read(len(expected) + 1)


def _rename(folder: int, name: str, new_name: str) -> None:
    os.rename(name, new_name, src_dir_fd=folder, dst_dir_fd=folder)
