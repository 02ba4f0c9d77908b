"""Dagster's own storage: dagster-postgres, with connections kept open.

dagster-postgres connects anew for every statement outside the web server, about a
hundred times a run.  Here each of its three parts keeps a pool instead.  That
touches `_engine`, a name of dagster-postgres' own; `tests/unit/defs` notices a change.
"""

from collections.abc import Mapping
from typing import Any, Self

import dagster_postgres.storage
import dagster_postgres.utils
from dagster._serdes import ConfigurableClassData

from cvms_pipeline import settings

SCHEMA = "dagster"

_POOL: dict[str, Any] = {
    "isolation_level": "AUTOCOMMIT",
    "pool_size": 1,
    "max_overflow": 20,
    "pool_recycle": 1_800,
    "pool_pre_ping": True,  # Postgres may have been restarted in between
}


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
        storage = cls(postgres_url=url, inst_data=inst_data)
        for part in storage.parts:
            part._engine = dagster_postgres.utils.create_pg_engine(url, **_POOL)
        return storage

    @property
    def parts(self) -> tuple[Any, ...]:
        """Return the three storages that this one consists of."""
        return self._event_log_storage, self._run_storage, self._schedule_storage
