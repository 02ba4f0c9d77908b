"""Dagster's event log in Postgres, with fewer statements on the way.

A run stores some fifty events, and each of its steps asks the same things again.
What is stored is what dagster-postgres stores, in the same order.  That touches names
of Dagster's own; `tests/integration/defs/test_defs_events.py` notices a change.
"""

import contextlib
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any

import dagster as dg
import dagster_postgres.event_log
from dagster._core.events import ASSET_CHECK_EVENTS, ASSET_EVENTS
from dagster._core.storage.event_log import schema

FOLLOWED = frozenset(
    {
        dg.DagsterEventType.HANDLED_OUTPUT,
        dg.DagsterEventType.LOADED_INPUT,
        dg.DagsterEventType.LOGS_CAPTURED,
        dg.DagsterEventType.RESOURCE_INIT_SUCCESS,
        dg.DagsterEventType.STEP_OUTPUT,
    }
)
"""After which Dagster stores another at once, before an op of ours goes on.

They tell of nothing that is done: a step is by its success, an asset by its
materialization, a run by its end.
"""

_TABLE = schema.SqlEventLogStorageTable
_INSERT = _TABLE.insert().returning(_TABLE.c.id, sort_by_parameter_order=True)
"""The same for all events: to build it costs as much as to carry it out."""


class EventLog(dagster_postgres.event_log.PostgresEventLogStorage):
    """dagster-postgres' event log, without what nobody hears or what is known."""

    _run: "_Run | None" = None

    @contextlib.contextmanager
    def within_a_run(self) -> Iterator[None]:
        """Know, until it ends, that this process works on a run, and on nothing else.

        An event that is `FOLLOWED` is then stored with the one that follows, in one
        statement; a worker that dies in between leaves neither.  And what a step has
        asked is remembered for the next.
        """
        self._run = run = _Run()
        try:
            yield
        finally:
            self._run = None
            if run.held:
                self._insert(run.held)

    def store_event(self, event: dg.EventLogEntry) -> None:
        """Store an event as dagster-postgres does, except for its NOTIFY.

        Only readers of older versions listen to that, and it is a second statement.
        """
        told, held = event.dagster_event, []
        if self._run is not None:
            if told is not None and told.event_type in FOLLOWED:
                self._run.held.append(event)
                return
            held, self._run.held = self._run.held, []
        event_id = self._insert([*held, event])
        if told is None:
            return
        if told.event_type in ASSET_EVENTS and told.asset_key:
            with self.index_transaction() as conn:
                self._store_asset_event_tags(conn, [event], [event_id])
                self._store_asset_event(conn, event, event_id)
            if self._run is not None:
                self._run.made.clear()
        if told.event_type in ASSET_CHECK_EVENTS:
            self.store_asset_check_event(event, event_id)

    def has_dynamic_partition(
        self, partitions_def_name: str, partition_key: str
    ) -> bool:
        """Return whether there is such a partition; within a run, a yes stays one."""
        known = self._run.partitions if self._run is not None else {}
        ask = super().has_dynamic_partition
        about = (partitions_def_name, partition_key)
        return bool(_remembered(known, about, lambda: ask(*about)))

    def fetch_materializations(self, *which: Any, **more: Any) -> Any:
        """Return materializations; within a run, the same until it stores another."""
        known = self._run.made if self._run is not None else {}
        ask = super().fetch_materializations
        return _remembered(known, repr((which, more)), lambda: ask(*which, **more))

    def _get_latest_materialization_records(self, raw_asset_rows: Any) -> Any:
        """Return the latest of each asset, from its row alone if that says it all."""
        found = {}
        for row in raw_asset_rows:
            stored = dg.deserialize_value(row["last_materialization"] or "null")
            if row["asset_details"] or not isinstance(stored, dg.EventLogRecord):
                return super()._get_latest_materialization_records(raw_asset_rows)
            found[dg.AssetKey.from_db_string(row["asset_key"])] = stored
        return found

    def _insert(self, events: Sequence[dg.EventLogEntry]) -> int:
        """Insert events in their order, in one statement; return the id of the last."""
        rows = [self._event_to_row(event) for event in events]
        given = rows if len(rows) > 1 else rows[0]  # one alone needs no order
        with self.index_connection() as conn:
            return int(conn.execute(_INSERT, given).scalars().all()[-1])


class _Run:
    """What is known and held back while a run is worked on."""

    def __init__(self) -> None:
        self.held: list[dg.EventLogEntry] = []
        self.partitions: dict[Hashable, Any] = {}
        self.made: dict[Hashable, Any] = {}


def _remembered(
    known: dict[Hashable, Any], about: Hashable, ask: Callable[[], Any]
) -> Any:
    """Return what is known, or the answer, which is then known unless it is a no."""
    if about not in known:
        answer = ask()
        if not answer:
            return answer
        known[about] = answer
    return known[about]
