"""A disk that can be full: a small file system, where one may be mounted.

Elsewhere `sitecustomize` makes every process of the installation get ENOSPC for each
file that it creates, as long as the disk is to be full.
"""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_ROOMY = 8 * 2**30
_HERE = Path(__file__).parent
_VARIABLE = "CHAOS_DISK_FULL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """Where the data lies, Postgres' too.

    Attributes:
        folder: The data folder.
        flag: The file that says "full" where nothing is mounted.
        is_mounted: Whether a file system of our own is mounted on `folder`.
        environment: What the processes need of it.
    """

    folder: Path
    flag: Path
    is_mounted: bool
    environment: Mapping[str, str] = field(default_factory=dict)

    def fill(self) -> None:
        """Leave no room at all."""
        if self.is_mounted:
            stat = os.statvfs(self.folder)
            used = (stat.f_blocks - stat.f_bfree) * stat.f_frsize
            _mount("-o", f"remount,size={used}", self.folder)
        else:
            self.flag.touch()

    def free(self) -> None:
        """Give room again."""
        if self.is_mounted:
            _mount("-o", f"remount,size={_ROOMY}", self.folder)
        else:
            self.flag.unlink(missing_ok=True)

    def take_away(self) -> None:
        """Unmount what was mounted."""
        if self.is_mounted:
            subprocess.run(["umount", "--lazy", self.folder], check=True)


def under(folder: Path, flag: Path) -> Disk:
    """Make `folder`, on a disk of its own if this user may mount one."""
    folder.mkdir(mode=0o700)
    options = f"size={_ROOMY},mode=0700,uid={os.getuid()},gid={os.getgid()}"
    is_mounted = _mount("-t", "tmpfs", "-o", options, "cvms-chaos", folder)
    hooks = [str(_HERE / "hooks"), os.environ.get("PYTHONPATH", "")]
    told = {"PYTHONPATH": os.pathsep.join(filter(None, hooks)), _VARIABLE: str(flag)}
    return Disk(
        folder=folder,
        flag=flag,
        is_mounted=is_mounted,
        environment={} if is_mounted else told,
    )


def _mount(*words: object) -> bool:
    command = ["mount", *map(str, words)]
    return not subprocess.run(command, capture_output=True, check=False).returncode
