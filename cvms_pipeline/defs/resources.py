"""What ops, assets and sensors are given: the pipeline, and the place of its frames.

Resources only convert: settings in, plain objects out.  Nothing below `defs` sees
a class of Dagster.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import dagster as dg

from cvms_pipeline import opening, settings
from cvms_pipeline.defs import sheets
from cvms_pipeline.ingest import pipeline


class PipelineResource(dg.ConfigurableResource[pipeline.Pipeline]):
    """The pipeline as the settings describe it, opened once for each run or tick."""

    @contextlib.contextmanager
    def yield_for_execution(
        self, context: dg.InitResourceContext
    ) -> Iterator[pipeline.Pipeline]:
        """Open the pipeline, and close its connections afterwards."""
        with opening.open_pipeline(settings.load()) as opened:
            yield opened


def from_settings() -> dict[str, Any]:
    """Return the resources of the real thing, by key."""
    opened = PipelineResource()
    return {"pipeline": opened, "sheets": sheets.SheetsInWorkFolder(pipeline=opened)}
