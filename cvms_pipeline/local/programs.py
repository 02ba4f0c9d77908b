"""Where pg_dump and pg_restore are: in the embedded server's wheel, or installed.

What they are told is `store.dumps`.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from cvms_pipeline import errors
from cvms_pipeline.local import postgres

_DEBIAN = "/usr/lib/postgresql/{major}/bin/{name}"
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")


class ProgramMissing(errors.PermanentError):
    """A program of Postgres is not installed."""


def find(name: str, major: int) -> Path:
    """Return the program `name` that is of the same version as the server.

    An older one cannot read the server; a newer one writes what it cannot read back.

    Raises:
        ProgramMissing: Says what to install.
    """
    for path in _places(name, major):
        if path.is_file() and _major(path) == major:
            return path
    raise ProgramMissing(
        f"{name} {major} is needed, for the database is PostgreSQL {major}, and it is"
        f" not on the PATH. Install PostgreSQL's client programs of version {major},"
        f" for example: apt install postgresql-client-{major}"
    )


def _places(name: str, major: int) -> Iterator[Path]:
    if str(major) == postgres.MAJOR:
        yield postgres.binaries() / name
    found = shutil.which(name)
    if found:
        yield Path(found)
    yield Path(_DEBIAN.format(major=major, name=name))


def _major(program: Path) -> int | None:
    """Return the version a program says it has, or None."""
    try:
        ended = subprocess.run(  # noqa: S603  # found by name
            [program, "--version"], capture_output=True, text=True, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    said = _VERSION.search(ended.stdout)
    return int(said[1]) if said else None
