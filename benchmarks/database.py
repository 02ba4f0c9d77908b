"""A database to measure in: made for one benchmark, thrown away after it.

The embedded Postgres of the product with the product's own settings, or a new
database on the server that `BENCH_DATABASE_URL` names.  How it is filled is
`filling`.
"""

import contextlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from cvms_pipeline.database import revisions
from cvms_pipeline.local.postgres import embedded

VARIABLE = "BENCH_DATABASE_URL"


@contextlib.contextmanager
def throw_away() -> Iterator[str]:
    """Have an empty database at the newest revision; yield its URL."""
    given = os.environ.get(VARIABLE)
    with _on_server(given) if given else _embedded() as url:
        revisions.upgrade(url)
        yield url


def folder() -> Path:
    """Return the folder under which embedded databases are made."""
    return Path(tempfile.gettempdir())


def free_bytes() -> int | None:
    """Return the free disk space for an embedded database; None on a server."""
    if os.environ.get(VARIABLE):
        return None
    return shutil.disk_usage(folder()).free


@contextlib.contextmanager
def _embedded() -> Iterator[str]:
    made = tempfile.mkdtemp(prefix="cvms-bench-", dir=folder())
    server = embedded.EmbeddedPostgres(Path(made))
    try:
        server.start()
        yield server.url
    finally:
        server.stop()
        shutil.rmtree(made, ignore_errors=True)


@contextlib.contextmanager
def _on_server(given: str) -> Iterator[str]:
    """Have a database of our own beside the named one, which is not touched."""
    server = sa.make_url(given).set(drivername="postgresql+psycopg2")
    name = f"cvms_bench_{secrets.token_hex(4)}"
    admin = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as conn:
        conn.exec_driver_sql(f"CREATE DATABASE {name}")
    try:
        yield server.set(database=name).render_as_string(hide_password=False)
    finally:
        with admin.connect() as conn:
            conn.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
        admin.dispose()
