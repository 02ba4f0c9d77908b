"""Dagster beside an installation, in a few words for tests."""

import logging
import pathlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
import installations

from cvms_pipeline.defs import partitions, sensors
from cvms_pipeline.maintenance import retention
from cvms_pipeline.use_cases import deliver

JOBS = ("process_upload", "send_invitations")
LIMITS = retention.Limits(
    live_partitions=2,
    run_days=30,
    rejected_rows_days=90,
    removed_days=30,
    draft_days=90,
    archive_days=365,
    case_days=365,
    work_days=7,
)


@dataclass(kw_only=True)
class Dagster:
    """What a test does with Dagster."""

    site: installations.Installation
    instance: dg.DagsterInstance
    limits: retention.Limits = field(default=LIMITS)

    def received(self, rows: Sequence[str]) -> str:
        """Receive an upload and do what the sensor's answer asks of Dagster."""
        upload_id = self.site.receive(rows)
        log = logging.getLogger("test")
        asked = sensors.request_runs([self.site.upload(upload_id)], log)
        for request in asked.dynamic_partitions_requests or []:
            self.instance.add_dynamic_partitions("uploads", request.partition_keys)
        for event in asked.asset_events:
            self.instance.report_runless_asset_event(event)
        return upload_id

    def finished(self, rows: Sequence[str]) -> str:
        """Receive and finish an upload, with its runs on record but without events."""
        upload_id = self.received(rows)
        finish(self.site, upload_id)
        for job in JOBS:
            self.add_run(upload_id, job, dg.DagsterRunStatus.SUCCESS)
        return upload_id

    def add_run(self, upload_id: str, job: str, status: dg.DagsterRunStatus) -> None:
        tags = {partitions.PARTITION_TAG: upload_id}
        self.instance.add_run(dg.DagsterRun(job_name=job, status=status, tags=tags))

    def processed(self, rows: Sequence[str]) -> str:
        """Receive an upload and run its jobs."""
        upload_id = self.received(rows)
        for job in JOBS:
            assert self.run(job, partition_key=upload_id).success
        return upload_id

    def run(self, job: str, **how: Any) -> dg.ExecuteInProcessResult:
        from cvms_pipeline import definitions  # where Dagster's warning is expected

        defs = definitions.build_defs(pipeline=self.site.pipeline, limits=self.limits)
        found = defs.resolve_job_def(job)
        return found.execute_in_process(instance=self.instance, **how)

    def retain(self, **config: bool) -> Mapping[str, Mapping[str, Any]]:
        """Run the job; return what each op showed."""
        result = self.run("retention", run_config=config)
        assert result.success
        return {
            event.step_key: event.event_specific_data.metadata
            for event in result.all_events
            if event.event_type_value == "STEP_OUTPUT"
        }

    def live(self) -> list[str]:
        return list(self.instance.get_dynamic_partitions("uploads"))

    def runs(self, upload_id: str) -> list[str]:
        tags = {partitions.PARTITION_TAG: upload_id}
        return [
            run.job_name for run in self.instance.get_runs(dg.RunsFilter(tags=tags))
        ]


def finish(site: installations.Installation, upload_id: str) -> None:
    """Do all that runs do of an upload, its invitations included."""
    site.process(upload_id)
    deliver.send_invitations(site.pipeline, upload_id)


def finished(site: installations.Installation, rows: Sequence[str]) -> str:
    """Bring an upload about which nothing is left to be done; return its id."""
    upload_id = site.receive(rows)
    finish(site, upload_id)
    return upload_id


def make_unremovable(path: pathlib.Path) -> None:
    """Let nobody remove a file, not even root: a folder that is not empty is there."""
    path.unlink()
    (path / "kept").mkdir(parents=True)


def counts(shown: Mapping[str, Any], column: str = "removed") -> dict[str, int]:
    """Return what an op's table says of each kind."""
    return {row.data["what"]: row.data[column] for row in shown["what"].records}
