"""Detecting settled files: no process has them open for writing, nor changes them.

On Linux, on a local disk and for files of our own user (or with CAP_LEASE), a
read lease shows whether any process has the file open for writing; the kernel
grants one only if none has.  Elsewhere (a network share, another user's file,
macOS) only time can show it: the file must not have changed for the settle time.

A file that seems unfinished (no rows yet, or a last line without its line break) has to
be unchanged for longer, because a program may open it again to append to it.

Nothing here moves a file, and nothing but a regular file is opened.
"""

import contextlib
import enum
import fcntl
import os
import signal
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

QUIET_SECONDS = 0.2
"""The wait after the last writer has closed the file: tools reopen it to append."""

OPEN_SECONDS = 0.25
"""The wait before a file that a writer has open is checked again."""

_LEASE_FILE_SYSTEMS = frozenset(
    (
        *("bcachefs", "btrfs", "ext2", "ext3", "ext4", "f2fs"),
        *("overlay", "tmpfs", "xfs", "zfs"),
    )
)
"""Where every writer is a process of this machine, so that a lease shows them all.

NFS and CIFS answer "a writer has it open" to everybody without a delegation, and do
not know of writers on other machines.
"""

_SECOND = 1_000_000_000
_START_BYTES = 65_536
_END_BYTES = 64
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_BLANK = b' \t,;"\xff\xfe\xef\xbb\xbf\x1a'
_OPENING = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK  # a pipe must not block


class Writer(enum.Enum):
    """Whether some process has a file open for writing."""

    ABSENT = "absent"
    PRESENT = "present"
    UNKNOWN = "unknown"


class Ending(enum.Enum):
    """How a file ends."""

    COMPLETE = "complete"
    """With a line break, or it is no text."""
    WITHOUT_ROWS = "without rows"
    """It is empty, or has one line only."""
    CUT = "cut"
    """Its last line has no line break, although earlier ones have."""


@dataclass(slots=True)
class GrowingFiles:
    """The files that seemed unfinished, or have grown, while no writer had them open.

    A program that opens a file anew for each line can end each line with a line break,
    so such a file has to be unchanged for longer from then on.  This is in the memory
    of one process: another one waits less.
    """

    _sizes: dict[tuple[int, ...], int] = field(default_factory=dict)
    _unfinished: set[tuple[int, ...]] = field(default_factory=set)

    def is_growing(self, status: os.stat_result, *, is_unfinished: bool) -> bool:
        """Record the state of a closed file; return whether more may be appended."""
        file = (status.st_dev, status.st_ino)
        if is_unfinished or 0 < self._sizes.get(file, 0) < status.st_size:
            self._unfinished.add(file)
        self._sizes[file] = status.st_size
        return file in self._unfinished

    def keep_only(self, identities: Iterable[tuple[int, ...]]) -> None:
        """Forget all others: an inode may soon be that of another file."""
        kept = {identity[:2] for identity in identities}
        self._sizes = {each: self._sizes[each] for each in kept & self._sizes.keys()}
        self._unfinished &= kept


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleCheck:
    """The check, in one folder at one moment, whether a file is settled.

    Attributes:
        now_ns: The moment in nanoseconds, by the clock that stamps the files.
        settle_seconds: How long a file must not have changed where there is no lease.
        has_leases: Whether leases show every writer.
        clock: Our own file in the same file system, touched to read its clock.
        unfinished_seconds: How long a file must not have changed that seems unfinished.
        growing: What earlier checks have seen of such files.
    """

    now_ns: int
    settle_seconds: float
    has_leases: bool
    clock: Path
    unfinished_seconds: float = 0.0
    growing: GrowingFiles = field(default_factory=GrowingFiles)

    def seconds_left(self, name: str, *, dir_fd: int | None = None) -> float:
        """Return how long until `name` may be settled; 0 when it is now.

        Raises:
            OSError: If it is gone, or something else has taken its place (ELOOP).
        """
        status = os.stat(name, dir_fd=dir_fd, follow_symlinks=False)
        if stat.S_ISDIR(status.st_mode):
            return self._count_seconds(status, self.settle_seconds)
        if not stat.S_ISREG(status.st_mode):
            return 0.0
        writer, status = self._examine(name, status, dir_fd)
        if writer is Writer.PRESENT:
            return OPEN_SECONDS
        seconds = self.settle_seconds
        if writer is Writer.ABSENT:
            seconds = min(QUIET_SECONDS, seconds)
        left = self._count_seconds(status, seconds)
        if left > 0 or self.unfinished_seconds <= seconds:
            return left
        return self._count_unfinished(name, status, dir_fd)

    def _count_unfinished(
        self, name: str, status: os.stat_result, dir_fd: int | None
    ) -> float:
        """Return how long until a closed file that may still grow is settled."""
        try:
            descriptor = os.open(name, _OPENING, dir_fd=dir_fd)
        except PermissionError:
            return 0.0
        with os.fdopen(descriptor, "rb") as file:
            ending = find_ending(file)
        is_unfinished = ending is not Ending.COMPLETE
        if not self.growing.is_growing(status, is_unfinished=is_unfinished):
            return 0.0
        return self._count_seconds(status, self.unfinished_seconds)

    def is_settled_since(self, earlier: tuple[int, ...], path: Path) -> bool:
        """Return whether `path` is settled, given its `earlier` identity.

        It was renamed since, which gives it a new ctime, so that its age shows nothing:
        that there is no writer, and was no change, is enough.
        """
        status = path.lstat()
        if stat.S_ISREG(status.st_mode) and get_identity(status) == earlier:
            writer, status = self._examine(str(path), status, None)
            return writer is not Writer.PRESENT and get_identity(status) == earlier
        if get_identity(status) == earlier:
            return True
        return self.seconds_left(str(path)) == 0

    def _examine(
        self, name: str, status: os.stat_result, dir_fd: int | None
    ) -> tuple[Writer, os.stat_result]:
        try:
            descriptor = os.open(name, _OPENING, dir_fd=dir_fd)
        except PermissionError:
            return Writer.UNKNOWN, status
        try:
            writer = ask_lease(descriptor) if self.has_leases else Writer.UNKNOWN
            return writer, os.fstat(descriptor)  # opening asks a file server again
        finally:
            os.close(descriptor)

    def _count_seconds(self, status: os.stat_result, seconds: float) -> float:
        """Return how much is missing of `seconds` without a change.

        The change of the inode (ctime) is stamped by the file system's own clock
        and cannot be set; a modification time can be set, so one in the future is
        ignored.  A ctime in the future means that `now_ns` is old, or that the
        clock was set back after the last change: then the file is old.
        """
        now = self.now_ns
        if status.st_ctime_ns > now:
            now = max(now, _read_clock(self.clock))
        if status.st_ctime_ns > now + _SECOND:
            return 0.0
        modified = status.st_mtime_ns if status.st_mtime_ns <= now else 0
        age = (now - max(status.st_ctime_ns, modified)) / _SECOND
        return max(0.0, seconds - max(0.0, age))


