"""The product on a benchmark's database, in this process: one upload, all the way.

What the sensors and a warm worker do between a drop and its notice is done here one
after the other, without the waiting between them, which `orchestration` measures.
"""

import contextlib
import logging
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import dagster as dg

from cvms_pipeline import bootstrap, definitions
from cvms_pipeline.defs import overview, partitions, sensors
from cvms_pipeline.domain.vocabulary import provider, upload
from cvms_pipeline.files import provider_folders
from cvms_pipeline.maintenance import retention
from cvms_pipeline.settings import loading
from cvms_pipeline.store import providers
from cvms_pipeline.use_cases import history, pipelines, receive

SLUG = "bench"

_LOG = logging.getLogger(__name__)

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
_DAGSTER_YAML = """\
storage:
  custom:
    module: cvms_pipeline.run_engine.storage
    class: PooledPostgresStorage
    config: {}
compute_logs:
  module: dagster._core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager
telemetry:
  enabled: false
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """An installation with its Dagster instance and definitions."""

    pipeline: pipelines.Pipeline
    limits: retention.Limits
    instance: dg.DagsterInstance
    definitions: dg.Definitions

    def bring(self, data: bytes) -> str:
        """Drop a file and take it to its notice; return the upload's id."""
        lane = self.pipeline.folders.root / SLUG / upload.Lane.LOW_VOLUME
        (lane / f"{time.monotonic_ns()}.csv").write_bytes(data)
        while not receive.receive(self.pipeline).is_complete:
            time.sleep(0.001)
        (taken,) = receive.request_runs(self.pipeline).uploads
        asked = sensors.request_runs([taken], _LOG)
        self.instance.add_dynamic_partitions(partitions.UPLOADS.name or "", [taken.id])
        self._report(asked.asset_events)
        self._run("process_upload", partition_key=taken.id)
        stands = history.read_overview(self.pipeline)
        self._report(overview.make_asset_events(stands, _LOG))
        return taken.id

    def invite(self, upload_id: str) -> None:
        """Send the invitations of an upload."""
        self._run("send_invitations", partition_key=upload_id)

    def retain(self, limits: retention.Limits) -> None:
        """Run the retention job for real, with other limits than the settings'."""
        made = definitions.build_defs(pipeline=self.pipeline, limits=limits)
        replace(self, definitions=made)._run("retention", run_config={"dry_run": False})

    def _report(self, events: Iterable[Any]) -> None:
        for event in events:
            self.instance.report_runless_asset_event(event)

    def _run(self, job: str, **how: Any) -> None:
        found = self.definitions.resolve_job_def(job)
        found.execute_in_process(
            instance=self.instance, **{"run_config": _QUIET, **how}
        )


@contextlib.contextmanager
def installed(home: Path, url: str) -> Iterator[Installed]:
    """Open an installation with its folders below `home` on the database at `url`."""
    home.mkdir(exist_ok=True)
    (home / "dagster.yaml").write_text(_DAGSTER_YAML)
    os.environ.update({"CVMS_HOME": str(home), "CVMS_DATABASE_URL": url})
    os.environ["CVMS_SETTLE_SECONDS"] = "0"
    chosen = loading.load()
    with (
        bootstrap.open_pipeline(chosen) as pipeline,
        dg.DagsterInstance.from_config(str(home)) as instance,
    ):
        _add_provider(pipeline)
        limits = bootstrap.get_retention_limits(chosen)
        yield Installed(
            pipeline=pipeline,
            limits=limits,
            instance=instance,
            definitions=definitions.build_defs(pipeline=pipeline, limits=limits),
        )


def _add_provider(pipeline: pipelines.Pipeline) -> None:
    bench = provider.Provider(
        slug=SLUG,
        name="Bench",
        vfc_pin="VAC2021",
        emails=("bench@example.org",),
        created_at=loading.now(),
    )
    with pipeline.store.begin() as conn:
        if providers.find(conn, SLUG) is None:
            providers.add(conn, bench)
    provider_folders.make_folders(pipeline.folders, SLUG)
