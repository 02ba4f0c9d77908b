"""What ops, assets and sensors are given: the pipeline, and the place of its frames.

Resources only convert: settings in, plain objects out.  Nothing below `defs` sees
a class of Dagster.
"""

import contextlib
import functools
import os
from collections.abc import Iterator
from typing import Any

import dagster as dg

from cvms_pipeline import errors, opening, settings
from cvms_pipeline.defs import partitions, sheets
from cvms_pipeline.ingest import pipeline, retention, standing


class PipelineResource(dg.ConfigurableResource[pipeline.Pipeline]):
    """The pipeline as the settings describe it, opened once a process."""

    @contextlib.contextmanager
    def yield_for_execution(
        self, context: dg.InitResourceContext
    ) -> Iterator[pipeline.Pipeline]:
        """Open the pipeline; afterwards only its mail connection is closed."""
        opened = _open_in_process(os.getpid())
        is_noted = context.run is None or note_rerun(opened, context.run)
        try:
            yield opened
        finally:
            if not is_noted and context.run is not None:
                note_rerun(opened, context.run)
            opened.mailer.close()


class LimitsResource(dg.ConfigurableResource[retention.Limits]):
    """How much retention leaves, as the settings say."""

    def create_resource(self, context: dg.InitResourceContext) -> retention.Limits:
        """Return the limits."""
        return opening.limits(settings.load())


def note_rerun(opened: pipeline.Pipeline, run: dg.DagsterRun) -> bool:
    """Let the audit tell of a run that repeats an earlier one, whatever its steps are.

    A store that is away is left to the steps, which wait for it; this is tried again
    when the run has ended, and when it is seen to have failed (`sensors`).

    Returns:
        Whether there is nothing left to be told.
    """
    earlier_run, upload_id = run.parent_run_id, run.tags.get(partitions.PARTITION_TAG)
    if earlier_run is None or upload_id is None:
        return True
    with contextlib.suppress(errors.CvmsError):
        standing.note_rerun(
            opened, upload_id, run_id=run.run_id, earlier_run=earlier_run
        )
        return True
    return False


@functools.cache
def _open_in_process(pid: int) -> pipeline.Pipeline:
    """Return the process's pipeline; its connections outlive a run, but no fork."""
    chosen = settings.load()
    opening.check_permissions(chosen)
    return opening.open_pipeline(chosen)


def from_settings() -> dict[str, Any]:
    """Return the resources of the real thing, by key."""
    opened = PipelineResource()
    return {
        "pipeline": opened,
        "sheets": sheets.SheetsInWorkFolder(pipeline=opened),
        "limits": LimitsResource(),
    }
