"""Dagster's own storage: dagster-postgres, with connections kept open.

dagster-postgres connects anew for every statement outside the web server, about a
hundred times a run, and asks as often whether the tables that it needs are there.
Here its three parts share a pool, and remember a yes.  That touches names of
dagster-postgres' own; `tests/integration/defs/test_defs_internals.py` notices a change.
"""

import functools
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import dagster_postgres.storage
import dagster_postgres.utils
from dagster._serdes import ConfigurableClassData

from cvms_pipeline import settings
from cvms_pipeline.defs import events
from cvms_pipeline.store import pooling

SCHEMA = "dagster"

_POOL: dict[str, Any] = {
    "isolation_level": "AUTOCOMMIT",
    "pool_size": 5,  # opened as threads need them: a worker has one thread
    "max_overflow": 20,
    "pool_recycle": 1_800,
    "pool_use_lifo": True,
}
LASTING = (
    "has_built_index",
    "has_secondary_index",
    "has_table",
    "has_asset_key_col",
    "has_backfill_id_column",
    "has_run_stats_index_cols",
    "has_instigators_table",
    "_has_instigators_table",
    "has_secondary_index_table",
    "has_job_snapshot",
    "has_execution_plan_snapshot",
    "get_execution_plan_snapshot",
)
"""What Dagster asks again and again of its schema, of which nothing ever goes, and of
its snapshots, which are named by what is in them, and never removed."""


@dataclass(slots=True, kw_only=True)
class _Opened:
    """What a process keeps, however often it opens the instance: each tick does."""

    engine: Any
    has_tables: bool = False
    known: dict[tuple[object, ...], Any] = field(default_factory=dict)


class PooledPostgresStorage(dagster_postgres.storage.DagsterPostgresStorage):
    """Dagster's runs, events and schedules in the schema `dagster`, pooled.

    The URL comes from the settings when a process opens the instance, so that it
    stands in no file, no command line and no message.
    """

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Return that nothing is configured in dagster.yaml."""
        return {}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> Self:
        """Open the storage that the settings name, creating tables where needed."""
        url = settings.load().schema_url(SCHEMA)
        opened = _open_in_process(os.getpid(), url)
        storage = cls(url, not opened.has_tables, inst_data=inst_data)
        storage._event_log_storage = events.EventLog(url, not opened.has_tables)
        opened.has_tables = True
        for part in storage.parts:
            part._engine = opened.engine
            for name in LASTING:
                if ask := getattr(part, name, None):
                    setattr(part, name, _remembering(opened.known, name, ask))
        return storage

    @property
    def parts(self) -> tuple[Any, ...]:
        """Return the three storages that this one consists of."""
        return self._event_log_storage, self._run_storage, self._schedule_storage


@functools.cache
def _open_in_process(pid: int, url: str) -> _Opened:
    """Return the process's connections; they outlive an instance, but no fork."""
    engine = dagster_postgres.utils.create_pg_engine(url, **_POOL)
    pooling.try_after_a_pause(engine)  # Postgres may have been restarted
    return _Opened(engine=engine)


def _remembering(
    known: dict[tuple[object, ...], Any], name: str, ask: Callable[..., Any]
) -> Callable[..., Any]:
    """Return `ask` so that what was once answered is not asked again, but for a no.

    It does not matter over which connection it is asked.
    """

    def remembered(*about: object, **more: object) -> Any:
        named = (each for each in (*about, *more.values()) if isinstance(each, str))
        key = (name, *named)
        if key in known:
            return known[key]
        if answer := ask(*about, **more):
            known[key] = answer
        return answer

    return remembered
