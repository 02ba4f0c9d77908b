"""The peers: what is installed for each, how it is called, and what it does not do.

How they are timed is `peers`; what each of them is told to do is in `peer_scripts`.
"""

import json
import subprocess
import sys
import time
import venv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import showing

_SCRIPTS = Path(__file__).with_name("peer_scripts")
SCHEMAS = ("peer_dlt", "peer_dlt_staging", "peer_singer")
ENVIRONMENT = {
    "PGOPTIONS": "-c search_path=public",  # a user may have a schema of its own name
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "RUNTIME__LOG_LEVEL": "ERROR",
}
"""What every peer's process is told beside where the database is."""

_Commands = Callable[[Path, Path, str, Path], list[list[str]]]
"""From the environment's `bin`, the file, the database's URL and an empty folder to
the commands that are piped into one another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One other way to bring the file into the database.

    Attributes:
        name: What it is called.
        packages: What pip installs for it.
        commands: How it is called.
        table: Where the rows are afterwards; None if nowhere.
        less: What it does not do of what the product does.
    """

    name: str
    packages: tuple[str, ...]
    commands: _Commands
    table: str | None
    less: str


def _script(name: str) -> _Commands:
    return lambda bin_, file, _url, _folder: [
        [str(bin_ / "python"), str(_SCRIPTS / name), str(file)]
    ]


def _csvsql(bin_: Path, file: Path, url: str, _: Path) -> list[list[str]]:
    options = ["--db", url, "--insert", "--tables", "peer_csvsql"]
    return [[str(bin_ / "csvsql"), *options, str(file)]]


def _target_postgres(bin_: Path, file: Path, url: str, folder: Path) -> list[list[str]]:
    config = folder / "config.json"
    facts = {"sqlalchemy_url": url, "default_target_schema": "peer_singer"}
    config.write_text(json.dumps(facts))
    tap = [str(bin_ / "python"), str(_SCRIPTS / "singer_messages.py"), str(file)]
    return [tap, [str(bin_ / "target-postgres"), "--config", str(config)]]


PEERS = (
    Peer(
        name="dlt",
        packages=("dlt[postgres]",),
        commands=_script("dlt_merge.py"),
        table="peer_dlt.recipients",
        less="no rules, no reasons: bad rows are stored too",
    ),
    Peer(
        name="target-postgres",
        packages=("meltanolabs-target-postgres",),
        commands=_target_postgres,
        table="peer_singer.recipients",
        less="no rules, no reasons: bad rows are stored too",
    ),
    Peer(
        name="frictionless",
        packages=("frictionless",),
        commands=_script("frictionless_validate.py"),
        table=None,
        less="validates only: no store, no duplicates, no report",
    ),
    Peer(
        name="csvsql",
        packages=("csvkit", "psycopg2-binary"),
        commands=_csvsql,
        table="public.peer_csvsql",
        less="no rules, no duplicates, no reasons: bad rows are stored too",
    ),
    Peer(
        name="petl",
        packages=("petl", "sqlalchemy", "psycopg2-binary"),
        commands=_script("petl_load.py"),
        table="public.peer_petl",
        less="appends, no upsert; rejected rows are left out, not reported",
    ),
    Peer(
        name="pandas to_sql",
        packages=("pandas", "sqlalchemy", "psycopg2-binary"),
        commands=_script("pandas_to_sql.py"),
        table="public.peer_pandas",
        less="rejected rows are left out, not reported; no updates, no outbox",
    ),
)


def install(folder: Path, *, seconds: float | None) -> dict[Peer, Path]:
    """Return the environment of each peer, made under `folder` where it is missing.

    A peer that cannot be installed is left out, and said to be.  After `seconds` no
    further installation is begun.
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    found = {}
    for peer in PEERS:
        environment = folder / peer.name.replace(" ", "-")
        if not _is_complete(environment):
            if deadline is not None and time.monotonic() > deadline:
                showing.progress(f"LEFT OUT: {peer.name}: no time to install it")
                continue
            if not _install(peer, environment, deadline):
                continue
        found[peer] = environment
    return found


def _is_complete(environment: Path) -> bool:
    return (environment / "complete").exists()


def _install(peer: Peer, environment: Path, deadline: float | None) -> bool:
    showing.progress(f"Installing {peer.name} into {environment} …")
    venv.create(environment, with_pip=True, clear=True)
    pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    patience = None if deadline is None else max(1.0, deadline - time.monotonic())
    try:
        subprocess.run(
            [*pip, "--disable-pip-version-check", *peer.packages],
            check=True,
            stdout=sys.stderr,
            timeout=patience,
        )
    except (subprocess.SubprocessError, OSError) as problem:
        what = type(problem).__name__
        showing.progress(f"LEFT OUT: {peer.name} cannot be installed ({what})")
        return False
    (environment / "complete").touch()
    return True
