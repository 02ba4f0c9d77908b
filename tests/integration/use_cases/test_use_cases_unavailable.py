"""Dependencies that are away: uploads wait, it is said why, and all goes on later."""

import contextlib
import errno
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from installations import ANN, BAD

from cvms_pipeline import disk, errors
from cvms_pipeline.database import engine
from cvms_pipeline.domain.vocabulary import upload
from cvms_pipeline.files import access, archive, incoming
from cvms_pipeline.use_cases import deliver, publish, receive

Away = Callable[[], contextlib.AbstractContextManager[None]]


@pytest.fixture
def small(tmp_path) -> Iterator[Path]:
    """A folder that is a disk of its own, where this user may mount one."""
    folder = tmp_path / "small"
    folder.mkdir()
    is_mounted = mount("-t", "tmpfs", "-o", "size=1m", "tmpfs", folder)
    yield folder
    if is_mounted:
        subprocess.run(["umount", folder], check=True)  # noqa: S603, S607 # the system's


def mount(*words: object) -> bool:
    command = ["mount", *map(str, words)]
    return not subprocess.run(command, capture_output=True, check=False).returncode  # noqa: S603 # the system's


@contextlib.contextmanager
def delayed_by(fault: type[errors.CvmsError]) -> Iterator[None]:
    """Expect an error after which everything that retries tries again."""
    with pytest.raises(fault) as raised:
        yield
    assert isinstance(raised.value, errors.TransientError)


@pytest.fixture
def full(small, monkeypatch) -> Away:
    """Return what fills the disk for a while."""

    @contextlib.contextmanager
    def filled() -> Iterator[None]:
        if not small.is_mount():
            with injected(monkeypatch, small, errno.ENOSPC):
                yield
            return
        balloon = small / "balloon"
        with balloon.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(b"x" * 4096):
                pass
        yield
        balloon.unlink()

    return filled


@pytest.fixture
def read_only(small, monkeypatch) -> Away:
    """Return what makes the disk read-only for a while."""

    @contextlib.contextmanager
    def locked() -> Iterator[None]:
        if not small.is_mount():
            with injected(monkeypatch, small, errno.EROFS):
                yield
            return
        assert mount("-o", "remount,ro", small)
        yield
        assert mount("-o", "remount,rw", small)

    return locked


@contextlib.contextmanager
def injected(patch: pytest.MonkeyPatch, folder: Path, number: int) -> Iterator[None]:
    """Let nobody make a file below `folder`, in the system's place."""
    write = disk.write

    def refuse(path: Path, data: bytes, **options: int) -> None:
        if folder in path.parents:
            raise OSError(number, os.strerror(number))
        write(path, data, **options)

    with patch.context() as context:
        context.setattr(disk, "write", refuse)
        yield


DISKS = [("full", access.DiskFull), ("read_only", access.FolderForbidden)]


@pytest.mark.parametrize(("how", "fault"), DISKS)
def test_uploads_wait_for_an_archive_that_cannot_be_written(
    site, small, request, how, fault
):
    away: Away = request.getfixturevalue(how)
    shelves = archive.Archive(small / "archive")
    pipeline = replace(site.pipeline, archive=shelves)
    data = site.drop([ANN]).read_bytes()

    with away(), delayed_by(fault):
        receive.wait_for_uploads(pipeline, seconds=0)
    (taken,) = receive.wait_for_uploads(pipeline, seconds=0)

    assert shelves.read(taken.id) == data
    assert site.column("SELECT count(*) FROM cvms.uploads") == [1]
    assert incoming.scan(site.pipeline.folders, now=site.clock()) == []


@pytest.mark.parametrize(("how", "fault"), DISKS)
def test_an_error_report_waits_for_a_folder_that_cannot_be_written(
    site, small, request, how, fault
):
    away: Away = request.getfixturevalue(how)
    upload_id = site.bring([ANN, BAD])
    expected = site.pipeline.reports.read(upload_id)
    pipeline = replace(site.pipeline, reports=archive.Reports(small / "reports"))

    with away(), delayed_by(fault):
        publish.publish(pipeline, upload_id)
    publish.publish(pipeline, upload_id)

    assert pipeline.reports.read(upload_id) == expected


@pytest.fixture
def no_database(site, postgres) -> Away:
    """Return what lets the database take nobody for a while."""
    name = site.pipeline.store.engine.url.database

    @contextlib.contextmanager
    def away() -> Iterator[None]:
        postgres.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        postgres.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"  # noqa: S608 # a name of ours
            f" WHERE datname = '{name}'"
        )
        yield
        postgres.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")

    return away


def test_a_file_waits_for_the_database(site, no_database):
    data = site.drop([ANN]).read_bytes()

    with no_database(), delayed_by(engine.StoreAway):
        receive.wait_for_uploads(site.pipeline, seconds=0)
    (taken,) = receive.wait_for_uploads(site.pipeline, seconds=0)

    assert site.pipeline.archive.read(taken.id) == data
    assert taken.status is upload.UploadStatus.RECEIVED


def test_an_upload_waits_for_the_database(site, no_database):
    upload_id = site.receive([ANN, BAD])

    with no_database(), delayed_by(engine.StoreAway):
        site.process(upload_id)
    site.process(upload_id)

    assert site.upload(upload_id).status is upload.UploadStatus.COMPLETED_WITH_ERRORS
    assert len(site.mail()) == 1


def test_messages_are_sent_as_soon_as_the_mail_server_is_back(by_smtp, server, mailbox):
    upload_id = by_smtp.receive([ANN])
    server.stop()
    by_smtp.process(upload_id)
    assert deliver.wait_for_due(by_smtp.pipeline, seconds=0, pause_seconds=0) == []
    by_smtp.clock.forward(seconds=31)
    while_away = deliver.wait_for_due(by_smtp.pipeline, seconds=0, pause_seconds=0)

    server.start()
    due = deliver.wait_for_due(by_smtp.pipeline, seconds=0, pause_seconds=0)
    for each in due:
        send = (
            deliver.send_notice if each.kind == "notice" else deliver.send_invitations
        )
        send(by_smtp.pipeline, each.upload_id)

    assert while_away == []
    assert sorted(message["To"] for message in mailbox.received) == [
        "ann@b.example.org",
        "staff@mercy.example.org",
    ]


def test_a_night_without_a_mail_server_costs_no_hour_afterwards(
    by_smtp, server, mailbox
):
    upload_id = by_smtp.receive([ANN])
    server.stop()
    by_smtp.process(upload_id)
    for _ in range(12):  # by then it would be tried once an hour
        by_smtp.clock.forward(hours=1)
        deliver.send_notice(by_smtp.pipeline, upload_id)
    by_smtp.clock.forward(seconds=31)

    server.start()
    due = deliver.wait_for_due(by_smtp.pipeline, seconds=0, pause_seconds=0)

    assert deliver.Due(kind=deliver.Kind.NOTICE, upload_id=upload_id) in due
