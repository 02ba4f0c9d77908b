"""Messages into a Maildir, so that a newcomer can read every one.

The same Message-ID delivered again leaves one message.
"""

import datetime as dt
import errno
import hashlib
import os
from pathlib import Path
from typing import Self

from cvms_pipeline.notify import delivery, emails, messages


class MaildirMailer:
    """Writes messages to the Maildir `folder`, which is made when it is needed."""

    repeats_are_one = True

    def __init__(self, folder: Path) -> None:
        """Take the folder; nothing is written yet."""
        self._folder = folder
        self._read = _Read(folder / "cur")

    def send(self, message: messages.Message, *, at: dt.datetime) -> delivery.Delivery:
        """Put `message` into the Maildir, unless it is there.

        Raises:
            MailServerAway: If the folder cannot be written.
        """
        digest = hashlib.sha256(message.message_id.encode("utf-8", "replace"))
        name = f"{digest.hexdigest()[:40]}.cvms"
        data = emails.to_bytes(message, at)
        try:
            self._deliver(name, data, at)
        except OSError as error:
            what = errno.errorcode.get(error.errno or 0, "unknown error")
        else:
            return delivery.Delivery()
        raise delivery.MailServerAway(
            f"{self._folder} cannot be written ({what}). Check its permissions and"
            " the space left, or set CVMS_SMTP_URL."
        )

    def is_there(self) -> bool:
        """Return whether the folder, or what it will lie in, can be written."""
        there = (
            each for each in (self._folder, *self._folder.parents) if each.exists()
        )
        return os.access(next(there), os.W_OK)

    def close(self) -> None:
        """Do nothing: no file is kept open."""

    def __enter__(self) -> Self:
        """Return the mailer itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Do nothing: no file is kept open."""

    def _deliver(self, name: str, data: bytes, at: dt.datetime) -> None:
        if not (self._folder / "new").is_dir():
            self._make()
        new = self._folder / "new" / name
        if new.exists() or self._read.holds(name):
            return
        temporary = self._folder / "tmp" / f"{name}.{os.getpid()}"
        temporary.unlink(missing_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data.replace(b"\r\n", b"\n"))
            file.flush()
            os.fsync(descriptor)
        os.utime(temporary, (at.timestamp(), at.timestamp()))
        temporary.replace(new)

    def _make(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for part in ("tmp", "cur", "new"):  # `new` last: then it is a Maildir
            (self._folder / part).mkdir(mode=0o700, exist_ok=True)


class _Read:
    """The messages that somebody has read: `name:2,S` in the Maildir's folder `cur`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names: frozenset[str] = frozenset()
        self._listed_at = -1  # the folder's time of change then, in nanoseconds

    def holds(self, name: str) -> bool:
        """Return whether the message is there; look anew only after a change."""
        changed_at = self._folder.stat().st_mtime_ns
        if changed_at != self._listed_at:
            names = (path.name for path in self._folder.iterdir())
            self._names = frozenset(name.partition(":")[0] for name in names)
            self._listed_at = changed_at
        return name in self._names
