"""Error reports that providers have corrected in their `results`: found, and put back.

How they become uploads is `receive`; which of them are not ours is `files.corrected`.
"""

import contextlib
import datetime as dt
from dataclasses import replace

from cvms_pipeline.domain.reading import reader
from cvms_pipeline.files import archive, claims, corrected, incoming
from cvms_pipeline.use_cases import pipelines


def find_corrected(
    pipeline: pipelines.Pipeline, now: dt.datetime
) -> list[incoming.Entry]:
    """Return the corrected error reports, each in the lane that its rows fit."""
    check = pipeline.folders.make_settle_check(now)
    found = corrected.find_corrected(pipeline.folders, pipeline.reports, check=check)
    return [replace(each.entry, lane=reader.choose_lane(each.data)) for each in found]


def put_report_back(pipeline: pipelines.Pipeline, claim: claims.Claim) -> None:
    """Put our own error report back from where a corrected one was claimed."""
    upload_id = corrected.find_upload_id(claim.results)
    if upload_id is None:
        return
    with contextlib.suppress(archive.ReportMissing):
        corrected.put_back(
            pipeline.folders,
            slug=claim.folder,
            name=claim.results,
            report=pipeline.reports.read(upload_id),
        )
