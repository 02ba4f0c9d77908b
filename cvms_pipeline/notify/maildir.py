"""Messages into a Maildir, so that a newcomer can read every one.

The same Message-ID delivered again leaves one message.
"""

import contextlib
import datetime as dt
import errno
import hashlib
import os
from pathlib import Path
from typing import Self

from cvms_pipeline.notify import delivery, emails, messages


class MaildirMailer:
    """Writes messages to the Maildir `folder`, which is made when it is needed."""

    def __init__(self, folder: Path) -> None:
        """Take the folder; nothing is written yet."""
        self._folder = folder

    def send(self, message: messages.Message, *, at: dt.datetime) -> delivery.Delivery:
        """Put `message` into the Maildir, unless it is there.

        Raises:
            MailServerAway: If the folder cannot be written.
        """
        digest = hashlib.sha256(message.message_id.encode("utf-8", "replace"))
        name = f"{digest.hexdigest()[:40]}.cvms"
        data = emails.to_email(message, at).as_bytes()
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

    def close(self) -> None:
        """Do nothing: no file is kept open."""

    def __enter__(self) -> Self:
        """Return the mailer itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Do nothing: no file is kept open."""

    def _deliver(self, name: str, data: bytes, at: dt.datetime) -> None:
        for part in ("tmp", "cur", "new"):  # `new` last: then it is a Maildir
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            (self._folder / part).mkdir(mode=0o700, exist_ok=True)
        if self._holds(name):
            return
        temporary = self._folder / "tmp" / f"{name}.{os.getpid()}"
        temporary.unlink(missing_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data.replace(b"\r\n", b"\n"))
            file.flush()
            os.fsync(descriptor)
        os.utime(temporary, (at.timestamp(), at.timestamp()))
        temporary.replace(self._folder / "new" / name)

    def _holds(self, name: str) -> bool:
        """Return whether the message is there, new or read (`name:2,S`) already."""
        if (self._folder / "new" / name).exists():
            return True
        with contextlib.suppress(FileNotFoundError):
            return any((self._folder / "cur").glob(f"{name}*"))
        return False
