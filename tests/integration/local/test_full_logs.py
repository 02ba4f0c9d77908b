"""The disk of `data/logs` is full: lines are lost, and nothing else."""

import contextlib
import errno
import os
import pathlib
import subprocess
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from kept_machines import Machine, next_line
from supervisor import loggers

from cvms_pipeline.local import logs, supervisor

Eventually = Callable[[Callable[[], object]], None]


def next_lines(process: subprocess.Popen[str], count: int) -> Iterator[str]:
    for _ in range(count):
        yield next_line(process)


def mount(*words: object) -> None:
    subprocess.run(["mount", *map(str, words)], check=True)  # noqa: S603, S607  # ours


@pytest.fixture
def small_logs(machine: Machine) -> Iterator[pathlib.Path]:
    """A disk of 64 kB on which only the logs are."""
    folder = machine.data / "logs"
    folder.mkdir(parents=True)
    for each in (machine.data, folder):
        each.chmod(0o700)
    if os.getuid() != 0:
        pytest.skip("only root can mount a small disk")
    mount("-t", "tmpfs", "-o", "size=64k,mode=0700", "cvms-logs", folder)
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)  # noqa: S603, S607  # ours


def test_full_logs_end_no_process_and_cvms_up_reports_them_once(
    machine: Machine, small_logs: pathlib.Path, eventually: Eventually
) -> None:
    process = machine.ready("noisy")
    before = machine.left()
    log = small_logs / "noisy.log"

    said: list[str] = []
    reader = threading.Thread(target=lambda: said.extend(next_lines(process, 2)))
    reader.daemon = True  # where nothing is said, it waits for ever
    reader.start()

    eventually(lambda: os.statvfs(small_logs).f_bfree == 0)
    time.sleep(2 * supervisor.RETRY_SECONDS)
    assert machine.left() == before
    size = log.stat().st_size
    mount("-o", "remount,size=8m", small_logs)

    eventually(lambda: log.stat().st_size > size and len(said) == 2)
    assert said == [
        f"{small_logs} cannot be written (ENOSPC): until it can, what the processes log"
        " is lost. Free some disk space.",
        f"{small_logs} is written again.",
    ]
    assert machine.left() == before
    process.terminate()
    assert process.wait() == 0


def record(message: bytes) -> loggers.LogRecord:
    return loggers.LogRecord(loggers.LevelsByName.INFO, message)


def open_log(path: pathlib.Path, max_bytes: int = 10) -> logs.RotatedLog:
    return logs.RotatedLog(str(path), "a", max_bytes, 1)


def test_a_log_that_cannot_be_opened_or_written_is_written_once_it_can(
    tmp_path: pathlib.Path,
) -> None:
    path = tmp_path / "folder" / "worker.log"
    log = open_log(path, max_bytes=1000)
    log.emit(record(b"lost"))

    path.parent.mkdir()
    path.symlink_to("/dev/full")
    log.emit(record(b"lost, too"))
    log.close()
    path.unlink()
    log.emit(record(b"written"))

    assert path.read_bytes() == b"written"
    log.close()


def test_a_log_that_cannot_be_rotated_is_rotated_once_it_can(
    tmp_path: pathlib.Path,
) -> None:
    path = tmp_path / "worker.log"
    earlier = path.with_name("worker.log.1")
    (earlier / "in the way").mkdir(parents=True)
    log = open_log(path)
    log.emit(record(b"long enough to rotate"))

    (earlier / "in the way").rmdir()
    earlier.rmdir()
    log.emit(record(b", and more"))
    log.emit(record(b"new"))

    assert earlier.read_bytes() == b"long enough to rotate, and more"
    assert path.read_bytes() == b"new"
    log.close()


def test_each_change_is_reported_once(tmp_path: pathlib.Path) -> None:
    said: list[str] = []
    folder = tmp_path / "logs"
    watch = logs.LogWatch(folder=folder, report=said.append)

    for is_there in (False, False, True, True):
        with contextlib.suppress(FileExistsError):
            if is_there:
                folder.mkdir()
        watch.look()

    assert len(said) == 2
    assert errno.errorcode[errno.ENOENT] in said[0]
    assert list(folder.iterdir()) == []
