"""Dagster's own storage: dagster-postgres, with connections kept open.

dagster-postgres connects anew for every statement outside the web server, about
a hundred times a run.  What the web server does to cure that, this does for all.
`optimize_for_webserver` is Dagster's own name; `tests/unit/defs` notices a change.
"""

from collections.abc import Mapping
from typing import Any, Self

import dagster_postgres.storage
from dagster._serdes import ConfigurableClassData

from cvms_pipeline import settings

SCHEMA = "dagster"
_STATEMENT_MILLISECONDS = 60_000
_RECYCLE_SECONDS = 1_800
_MOST_EXTRA_CONNECTIONS = 20


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
        storage = cls(
            postgres_url=settings.load().schema_url(SCHEMA), inst_data=inst_data
        )
        for part in (
            storage.event_log_storage,
            storage.run_storage,
            storage.schedule_storage,
        ):
            part.optimize_for_webserver(
                statement_timeout=_STATEMENT_MILLISECONDS,
                pool_recycle=_RECYCLE_SECONDS,
                max_overflow=_MOST_EXTRA_CONNECTIONS,
            )
        return storage
