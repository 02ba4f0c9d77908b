"""Dagster's own storage: dagster-postgres, with connections that are kept open.

Outside the web server, dagster-postgres opens a connection for every statement, about
two hundred times a run.  Here its three parts share one pool of connections a process,
and the half of these statements that changes nothing is left out.
"""

import functools
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import dagster_postgres.storage
import dagster_postgres.utils

from cvms_pipeline.database import engine
from cvms_pipeline.settings import loading

_POOL: dict[str, Any] = {
    "isolation_level": "AUTOCOMMIT",
    "pool_size": 5,  # opened as threads need them: a worker has one thread
    "max_overflow": 20,
    "pool_recycle": 1_800,
    "pool_use_lifo": True,
}
_SCHEMA_CHECKS = (
    "has_table",
    "has_asset_key_col",
    "has_run_stats_index_cols",
    "has_backfill_id_column",
)
"""What Dagster checks of its own tables many times a run; they never lose anything."""

_RESTART_SECONDS = 2.5
"""How long the UI waits for Postgres at each of the six attempts that Dagster makes."""


@dataclass(slots=True, kw_only=True)
class _Database:
    """What a process keeps when it opens the instance again, as each tick does."""

    engine: Any
    has_tables: bool = False
    found: set[tuple[str, ...]] = field(default_factory=set)
    is_of_web_server: bool = False

    def optimize_for_webserver(
        self, statement_timeout: int, pool_recycle: int, max_overflow: int
    ) -> None:
        """Limit how long a statement takes; outlast a restart of Postgres.

        Dagster would open other connections here, which nothing tests before use, and
        the UI would show errors after Postgres was killed.
        """
        if self.is_of_web_server:  # Dagster asks each of the three parts
            return
        self.is_of_web_server = True
        engine.outlast_restarts(self.engine, seconds=_RESTART_SECONDS)
        engine.limit_statements(self.engine, milliseconds=statement_timeout)


class PooledPostgresStorage(dagster_postgres.storage.DagsterPostgresStorage):
    """Dagster's runs, events and schedules in the schema `dagster`, pooled.

    The URL comes from the settings when a process opens the instance, so that it is in
    no file, no command line and no message.
    """

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Return that nothing is configured in dagster.yaml."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Mapping[str, Any]) -> Self:
        """Open the storage that the settings name, creating tables where needed."""
        url = loading.load().urls.dagster
        database = _open_in_process(os.getpid(), url)
        storage = cls(url, not database.has_tables, inst_data=inst_data)
        database.has_tables = True
        parts: tuple[Any, ...] = (
            storage.event_log_storage,
            storage.run_storage,
            storage.schedule_storage,
        )
        for part in parts:
            part._engine = database.engine
            part.optimize_for_webserver = database.optimize_for_webserver
            for name in _SCHEMA_CHECKS:
                if check := getattr(part, name, None):
                    setattr(part, name, _check_once(database.found, name, check))
        return storage


@functools.cache
def _open_in_process(pid: int, url: str) -> _Database:
    """Return the process's connections; they stay open, but not over a fork."""
    pool = dagster_postgres.utils.create_pg_engine(url, **_POOL)
    engine.ping_idle_connections(pool)  # Postgres may have been restarted
    # Only older versions of Dagster listen for a notification of each event.
    engine.skip_statements(pool, "NOTIFY ")
    return _Database(engine=pool)


def _check_once(
    found: set[tuple[str, ...]], name: str, check: Callable[..., bool]
) -> Callable[..., bool]:
    """Return `check` with a memory of what exists; what is missing may be added."""

    def has(*arguments: str) -> bool:
        key = (name, *arguments)
        if key not in found and check(*arguments):
            found.add(key)
        return key in found

    return has
