"""Where pg_dump and pg_restore are: in the embedded server's wheel, or installed.

How they are called is `database.dumps`.
"""

import re
import shutil
import subprocess
from pathlib import Path

from cvms_pipeline import errors
from cvms_pipeline.local.postgres import embedded

_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")


class ProgramMissing(errors.PermanentError):
    """A program of Postgres is not installed."""


def find_program(name: str, major: int) -> Path:
    """Return the program `name` that is of the same version as the server.

    An older one cannot read the server; what a newer one writes, the server's own
    version cannot read.

    Raises:
        ProgramMissing: Says what to install.
    """
    places = [shutil.which(name), f"/usr/lib/postgresql/{major}/bin/{name}"]
    if str(major) == embedded.MAJOR:
        places.insert(0, str(embedded.find_programs() / name))
    for place in places:
        if place is not None and _get_major(place) == major:
            return Path(place)
    raise ProgramMissing(
        f"{name} {major} is needed, for the database is PostgreSQL {major}, and it is"
        f" not on the PATH. Install PostgreSQL's client programs of version {major},"
        f" for example: apt install postgresql-client-{major}"
    )


def _get_major(program: str) -> int | None:
    """Return the major version of a program, or None if it does not run."""
    try:
        ended = subprocess.run(  # noqa: S603  # no shell
            [program, "--version"], capture_output=True, text=True, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = _VERSION.search(ended.stdout)
    return int(version[1]) if version else None
