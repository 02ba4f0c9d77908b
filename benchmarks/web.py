"""Asking the Dagster UI's web server what a person's browser asks it for.

Only the questions and their answers; when they are asked, `backlog` says.
"""

import json
import time
import urllib.request
from dataclasses import dataclass
from typing import Any

ASSET_PAGE = """
query Page($key: AssetKeyInput!) {
  assetNodeOrError(assetKey: $key) { ... on AssetNode {
    id description groupName jobNames owners { __typename }
    partitionStats { numMaterialized numPartitions numFailed numMaterializing }
    partitionKeysByDimension { name type partitionKeys }
    assetPartitionStatuses { ... on DefaultPartitionStatuses {
      materializedPartitions failedPartitions
      unmaterializedPartitions materializingPartitions } }
    assetMaterializations(limit: 100) {
      timestamp partition runId stepKey metadataEntries { label } }
    assetChecksOrError { ... on AssetChecks { checks {
      name executionForLatestMaterialization { id status } } } }
  } }
}
"""
_RUNS_PAGE = """
query Runs {
  runsOrError(limit: 30) { ... on Runs { results {
    runId status jobName startTime endTime tags { key value }
    assetSelection { path } } } }
}
"""
_HEALTH = """
query Health {
  instance { daemonHealth { allDaemonStatuses {
    daemonType required healthy lastHeartbeatTime } } }
}
"""
_TICKS = """
query Ticks($sensor: SensorSelector!, $after: Float!) {
  sensorOrError(sensorSelector: $sensor) { ... on Sensor { sensorState {
    ticks(limit: 10000, afterTimestamp: $after) { timestamp endTimestamp } } } }
}
"""
_SENSOR = {
    "repositoryLocationName": "cvms_pipeline",
    "repositoryName": "__repository__",
    "sensorName": "incoming_uploads",
}
_LONGEST_SECONDS = 120


class WebError(Exception):
    """The web server has not answered a question in full."""


@dataclass(frozen=True, slots=True)
class Web:
    """A web server at a port of this machine."""

    port: int

    def page_seconds(self, asset: str) -> float:
        """Return how long the slower of the runs' and an asset's page takes."""
        began = time.perf_counter()
        self._answer(_RUNS_PAGE)
        runs = time.perf_counter() - began
        self._answer(ASSET_PAGE, key={"path": [asset]})
        return max(runs, time.perf_counter() - began - runs)

    def heartbeat_age(self) -> float:
        """Return how many seconds ago the daemon longest silent was heard of."""
        found = self._answer(_HEALTH)["daemonHealth"]["allDaemonStatuses"]
        heard = [one["lastHeartbeatTime"] for one in found if one["required"]]
        return time.time() - min(time_ for time_ in heard if time_ is not None)

    def sensor_pauses(self, *, after: float) -> list[float]:
        """Return how long nobody looked for files, from each tick to the next."""
        found = self._answer(_TICKS, sensor=_SENSOR, after=after)
        ticks = found["sensorState"]["ticks"]
        began = [tick["timestamp"] for tick in ticks][:-1]
        ended = [tick["endTimestamp"] for tick in ticks][1:]
        pairs = zip(ended, began, strict=True)
        return [later - earlier for earlier, later in pairs if earlier is not None]

    def _answer(self, query: str, **variables: Any) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/graphql",
            data=json.dumps({"query": query, "variables": variables}).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=_LONGEST_SECONDS) as response:
            answer = json.load(response)
        if "errors" in answer:
            raise WebError(str(answer["errors"]))
        (found,) = answer["data"].values()
        return found
