"""What ops, assets and sensors get: the pipeline, the limits, the sheets.

Resources only convert configuration into plain objects.  Nothing below `defs` gets an
object of Dagster.
"""

import contextlib
import dataclasses
import functools
import os
from collections.abc import Iterator

import dagster as dg
import pydantic

from cvms_pipeline import bootstrap
from cvms_pipeline.defs import failures
from cvms_pipeline.domain.sheets import packing, sheet
from cvms_pipeline.maintenance import retention
from cvms_pipeline.settings import loading
from cvms_pipeline.use_cases import pipelines, process


class PipelineResource(dg.ConfigurableResource[pipelines.Pipeline]):
    """The pipeline that the settings describe, opened once for each process."""

    @contextlib.contextmanager
    def yield_for_execution(
        self, context: dg.InitResourceContext
    ) -> Iterator[pipelines.Pipeline]:
        """Open the pipeline; afterwards only its mail connection is closed."""
        opened = _open_in_process(os.getpid())
        try:
            yield opened
        finally:
            opened.mailer.close()


class LimitsResource(dg.ConfigurableResource[retention.Limits]):
    """How much `retention` keeps."""

    live_partitions: int = pydantic.Field(description="Uploads that Dagster shows.")
    run_days: int = pydantic.Field(description="Days of runs of no upload shown.")
    rejected_rows_days: int = pydantic.Field(description="Days of rejected rows.")
    removed_days: int = pydantic.Field(description="Days of removed people's names.")
    draft_days: int = pydantic.Field(description="Days of paused registrations.")
    archive_days: int = pydantic.Field(description="Days of received files.")
    case_days: int = pydantic.Field(description="Days of the texts of closed cases.")
    work_days: int = pydantic.Field(description="Days of unfinished work folders.")

    def create_resource(self, context: dg.InitResourceContext) -> retention.Limits:
        """Return the limits."""
        names = [field.name for field in dataclasses.fields(retention.Limits)]
        return retention.Limits(**{name: getattr(self, name) for name in names})


class SheetsInWorkFolder(dg.ConfigurableIOManager):
    """Keeps each op's sheet as `<work folder>/<upload id>/<step>`, mode 0600.

    Dagster's own IO manager would pickle rows of people under DAGSTER_HOME and never
    remove them.  The last step of an upload removes its folder.  A step that is run
    again after that, or that finds a sheet of another version, gets its sheet made
    again from the archive.
    """

    pipeline: dg.ResourceDependency[pipelines.Pipeline]

    def handle_output(self, context: dg.OutputContext, obj: sheet.Sheet) -> None:
        """Write the sheet that a step has made."""
        with failures.op_errors():
            self.pipeline.work.write(
                context.partition_key, context.step_key, packing.pack_sheet(obj)
            )

    def load_input(self, context: dg.InputContext) -> sheet.Sheet:
        """Return the sheet of the step before, from the work folder or made again."""
        made_by = context.upstream_output
        assert made_by is not None  # noqa: S101  # these inputs always come from an op
        upload_id, step = context.partition_key, made_by.step_key
        with failures.op_errors():
            with (
                self.pipeline.work.opened(upload_id, step) as file,
                contextlib.suppress(packing.SheetUnreadable),
            ):
                if file is not None:
                    return packing.unpack_sheet(file)
            return process.repeat(self.pipeline, upload_id, made_by.op_def.name)


@functools.cache
def _open_in_process(pid: int) -> pipelines.Pipeline:
    """Return the process's pipeline; its connections outlive a run, but no fork."""
    chosen = loading.load()
    bootstrap.check_permissions(chosen)
    bootstrap.create_missing(chosen)
    return bootstrap.open_pipeline(chosen)
