"""Notes in a provider's `results` about its files that are not taken in.

    <incoming>/<provider>/results/<file>-not-taken-<key>.txt    the note
    <incoming>/.notes/<provider>/<the same name>                that it was written

There is one note for a file, also if the provider removes the note; when the file is
gone, both are removed.  The words are `mail.advice`.  A provider may do in its results
what it likes: a note that cannot be written is tried again later.
"""

import contextlib
import datetime as dt
import hashlib
import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cvms_pipeline import disk
from cvms_pipeline.domain.text import display
from cvms_pipeline.domain.vocabulary import upload
from cvms_pipeline.files import access, incoming, names

_MAX_STRAYS = 100
"""How many files of a provider get a note: somebody may have copied a whole disk."""

_MAX_DEPTH = 3
"""How many levels of folders are searched below a provider's folder."""

_GROUP_FILE = 0o640


@dataclass(frozen=True, slots=True, kw_only=True)
class Stray:
    """A file in a provider's folder that is not taken in.

    Attributes:
        slug: The name of the provider's folder.
        place: The folder in it, fit to be shown, with slashes; "" for none.
        file_name: The name of the file, fit to be shown.
        kind: What its name tells.
        is_in_lane: Whether only its name prevents that it is taken in.
        changed_at: When it was last changed or moved.
        note: The name of its note.
    """

    slug: str
    place: str
    file_name: str
    kind: names.NameKind
    is_in_lane: bool
    changed_at: dt.datetime
    note: str


def find_strays(
    folders: incoming.Folders, *, waiting_since: dt.datetime
) -> Iterator[Stray]:
    """Yield the files in providers' folders that are not taken in, at most 100 each.

    Of the files that are where they belong, those that have waited since then.  Folders
    that cannot be read, links and everything else that is no file are passed over, and
    so is what the system makes by itself.

    Raises:
        FolderAway, FolderForbidden: The incoming folder cannot be read.
    """
    with (
        access.translate_errors(folders.root),
        disk.open_folder(folders.root, follow=True) as root,
    ):
        for slug in filter(upload.is_slug, disk.list_names(root)):
            found = _walk(slug, root, (), waiting_since.timestamp())
            yield from itertools.islice(found, _MAX_STRAYS)


def update_notes(
    folders: incoming.Folders,
    slug: str,
    strays: list[Stray],
    write: Callable[[Stray], str | None],
) -> None:
    """Write the notes of a provider that are missing, and remove those of files gone.

    `write` returns the text of a note, or None if it is not due yet.
    """
    recorded = folders.notes / slug
    with access.translate_errors(folders.notes):
        is_known = recorded.is_dir()
        known = {each.name for each in recorded.iterdir()} if is_known else set()
    present = {each.note for each in strays}
    for each in strays:
        text = None if each.note in known else write(each)
        if text is not None and _write(folders, each, text):
            with access.translate_errors(folders.notes):
                disk.write(recorded / each.note, b"")
    for note in known - present:
        _remove(folders, slug, note)
        with access.translate_errors(folders.notes):
            disk.remove(recorded / note)


def list_noted(folders: incoming.Folders) -> list[str]:
    """Return the slugs of the providers for which notes were written."""
    with access.translate_errors(folders.notes):
        if not folders.notes.is_dir():
            return []
        return sorted(each.name for each in folders.notes.iterdir())


def _walk(
    folder: str, parent: int, above: tuple[str, ...], waiting_since: float
) -> Iterator[Stray]:
    """Yield the strays in a folder; `above` are the names of the folders around it."""
    path = (*above, folder)
    with (
        contextlib.suppress(OSError),
        disk.open_folder(folder, dir_fd=parent) as opened,
    ):
        lane = incoming.find_lane(folder) if len(path) == 2 else None
        for name in disk.list_names(opened):
            try:
                status = os.stat(name, dir_fd=opened, follow_symlinks=False)
            except FileNotFoundError:
                continue  # removed since
            what = incoming.get_kind(status)
            kind = names.find_kind(name)
            is_waiting = (
                kind is names.NameKind.UPLOAD and status.st_ctime <= waiting_since
            )
            if what is incoming.Kind.FILE and (
                _is_stray(kind, is_in_lane=bool(lane)) or (lane and is_waiting)
            ):
                yield _make_stray(path, name, bool(lane), status)
            elif what is incoming.Kind.FOLDER and _is_searched((*path, name)):
                yield from _walk(name, opened, path, waiting_since)


def _is_stray(kind: names.NameKind, *, is_in_lane: bool) -> bool:
    if is_in_lane:
        return kind.is_explained
    return kind not in (names.NameKind.SYSTEM, names.NameKind.HIDDEN)


def _is_searched(path: tuple[str, ...]) -> bool:
    """Return whether the files in a folder get notes; in a lane, that is an upload."""
    if len(path) > _MAX_DEPTH + 1 or not names.may_be_upload(path[-1]):
        return False
    is_results = len(path) == 2 and path[1] == incoming.RESULTS
    is_in_lane = len(path) > 2 and incoming.find_lane(path[1]) is not None
    return not (is_results or is_in_lane)


def _make_stray(
    path: tuple[str, ...], name: str, is_in_lane: bool, status: os.stat_result
) -> Stray:
    identity = (*path, name, str(status.st_dev), str(status.st_ino))
    key = hashlib.sha256(os.fsencode("/".join(identity))).hexdigest()[:8]
    slug, *inner = path
    return Stray(
        slug=slug,
        place=display.escape_hidden("/".join(inner)),
        file_name=display.escape_hidden(name),
        kind=names.find_kind(name),
        is_in_lane=is_in_lane,
        changed_at=dt.datetime.fromtimestamp(status.st_ctime, dt.UTC),
        note=f"{names.make_safe_stem(name)}-not-taken-{key}.txt",
    )


def _write(folders: incoming.Folders, stray: Stray, text: str) -> bool:
    """Write a note into the results; return False where that is not possible."""
    mode = _GROUP_FILE if folders.group else disk.PRIVATE_FILE_MODE
    with contextlib.suppress(OSError), _open_results(folders, stray.slug) as results:
        temporary = disk.make_temporary_name(stray.note)
        disk.write_new(temporary, text.encode("utf-8"), dir_fd=results, mode=mode)
        os.rename(temporary, stray.note, src_dir_fd=results, dst_dir_fd=results)
        disk.sync_folder(results)
        return True
    return False


def _remove(folders: incoming.Folders, slug: str, note: str) -> None:
    with contextlib.suppress(OSError), _open_results(folders, slug) as results:
        os.unlink(note, dir_fd=results)


def _open_results(
    folders: incoming.Folders, slug: str
) -> contextlib.AbstractContextManager[int]:
    return disk.open_inside(folders.root, slug, incoming.RESULTS)
