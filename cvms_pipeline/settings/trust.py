"""Whether a home may be obeyed: `dagster.yaml` and `.env` in it decide what runs.

The home is looked for in the folders above the working folder, and anybody may have
made one of those: git refuses a repository of another user for the same reason
(CVE-2022-24765).  What is in the files is not inspected here.
"""

import grp
import os
import stat
from pathlib import Path

_DECIDING = ("", "dagster.yaml", ".env")


def explain_distrust(home: Path) -> list[str]:
    """Return a sentence for each thing that another user decides, and what to do."""
    # Whoever has installed this program decides what runs in any case.
    trusted = {0, os.geteuid(), Path(__file__).stat().st_uid}
    problems = []
    for path in (home / name for name in _DECIDING):
        try:
            found = path.stat()
        except FileNotFoundError:
            continue
        if found.st_uid not in trusted:
            problems.append(
                f"{path} belongs to the system user {found.st_uid}, who would decide"
                f" what runs as you. Work as that user, or if you trust all that is in"
                f" it: chown {os.geteuid()} '{path}'"
            )
        elif _can_others_write(found):
            problems.append(
                f"Other users can write to {path}, and so decide what runs as you."
                f" Check its content, then run: chmod go-w '{path}'"
            )
    return problems


def _can_others_write(found: os.stat_result) -> bool:
    is_group_ours = found.st_gid == 0 or (
        found.st_gid == os.getegid() and not _list_members(found.st_gid)
    )
    forbidden = stat.S_IWOTH if is_group_ours else stat.S_IWOTH | stat.S_IWGRP
    return bool(found.st_mode & forbidden)


def _list_members(group: int) -> list[str]:
    """Return who is in a group besides those of whom it is the own group."""
    try:
        return grp.getgrgid(group).gr_mem
    except KeyError:
        return []
