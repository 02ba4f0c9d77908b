"""The IO manager: sheets between the ops of one upload, in the work folder.

Dagster's own would pickle rows of people under DAGSTER_HOME and never remove them.
"""

import contextlib

import dagster as dg

from cvms_pipeline.defs import failures
from cvms_pipeline.domain import packing, sheet
from cvms_pipeline.ingest import judge
from cvms_pipeline.ingest import pipeline as pipelines


class SheetsInWorkFolder(dg.ConfigurableIOManager):
    """Keeps each op's sheet as `<work folder>/<upload id>/<step>`, mode 0600.

    The last step of an upload removes its folder.  A step that is run again after
    that, or that finds what another version has left, gets its sheet made anew from
    the archive.
    """

    pipeline: dg.ResourceDependency[pipelines.Pipeline]

    def handle_output(self, context: dg.OutputContext, obj: sheet.Sheet) -> None:
        """Write the sheet that a step has made."""
        with failures.told_to_dagster():
            self.pipeline.work.write(
                context.partition_key, context.step_key, packing.pack(obj)
            )

    def load_input(self, context: dg.InputContext) -> sheet.Sheet:
        """Return the sheet of the step before, from the work folder or made anew."""
        made_by = context.upstream_output
        assert made_by is not None  # noqa: S101  # these inputs always come from an op
        upload_id, step = context.partition_key, made_by.step_key
        with failures.told_to_dagster():
            with (
                self.pipeline.work.opened(upload_id, step) as file,
                contextlib.suppress(packing.Unreadable),
            ):
                if file is not None:
                    return packing.unpack(file)
            return judge.again(self.pipeline, upload_id, made_by.op_def.name)
