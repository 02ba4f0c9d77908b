"""What can go wrong that is no provider's fault: what failed, and what to do.

Each fault is declared once.  The errors of every layer, the pages of runs, what is
stored with an upload, alerts, the command line and docs/errors.md have their sentences
from here.  A fault is chosen by a code (an SQLSTATE, an errno), never by the text of a
library, and what is filled in holds no value of a row and no name of a file.
"""

import errno
from collections.abc import Mapping
from dataclasses import dataclass

from cvms_pipeline.domain.vocabulary import refusal_codes


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault: what has failed, perhaps with `{place}`, and what to do.

    `is_passing` says whether what was interrupted is retried automatically.
    """

    what: str
    remedy: str
    is_passing: bool = True

    def describe(self, detail: str = "", *, place: object = "") -> str:
        """Return both sentences; `detail`, such as an SQLSTATE, is in brackets."""
        what = self.what.format(place=place)
        return f"{what}{f' ({detail})' if detail else ''}. {self.remedy}"


def _lasting(what: str, remedy: str) -> Fault:
    return Fault(what=what, remedy=remedy, is_passing=False)


def _passing(what: str, remedy: str) -> Fault:
    return Fault(what=what, remedy=remedy)


_BUG_REMEDY = (
    "This is a bug of ours. Report it with this text, which contains no value of a row."
)

DATABASE_AWAY = _passing(
    "The database cannot be reached",
    "Start it, or check CVMS_DATABASE_URL.",
)
DATABASE_STOPPED = _passing(
    "The database is stopping, starting or has ended the connection",
    "If it does not start again automatically, start it.",
)
DATABASE_DISK_FULL = _passing(
    "The disk of the database is full",
    "Free disk space on the machine of the database.",
)
DATABASE_BUSY = _passing(
    "The database has no connection or memory left",
    "Raise its max_connections, or lower CVMS_WORKERS; check its memory.",
)
DATABASE_SLOW = _passing(
    "The database took too long and has canceled a statement",
    "Check what else it is doing; `cvms status` shows what waits.",
)
DATABASE_LOCKED = _passing(
    "Other transactions of the database held the same rows for too long",
    "If this happens again, look for a session that has been open for hours.",
)
DATABASE_READ_ONLY = _passing(
    "The database takes no changes, because it is read-only or a standby",
    "Make it writable, or set CVMS_DATABASE_URL to the primary server.",
)
DATABASE_DISK = _passing(
    "The database cannot read or write its own files",
    "Check its log and its disk.",
)
TOO_MANY_WRITERS = _passing(
    "Too many uploads wrote the same recipients at the same time",
    "If it is not retried automatically, re-execute from failure.",
)
TABLE_FORBIDDEN = _lasting(
    "Permission denied on a table",
    "Run `cvms db upgrade` as the owner of the tables, which grants what is missing.",
)
TABLE_MISSING = _lasting(
    "A table or column of the database is missing",
    "Run `cvms db upgrade` as the owner of the tables; a table that was dropped can"
    " only come from a backup.",
)
DATABASE_DAMAGED = _lasting(
    "The database reports that it is damaged or has a bug",
    "Read its log; if its files are damaged, restore a backup.",
)
STATEMENT_REFUSED = _lasting(
    "The database refused a statement",
    "Check whether somebody has changed the tables. If not, it is a bug of ours:"
    " report it with this text.",
)

DISK_FULL = _passing("No room left for {place}", "Free some disk space.")
DISK_READ_ONLY = _passing(
    "The disk of {place} is read-only",
    "Find out why in the system's log, and mount it read-write.",
)
FOLDER_FORBIDDEN = _passing(
    "{place} may not be read or written",
    "Give the service's user all permissions on it and its content.",
)
FOLDER_AWAY = _passing(
    "{place} cannot be reached",
    "Check that it exists and that its disk or network share is connected.",
)
FOLDER_SPLIT = _lasting(
    "{place} holds a mount point",
    "Put the whole folder, with every provider's folder, on one file system.",
)
SYSTEM_BUSY = _passing(
    "The system has no memory, processes or open files left for {place}",
    "Find out what uses them, or raise the limits of the service.",
)

MAIL_AWAY = _passing(
    "The mail server{place} cannot be reached, or accepts no messages now",
    "Check that it runs, and check CVMS_SMTP_URL; messages wait and are sent when"
    " it can be reached again.",
)
MAILDIR_AWAY = _passing(
    "The Maildir cannot be written",
    "Check its permissions and the space left on its disk, or set CVMS_SMTP_URL;"
    " messages wait until then.",
)
MAIL_LOGIN = _passing(
    "The mail server{place} does not accept our user and password, or expects none",
    "Correct CVMS_SMTP_URL and restart; messages wait until then.",
)
MAIL_NOT_SECURE = _passing(
    "The connection to the mail server{place} would not be secure: it offers no"
    " STARTTLS, or its certificate cannot be verified",
    "Use smtps:// in CVMS_SMTP_URL if it takes TLS, or name its certificate authority"
    " in SSL_CERT_FILE; messages wait until then.",
)
MAIL_BUSY = _passing(
    "The mail server{place} does not accept this message now",
    "There is nothing to do: it is sent again automatically.",
)
MAIL_SLOW = _passing(
    "The mail server{place} did not accept this message in time",
    "Find out why the server is slow; the message is sent again automatically.",
)
MAIL_REFUSED = _lasting(
    "The mail server has refused this message permanently",
    "Correct the address; `cvms resend` sends a notice or an alert again.",
)
MESSAGE_UNWRITTEN = _lasting(
    "The message cannot be written",
    "Read the page of the run that has failed; the other messages are sent meanwhile.",
)

ARCHIVE_MISSING = _lasting(
    "The archived file {place} is missing",
    "Copy it from a backup to this path, then re-execute from failure.",
)
ARCHIVE_CHANGED = _lasting(
    "The archived file {place} does not have the bytes that were received",
    "Copy it from a backup to this path, then re-execute from failure.",
)
COUNTS_WRONG = _lasting(
    "The loaded and the rejected rows together are not the rows of the file",
    _BUG_REMEDY,
)
FRAME_WRONG = _lasting(
    "The rows that a step has made do not have the right form", _BUG_REMEDY
)
WORKER_LOST = _passing(
    "The worker has died, or the run took too long",
    "If it is not retried automatically, re-execute from failure; if it happens again,"
    " check the memory of the machine.",
)
STOPPED = _lasting(
    "A person has stopped the run",
    "Re-execute it when it should continue.",
)
UNEXPECTED = _lasting(
    "Something has failed for an unknown reason",
    "Read the page of the run; if it does not say what to do, it is a bug of ours:"
    " report it.",
)
BUG = _lasting("An unexpected {place}", _BUG_REMEDY)

ALL = tuple(each for each in globals().values() if isinstance(each, Fault))

_SQLSTATES: Mapping[str, Fault] = {
    "08": DATABASE_AWAY,
    "28": DATABASE_AWAY,
    "53": DATABASE_BUSY,
    "53100": DATABASE_DISK_FULL,
    "57": DATABASE_STOPPED,
    "57014": DATABASE_SLOW,
    "40": DATABASE_LOCKED,
    "55P03": DATABASE_LOCKED,
    "25006": DATABASE_READ_ONLY,
    "58": DATABASE_DISK,
    "42501": TABLE_FORBIDDEN,
    "3F000": TABLE_MISSING,
    "42P01": TABLE_MISSING,
    "42703": TABLE_MISSING,
    "42883": TABLE_MISSING,
    "XX": DATABASE_DAMAGED,
}
"""Faults by SQLSTATE; two letters are a class."""

NUMBERS: Mapping[int, Fault] = {
    errno.ENOSPC: DISK_FULL,
    errno.EDQUOT: DISK_FULL,
    errno.EROFS: DISK_READ_ONLY,
    errno.EACCES: FOLDER_FORBIDDEN,
    errno.EPERM: FOLDER_FORBIDDEN,
    errno.EXDEV: FOLDER_SPLIT,
    errno.EMFILE: SYSTEM_BUSY,
    errno.ENFILE: SYSTEM_BUSY,
    errno.ENOMEM: SYSTEM_BUSY,
    errno.EAGAIN: SYSTEM_BUSY,
}
"""Faults by the error number of the system."""

MAIL_ERRORS: Mapping[str, Fault] = {
    "MailServerAway": MAIL_AWAY,
    "MailLoginFailed": MAIL_LOGIN,
    "MailNotSecure": MAIL_NOT_SECURE,
    "MailServerBusy": MAIL_BUSY,
    "MailServerSlow": MAIL_SLOW,
}
"""Faults by the kind of error that the outbox stores with a message."""


def find_by_sqlstate(state: str) -> Fault:
    """Return what an SQLSTATE means."""
    by_class = _SQLSTATES.get(state[:2], STATEMENT_REFUSED)
    return _SQLSTATES.get(state, by_class)


def find_by_errno(number: int) -> Fault:
    """Return what an error number of the system means for a folder."""
    return NUMBERS.get(number, FOLDER_AWAY)


def describe_mail_error(last_error: str, *, has_server: bool = True) -> str:
    """Return what the kind of error that the outbox stores with a message means.

    Without a mail server, messages go to the Maildir.
    """
    if last_error in MAIL_ERRORS:
        fault = MAIL_ERRORS[last_error]
        is_maildir = fault is MAIL_AWAY and not has_server
        return (MAILDIR_AWAY if is_maildir else fault).describe()
    if last_error.startswith("SMTP "):
        return MAIL_REFUSED.describe(refusal_codes.describe_refusal(last_error))
    return MESSAGE_UNWRITTEN.describe(last_error)
