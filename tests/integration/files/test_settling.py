"""When a file is settled: with leases as they are on Linux, and by time alone."""

import fcntl
import os
import signal
import subprocess
import sys
import threading

import pytest

from cvms_pipeline.files import incoming, settling

needs_leases = pytest.mark.skipif(
    not hasattr(fcntl, "F_SETLEASE"), reason="only Linux has leases"
)


def seconds_left(folders, now):
    (found,) = incoming.scan(folders, now=now)
    return found.seconds_left


@needs_leases
def test_a_file_that_a_writer_has_open_is_never_settled(folders, lane, later):
    with (lane / "staff.csv").open("wb") as file:
        file.write(b"half of it")
        file.flush()

        assert seconds_left(folders, later(3600)) == settling.OPEN_SECONDS


@needs_leases
def test_a_file_that_another_process_has_open_is_never_settled(folders, lane, later):
    program = f"f = open({str(lane / 'staff.csv')!r}, 'w'); print(flush=True); input()"
    writer = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    writer.stdout.readline()
    before = seconds_left(folders, later(3600))

    writer.communicate("\n")

    assert before == settling.OPEN_SECONDS
    assert seconds_left(folders, later(3600)) == 0


@needs_leases
def test_a_closed_file_is_settled_after_a_short_quiet_time(folders, lane, later):
    (lane / "staff.csv").write_bytes(b"x")

    assert 0 < seconds_left(folders, later(0)) <= settling.QUIET_SECONDS
    assert seconds_left(folders, later(settling.QUIET_SECONDS)) == 0


@needs_leases
def test_a_reader_does_not_keep_a_file_from_settling(folders, lane, later):
    (lane / "staff.csv").write_bytes(b"x")

    with (lane / "staff.csv").open("rb"):
        assert seconds_left(folders, later(60)) == 0


@pytest.mark.usefixtures("without_leases")
def test_without_leases_the_settle_time_decides(folders, lane, later):
    (lane / "staff.csv").write_bytes(b"x")

    assert 1 < seconds_left(folders, later(0)) <= 2
    assert seconds_left(folders, later(2)) == 0


OLD_OR_NEW = [
    -86_400 * 365,  # `cp -p` keeps the time of a file written long ago
    86_400 * 365,  # `cp -p` from a machine whose clock is a year ahead
]


@pytest.mark.usefixtures("without_leases")
@pytest.mark.parametrize("seconds", OLD_OR_NEW)
def test_a_kept_modification_time_makes_it_settle_neither_early_nor_never(
    folders, lane, later, seconds
):
    (lane / "staff.csv").write_bytes(b"x")
    moment = later(seconds).timestamp()
    os.utime(lane / "staff.csv", (moment, moment))

    assert 1 < seconds_left(folders, later(0)) <= 2
    assert seconds_left(folders, later(2)) == 0


@pytest.mark.usefixtures("without_leases")
def test_an_old_now_does_not_make_a_fresh_file_settled(folders, lane, later):
    (lane / "staff.csv").write_bytes(b"x")

    assert 1 < seconds_left(folders, later(-60)) <= 2


@pytest.mark.usefixtures("without_leases")
def test_a_file_from_before_the_clock_was_set_back_is_settled(
    folders, lane, later, monkeypatch
):
    (lane / "staff.csv").write_bytes(b"x")
    yesterday = later(-86_400)
    monkeypatch.setattr(
        settling, "_read_clock", lambda _: int(yesterday.timestamp() * 1e9)
    )

    assert seconds_left(folders, yesterday) == 0


def test_on_a_network_share_its_own_clock_counts(folders, lane, later, monkeypatch):
    monkeypatch.setattr(settling, "_LEASE_FILE_SYSTEMS", frozenset())
    (lane / "staff.csv").write_bytes(b"x")

    assert 1 < seconds_left(folders, later(3600)) <= 2  # our clock an hour ahead


@needs_leases
def test_a_writer_that_opens_the_file_during_the_lease_can_write(tmp_path):
    path = tmp_path / "staff.csv"
    path.write_bytes(b"x")
    told = []
    before = signal.signal(signal.SIGURG, lambda *_: told.append(1))
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        writer = threading.Thread(target=lambda: path.write_bytes(b"y"))
        writer.start()
        while not told:
            signal.sigtimedwait([], 0.01)
    finally:
        os.close(descriptor)
        writer.join()
        signal.signal(signal.SIGURG, before)

    assert path.read_bytes() == b"y"


@needs_leases
def test_checking_files_while_writers_open_and_close_them_never_ends_the_process(
    tmp_path,
):
    program = (
        "import os, sys, threading\n"
        "from cvms_pipeline.files import settling\n"
        "path = sys.argv[1]\n"
        "def write():\n"
        "    for _ in range(2000): open(path, 'ab').close()\n"
        "def ask():\n"
        "    fd = os.open(path, os.O_RDONLY)\n"
        "    for _ in range(2000): settling.ask_lease(fd)\n"
        "threads = [threading.Thread(target=f) for f in (write, ask, ask, write)]\n"
        "[t.start() for t in threads]; [t.join() for t in threads]\n"
    )
    path = tmp_path / "staff.csv"
    path.write_bytes(b"")

    command = [sys.executable, "-c", program, str(path)]
    ended = subprocess.run(command, check=False)  # noqa: S603 - our own program

    assert ended.returncode == 0
