"""What data-ops do in the Dagster UI, in a few words for tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg
import installations

RETRY = dg.DagsterEventType.STEP_UP_FOR_RETRY


@dataclass(frozen=True, kw_only=True)
class Desk:
    """The real definitions on a test's pipeline and instance."""

    site: installations.Installation
    instance: dg.DagsterInstance
    definitions: dg.Definitions

    def receive(self, content: bytes | Sequence[str], **where: Any) -> str:
        """Take one file in, and add its partition; return the upload's id."""
        upload_id = self.site.receive(content, **where)
        self.instance.add_dynamic_partitions("uploads", [upload_id])
        return upload_id

    def run(
        self, upload_id: str | None, job: str = "process_upload", **options: Any
    ) -> dg.ExecuteInProcessResult:
        """Run a job, on an upload's partition or on none, whatever becomes of it."""
        return self.definitions.resolve_job_def(job).execute_in_process(
            instance=self.instance,
            partition_key=upload_id,
            raise_on_error=False,
            **options,
        )

    def bring(self, content: bytes | Sequence[str], **where: Any) -> str:
        upload_id = self.receive(content, **where)
        assert self.run(upload_id).success
        return upload_id

    def materialization(self, asset: str, upload_id: str) -> Mapping[str, Any]:
        """Return the metadata's values of the asset's latest materialization."""
        found = self.instance.fetch_materializations(
            dg.AssetRecordsFilter(
                asset_key=dg.AssetKey(asset), asset_partitions=[upload_id]
            ),
            limit=1,
        )
        assert found.records, f"{asset} has no materialization"
        made = found.records[0].asset_materialization
        assert made is not None
        return {name: each.value for name, each in made.metadata.items()}

    def sensor(self, name: str, **options: Any) -> dg.SensorResult | dg.SkipReason:
        """Return what a tick of the sensor asks for."""
        sensor = self.definitions.resolve_sensor_def(name)
        context = dg.build_sensor_context(
            instance=self.instance,
            definitions=self.definitions,
            resources={"pipeline": self.site.pipeline},
            **options,
        )
        return sensor(context)

    def tick(self, name: str, **options: Any) -> list[dg.RunRequest]:
        """Do with the answer of a sensor what the daemon does; return the requests.

        Unlike `sensor`, this resolves the requests, and so fails with an unknown
        partition as the daemon does.
        """
        sensor = self.definitions.resolve_sensor_def(name)
        context = dg.build_sensor_context(
            instance=self.instance,
            definitions=self.definitions,
            resources={"pipeline": self.site.pipeline},
            **options,
        )
        # Without it, Dagster looks for the partitions of no instance.
        context.caching_dynamic_partitions_loader = self.instance
        asked = sensor.evaluate_tick(context)
        for event in asked.asset_events:
            self.instance.report_runless_asset_event(event)
        for request in asked.dynamic_partitions_requests or []:
            self.instance.add_dynamic_partitions(
                request.partitions_def_name, request.partition_keys
            )
        return list(asked.run_requests or [])


def at(site: installations.Installation, instance: dg.DagsterInstance) -> Desk:
    from cvms_pipeline import definitions  # where Dagster's warning is expected

    made = definitions.build_defs(pipeline=site.pipeline)
    return Desk(site=site, instance=instance, definitions=made)


def checks(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
    return {each.check_name: each for each in result.get_asset_check_evaluations()}


def failure(result: dg.ExecuteInProcessResult) -> tuple[str, str]:
    """Return which step has failed, and in which words."""
    (failed,) = [event for event in result.all_events if event.is_step_failure]
    data = failed.step_failure_data
    description = data.user_failure_data.description if data.user_failure_data else ""
    return failed.step_key or "", description or str(data.error)


def retries(result: dg.ExecuteInProcessResult) -> list[str]:
    """Return the steps that were tried again, once for each time."""
    return [e.step_key or "" for e in result.all_events if e.event_type is RETRY]
