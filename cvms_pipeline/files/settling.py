"""Is a file settled: has no writer it open, and is it no longer changing?

On Linux, on a local disk and for files of our own user (or with CAP_LEASE), a
read lease says whether any process has the file open for writing; the kernel
grants one only if none has.  Elsewhere (a network share, another user's file,
macOS) only time can tell: the file must not have changed for the settle time.

Nothing here moves a file, and nothing but a regular file is opened.
"""

import contextlib
import enum
import fcntl
import os
import signal
import stat as modes
from dataclasses import dataclass
from pathlib import Path

QUIET_SECONDS = 0.2
"""How long no change after the last writer has gone: tools reopen to append."""

OPEN_SECONDS = 0.25
"""When to look again at a file that a writer has open."""

LEASE_FILE_SYSTEMS = frozenset(
    (
        *("bcachefs", "btrfs", "ext2", "ext3", "ext4", "f2fs"),
        *("overlay", "tmpfs", "xfs", "zfs"),
    )
)
"""Where every writer is a process of this machine, so that a lease tells all.

NFS and CIFS answer "a writer has it open" to whoever holds no delegation, and
know nothing of writers on other machines.
"""

_SECOND = 1_000_000_000
_OPENING = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK  # a pipe must not block


class Writer(enum.Enum):
    """Whether some process has a file open for writing."""

    ABSENT = "absent"
    PRESENT = "present"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settling:
    """How to tell, in one folder at one moment, whether a file is settled.

    `now_ns` is the moment in nanoseconds, by the clock that stamps the files.
    `clock` is a file of ours in the same file system, touched to read that clock.
    """

    now_ns: int
    settle_seconds: float
    has_leases: bool
    clock: Path

    def seconds_left(self, name: str, *, dir_fd: int | None = None) -> float:
        """Return how long until `name` may be settled; 0 when it is now.

        Raises:
            OSError: If it is gone, or is suddenly something else (ELOOP).
        """
        stat = os.stat(name, dir_fd=dir_fd, follow_symlinks=False)
        if modes.S_ISDIR(stat.st_mode):
            return self._left(stat, self.settle_seconds)
        if not modes.S_ISREG(stat.st_mode):
            return 0.0
        writer, stat = self._examine(name, stat, dir_fd)
        if writer is Writer.PRESENT:
            return OPEN_SECONDS
        quiet = min(QUIET_SECONDS, self.settle_seconds)
        is_told = writer is Writer.ABSENT
        return self._left(stat, quiet if is_told else self.settle_seconds)

    def is_settled_since(self, seen: tuple[int, ...], path: Path) -> bool:
        """Return whether `path` is settled, given what was `seen` before its move.

        A rename stamps a file anew, so that its age tells nothing: no writer, and
        no change since, are enough.
        """
        stat = path.lstat()
        if modes.S_ISREG(stat.st_mode) and identity(stat) == seen:
            writer, stat = self._examine(str(path), stat, None)
            return writer is not Writer.PRESENT and identity(stat) == seen
        if identity(stat) == seen:
            return True
        return self.seconds_left(str(path)) == 0

    def _examine(
        self, name: str, stat: os.stat_result, dir_fd: int | None
    ) -> tuple[Writer, os.stat_result]:
        try:
            descriptor = os.open(name, _OPENING, dir_fd=dir_fd)
        except PermissionError:
            return Writer.UNKNOWN, stat
        try:
            writer = ask_lease(descriptor) if self.has_leases else Writer.UNKNOWN
            return writer, os.fstat(descriptor)  # fresh: opening asks a file server
        finally:
            os.close(descriptor)

    def _left(self, stat: os.stat_result, seconds: float) -> float:
        """Return what is missing of `seconds` without a change.

        The change of the inode (ctime) is stamped by the file system's own clock
        and cannot be set; a modification time can, so one in the future says
        nothing.  A ctime in the future means that `now_ns` is old, or that the
        clock was set back after the last change: then the file is old.
        """
        now = self.now_ns
        if stat.st_ctime_ns > now:
            now = max(now, read_clock(self.clock))
        if stat.st_ctime_ns > now + _SECOND:
            return 0.0
        modified = stat.st_mtime_ns if stat.st_mtime_ns <= now else 0
        age = (now - max(stat.st_ctime_ns, modified)) / _SECOND
        return max(0.0, seconds - max(0.0, age))


def identity(stat: os.stat_result) -> tuple[int, ...]:
    """Return what stays the same as long as nobody writes: inode, size, mtime."""
    return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns


def ask_lease(descriptor: int) -> Writer:
    """Return whether a writer has the file open, by a lease held for an instant.

    Whoever opens the file for writing in that instant waits for us, and the
    kernel sends us a signal.  By default that is SIGIO, which ends a process;
    we ask for SIGURG, which does nothing unless somebody handles it.
    """
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except BlockingIOError:
        return Writer.PRESENT
    except OSError:
        return Writer.UNKNOWN
    with contextlib.suppress(OSError):  # closing gives it back as well
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return Writer.ABSENT


def read_clock(clock: Path) -> int:
    """Return the time in nanoseconds by which the file system stamps files."""
    descriptor = os.open(clock, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        os.utime(descriptor)
        return os.fstat(descriptor).st_mtime_ns
    finally:
        os.close(descriptor)


def begin(folder: Path, clock: Path, *, now_ns: int, settle_seconds: float) -> Settling:
    """Return how to tell what is settled in `folder` at the moment `now_ns`."""
    is_local = file_system(folder) in LEASE_FILE_SYSTEMS
    return Settling(
        now_ns=now_ns if is_local else read_clock(clock),
        settle_seconds=settle_seconds,
        has_leases=is_local and hasattr(fcntl, "F_SETLEASE"),
        clock=clock,
    )


def file_system(folder: Path) -> str:
    """Return what kind of file system `folder` is on, or "" where none can tell."""
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
