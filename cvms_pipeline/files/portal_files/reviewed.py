"""Files that wait in the portal for their review to be decided.

    <data>/reviews/<id>/file          the bytes, until somebody decides
    <data>/reviews/<id>/creating      the same file, once somebody has
    <data>/reviews/<id>/facts.json    what it is, and what its review has shown

Only files by id, each private.  Of a review that was decided only the facts stay, for
as long as a file is kept that nobody decides about.
"""

import contextlib
import datetime as dt
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from cvms_pipeline import disk
from cvms_pipeline.files import access, names

KEPT = dt.timedelta(hours=24)
"""How long a file waits at most."""

_FILE, _CREATING, _FACTS = "file", "creating", "facts.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewedFile:
    """A file that is reviewed.

    Attributes:
        id: The id of the review, and of the upload that the file may become.
        file_name: As it was given; not to be trusted.
        provider: Whose file it is; `sent_by` is the account that has sent it.
        seen: The verdict that was shown of each line, by the line; empty before.
    """

    id: str
    file_name: str = field(repr=False)
    provider: str
    sent_by: str
    sha256: str
    begun_at: dt.datetime
    seen: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reviews:
    """The folder `root`."""

    root: Path

    def write(self, reviewed: ReviewedFile, data: bytes | None = None) -> None:
        """Keep the facts; with `data` the file, too, which is written first."""
        with access.translate_errors(self.root):
            folder = self.root / names.check_id(reviewed.id)
            if data is not None:
                disk.write(folder / _FILE, data)
            facts = asdict(reviewed) | {"begun_at": reviewed.begun_at.isoformat()}
            disk.write(folder / _FACTS, json.dumps(facts).encode())

    def find(self, review_id: str, *, now: dt.datetime) -> ReviewedFile | None:
        """Return the facts; None if there are none, or if they are too old."""
        with access.translate_errors(self.root):
            try:
                written = (self.root / names.check_id(review_id) / _FACTS).read_bytes()
            except (FileNotFoundError, names.UnsafeName):
                return None
        facts = json.loads(written)
        begun_at = dt.datetime.fromisoformat(facts["begun_at"])
        if now - begun_at >= KEPT:
            return None
        return ReviewedFile(**{**facts, "begun_at": begun_at})

    def read(self, review_id: str) -> bytes | None:
        """Return the bytes; None if they were removed."""
        with access.translate_errors(self.root):
            for name in (_FILE, _CREATING):
                with contextlib.suppress(FileNotFoundError):
                    return (self.root / names.check_id(review_id) / name).read_bytes()
        return None

    def take(self, review_id: str) -> bytes | None:
        """Return the bytes, so that the file can no longer be removed by `cancel`."""
        folder = self.root / names.check_id(review_id)
        with access.translate_errors(self.root):
            with contextlib.suppress(FileNotFoundError):
                (folder / _FILE).rename(folder / _CREATING)
                disk.sync_folder(folder)
            try:
                return (folder / _CREATING).read_bytes()
            except FileNotFoundError:
                return None

    def cancel(self, review_id: str) -> bool:
        """Remove file and facts; return False if the file was taken or is gone."""
        folder = self.root / names.check_id(review_id)
        with access.translate_errors(self.root):
            try:
                (folder / _FILE).rename(folder / disk.make_temporary_name(_FILE))
            except FileNotFoundError:
                return False
        self.remove(review_id)
        return True

    def remove_file(self, review_id: str) -> None:
        """Remove the file; the facts stay."""
        with access.translate_errors(self.root):
            folder = self.root / names.check_id(review_id)
            disk.remove(folder / _FILE)
            disk.remove(folder / _CREATING)

    def remove(self, review_id: str) -> None:
        """Remove file and facts."""
        with access.translate_errors(self.root):
            shutil.rmtree(self.root / names.check_id(review_id), ignore_errors=True)

    def list_waiting(self, *, now: dt.datetime) -> Iterator[ReviewedFile]:
        """Yield those with a file about which nobody has decided."""
        for review_id in self._list_ids():
            if (self.root / review_id / _FILE).exists():
                found = self.find(review_id, now=now)
                if found is not None:
                    yield found

    def list_expired(self, *, now: dt.datetime) -> list[str]:
        """Return the ids of those that are kept for too long, sorted."""
        before = (now - KEPT).timestamp()
        return [each for each in self._list_ids() if self._read_time(each) < before]

    def _list_ids(self) -> list[str]:
        with access.translate_errors(self.root):
            if not self.root.is_dir():
                return []
            return sorted(each.name for each in self.root.iterdir())

    def _read_time(self, review_id: str) -> float:
        """Return when the folder was last changed, in Unix seconds."""
        with contextlib.suppress(FileNotFoundError):
            return (self.root / review_id).stat().st_mtime
        return float("inf")
