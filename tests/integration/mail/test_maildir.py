"""Messages in a Maildir: private, readable by any mail program, never twice."""

import contextlib
import mailbox
import os
import stat
from dataclasses import replace

import pytest

from cvms_pipeline import disk
from cvms_pipeline.mail import maildir, mailer


def test_a_message_can_be_read_by_any_mail_program(tmp_path, message, at):
    with contextlib.closing(maildir.MaildirMailer(tmp_path / "mail")) as sender:
        sender.send(message, at=at)

    with_mailbox = mailbox.Maildir(tmp_path / "mail", create=False)
    (seen,) = with_mailbox
    assert seen["Subject"] == "Hello"
    assert seen["To"] == "canary@b.org"


def test_the_same_message_sent_again_is_kept_once(tmp_path, message, at):
    sender = maildir.MaildirMailer(tmp_path / "mail")

    sender.send(message, at=at)
    sender.send(message, at=at)
    sender.send(replace(message, message_id="<2@dhhs.nc.gov>"), at=at)

    assert len(list((tmp_path / "mail" / "new").iterdir())) == 2


def test_a_message_that_was_read_is_not_delivered_again(tmp_path, message, at):
    sender = maildir.MaildirMailer(tmp_path / "mail")
    sender.send(message, at=at)
    (new,) = (tmp_path / "mail" / "new").iterdir()
    new.rename(tmp_path / "mail" / "cur" / f"{new.name}:2,S")

    sender.send(message, at=at)

    assert list((tmp_path / "mail" / "new").iterdir()) == []


def test_messages_can_be_read_by_their_owner_only(tmp_path, message, at):
    maildir.MaildirMailer(tmp_path / "data" / "mail").send(message, at=at)

    modes = {
        path.name if path.is_dir() else "message": stat.S_IMODE(path.stat().st_mode)
        for path in (tmp_path / "data").rglob("*")
    }

    assert modes == {
        "mail": 0o700,
        "tmp": 0o700,
        "cur": 0o700,
        "new": 0o700,
        "message": 0o600,
    }


def test_a_folder_that_cannot_be_written_delays_the_message(
    tmp_path, message, at, monkeypatch
):
    def full(_):
        raise OSError(28, "No space left on device")

    for part in ("new", "cur", "tmp"):
        disk.make_folder(tmp_path / "mail" / part)
    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(mailer.MailServerAway, match="ENOSPC"):
        maildir.MaildirMailer(tmp_path / "mail").send(message, at=at)

    assert list((tmp_path / "mail" / "new").iterdir()) == []