def get_identity(status: os.stat_result) -> tuple[int, ...]:
    """Return device, inode, size and mtime: the same as long as nobody writes."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def ask_lease(descriptor: int) -> Writer:
    """Return whether a writer has the file open, by a lease held for an instant.

    A process that opens the file for writing in that instant has to wait, and the
    kernel sends a signal to this one.  By default that is SIGIO, which ends a process;
    here it is SIGURG, which does nothing unless it is handled.
    """
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except BlockingIOError:
        return Writer.PRESENT
    except OSError:
        return Writer.UNKNOWN
    with contextlib.suppress(OSError):  # closing the file ends the lease, too
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return Writer.ABSENT


def _read_clock(clock: Path) -> int:
    """Return the time in nanoseconds by which the file system stamps files."""
    descriptor = os.open(clock, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        os.utime(descriptor)
        return os.fstat(descriptor).st_mtime_ns
    finally:
        os.close(descriptor)


def find_ending(file: BinaryIO) -> Ending:
    """Return how a file ends, from its first and its last bytes."""
    start = file.read(_START_BYTES)
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _END_BYTES))
    end = file.read().replace(b"\0", b"").rstrip(b"\x1a")
    if b"\0" in start and not start.startswith(_UTF_16):
        return Ending.COMPLETE
    lines = [line.strip(_BLANK) for line in start.replace(b"\0", b"").splitlines()]
    filled = [line for line in lines if line and not line.lower().startswith(b"sep=")]
    if size <= _START_BYTES and len(filled) <= 1:
        return Ending.WITHOUT_ROWS
    has_end = end.endswith((b"\n", b"\r")) or len(lines) <= 1
    return Ending.COMPLETE if has_end else Ending.CUT


def make_check(
    folder: Path,
    clock: Path,
    *,
    now_ns: int,
    settle_seconds: float,
    unfinished_seconds: float,
    growing: GrowingFiles,
) -> SettleCheck:
    """Return the check for files in `folder` at the moment `now_ns`."""
    is_local = _find_file_system(folder) in _LEASE_FILE_SYSTEMS
    return SettleCheck(
        now_ns=now_ns if is_local else _read_clock(clock),
        settle_seconds=settle_seconds,
        unfinished_seconds=unfinished_seconds,
        growing=growing,
        has_leases=is_local and hasattr(fcntl, "F_SETLEASE"),
        clock=clock,
    )


def _find_file_system(folder: Path) -> str:
    """Return the kind of file system that `folder` is on; "" where it is unknown."""
    mounts = Path("/proc/self/mountinfo")
    if not mounts.exists():
        return ""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        facts = Path(f"/proc/self/fdinfo/{descriptor}").read_text(encoding="ascii")
    finally:
        os.close(descriptor)
    mount = next((f.split()[1] for f in facts.splitlines() if f[:7] == "mnt_id:"), "")
    for line in os.fsdecode(mounts.read_bytes()).splitlines():
        left, _, right = line.partition(" - ")
        if left.split()[:1] == [mount]:
            return right.split()[0]
    return ""
