"""Writing messages to a Maildir, so that a newcomer can read every one.

A message that is delivered again, with the same Message-ID, is kept once.
"""

import datetime as dt
import errno
import hashlib
import os
from pathlib import Path

from cvms_pipeline import disk
from cvms_pipeline.domain.vocabulary import faults
from cvms_pipeline.mail import mailer, mime

INVITATIONS = "invitations"
"""The Maildir of the invitations, in the Maildir of all other messages."""


class MaildirMailer:
    """Writes messages to the Maildir `folder`, which is made when it is needed.

    Invitations are in a Maildir of their own inside, where they bury no notice.
    """

    is_idempotent = True
    is_slow = False

    def __init__(self, folder: Path) -> None:
        """Take the folder; nothing is written yet."""
        self._folder = folder
        self._boxes = _Box(folder), _Box(folder / INVITATIONS)

    def send(self, message: mime.Message, *, at: dt.datetime) -> mailer.Delivery:
        """Put `message` into the Maildir, unless it is there.

        Raises:
            MailServerAway: If the folder cannot be written.
        """
        data = mime.to_bytes(message, at).replace(b"\r\n", b"\n")
        box = self._boxes[message.is_invitation]
        try:
            box.deliver(_name_file(message.message_id), data, at)
        except OSError as error:
            what = errno.errorcode.get(error.errno or 0, "unknown error")
        else:
            return mailer.Delivery()
        raise mailer.MailServerAway(what, fault=faults.MAILDIR_AWAY)

    def find_file(self, message_id: str, *, is_invitation: bool) -> Path | None:
        """Return the file of a message that was sent, if it is there."""
        return self._boxes[is_invitation].find(_name_file(message_id))

    def is_reachable(self) -> bool:
        """Return whether the folder, or the one it will be made in, can be written."""
        folders = (self._folder, *self._folder.parents)
        return os.access(next(each for each in folders if each.exists()), os.W_OK)

    def close(self) -> None:
        """Do nothing: no file is kept open."""


def _name_file(message_id: str) -> str:
    digest = hashlib.sha256(message_id.encode("utf-8", "replace"))
    return f"{digest.hexdigest()[:40]}.cvms"


class _Box:
    """A Maildir: unread messages are in `new`, read ones in `cur` as `name:2,S`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[str, Path] = {}
        self._listed_at = -1  # the time of change of `cur` then, in nanoseconds

    def deliver(self, name: str, data: bytes, at: dt.datetime) -> None:
        """Write a message, unless it is there."""
        if not (self._folder / "new").is_dir():
            self._make_folders()
        if self.find(name) is not None:
            return
        with disk.write_beside(self._folder / "tmp" / name, data) as temporary:
            os.utime(temporary, (at.timestamp(), at.timestamp()))
            temporary.replace(self._folder / "new" / name)
        disk.sync_folder(self._folder / "new")

    def find(self, name: str) -> Path | None:
        """Return the message; `cur` is listed only after a change."""
        new, read = self._folder / "new" / name, self._folder / "cur"
        if new.exists():
            return new
        if not read.is_dir():
            return None
        changed_at = read.stat().st_mtime_ns
        if changed_at != self._listed_at:
            found = read.iterdir()
            self._read = {path.name.partition(":")[0]: path for path in found}
            self._listed_at = changed_at
        return self._read.get(name)

    def _make_folders(self) -> None:
        for part in ("tmp", "cur", "new"):  # `new` last: then it is a Maildir
            disk.make_folder(self._folder / part)
