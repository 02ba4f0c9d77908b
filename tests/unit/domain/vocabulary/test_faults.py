"""What has failed, and what to do, in sentences that hold no value."""

import errno

import pytest

from cvms_pipeline.domain.vocabulary import faults

# An SQLSTATE, what it means for us, and whether it can pass.
STATES = [
    ("08006", faults.DATABASE_AWAY, True),
    ("53100", faults.DATABASE_DISK_FULL, True),
    ("53300", faults.DATABASE_BUSY, True),
    ("57P03", faults.DATABASE_STOPPED, True),
    ("57014", faults.DATABASE_SLOW, True),
    ("40P01", faults.DATABASE_LOCKED, True),
    ("25006", faults.DATABASE_READ_ONLY, True),
    ("42501", faults.TABLE_FORBIDDEN, False),
    ("42P01", faults.TABLE_MISSING, False),
    ("XX001", faults.DATABASE_DAMAGED, False),
    ("23514", faults.STATEMENT_REFUSED, False),
    ("", faults.STATEMENT_REFUSED, False),
]


@pytest.mark.parametrize(("state", "fault", "is_passing"), STATES)
def test_a_state_of_the_database_says_what_has_failed(state, fault, is_passing):
    assert faults.find_by_sqlstate(state) is fault
    assert fault.is_passing is is_passing


def test_a_revoked_privilege_is_named_with_its_remedy():
    assert faults.TABLE_FORBIDDEN.describe("SQLSTATE 42501") == (
        "Permission denied on a table (SQLSTATE 42501). Run `cvms db upgrade` as the"
        " owner of the tables, which grants what is missing."
    )


def test_a_dropped_table_is_named_with_its_remedy():
    assert faults.TABLE_MISSING.describe("SQLSTATE 42P01") == (
        "A table or column of the database is missing (SQLSTATE 42P01). Run `cvms db"
        " upgrade` as the owner of the tables; a table that was dropped can only"
        " come from a backup."
    )


# An error of the system, and what it says about a folder.
NUMBERS = [
    (errno.ENOSPC, "No room left for /srv (ENOSPC). Free some disk space."),
    (
        errno.EROFS,
        "The disk of /srv is read-only (EROFS). Find out why in the system's log, and"
        " mount it read-write.",
    ),
    (
        errno.EACCES,
        "/srv may not be read or written (EACCES). Give the service's user all"
        " permissions on it and its content.",
    ),
    (
        errno.EMFILE,
        "The system has no memory, processes or open files left for /srv (EMFILE). Find"
        " out what uses them, or raise the limits of the service.",
    ),
    (
        errno.EIO,
        "/srv cannot be reached (EIO). Check that it exists and that its disk or"
        " network share is connected.",
    ),
]


@pytest.mark.parametrize(("number", "sentence"), NUMBERS)
def test_an_error_of_the_system_says_what_has_failed(number, sentence):
    fault = faults.find_by_errno(number)

    assert fault.describe(errno.errorcode[number], place="/srv") == sentence


# What the outbox stores with a message, and what it means.
MAIL = [
    (
        "MailServerAway",
        "The mail server cannot be reached, or accepts no messages now. Check that it"
        " runs, and check CVMS_SMTP_URL; messages wait and are sent when it can be"
        " reached again.",
    ),
    (
        "SMTP 550",
        "The mail server has refused this message permanently (the mail server knows no"
        " such mailbox, or accepts no mail for it (SMTP 550)). Correct the address;"
        " `cvms resend` sends a notice or an alert again.",
    ),
    (
        "KeyError",
        "The message cannot be written (KeyError). Read the page of the run that has"
        " failed; the other messages are sent meanwhile.",
    ),
]


@pytest.mark.parametrize(("kind", "sentence"), MAIL)
def test_the_last_error_of_a_message_says_what_has_failed(kind, sentence):
    assert faults.describe_mail_error(kind) == sentence


def test_without_a_mail_server_it_is_the_maildir_that_cannot_be_written():
    assert faults.describe_mail_error("MailServerAway", has_server=False) == (
        "The Maildir cannot be written. Check its permissions and the space left on its"
        " disk, or set CVMS_SMTP_URL; messages wait until then."
    )
