"""The files of cases: kept like archived uploads, and read back by digest.

A file is kept before its row is written, so a row never lacks its bytes.  What a crash
leaves without a row is removed by retention.
"""

from dataclasses import dataclass, field

from cvms_pipeline.domain.vocabulary import upload
from cvms_pipeline.store.help_desk import case_files
from cvms_pipeline.use_cases import pipelines

_ENDINGS = (".csv", ".txt")


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachedFile:
    """A file with its name as it was given, which may be anything."""

    file_name: str = field(repr=False)
    data: bytes = field(repr=False)


def find_problem(file: AttachedFile | None, *, max_bytes: int) -> str | None:
    """Return what is wrong with a file as a whole, or None."""
    if file is None:
        return None
    if not file.data:
        return "The file is empty. Attach the file with the recipients"
    if len(file.data) > max_bytes:
        return f"The file is too large. Attach one with at most {max_bytes:,} bytes"
    if not file.file_name.lower().endswith(_ENDINGS):
        return "Attach a CSV file: in your spreadsheet program choose Save as, then CSV"
    return None


def keep(
    pipeline: pipelines.Pipeline, file: AttachedFile | None
) -> case_files.CaseFile | None:
    """Keep the bytes of a file; return the row that is to be written for it."""
    if file is None:
        return None
    now = pipeline.now()
    kept = case_files.CaseFile(
        id=upload.make_id(now),
        file_name=file.file_name,
        size=len(file.data),
        sha256=upload.compute_sha256(file.data),
        added_at=now,
    )
    pipeline.case_files.write(kept.id, file.data)
    return kept


def drop(pipeline: pipelines.Pipeline, kept: case_files.CaseFile | None) -> None:
    """Remove the bytes of a file whose row was not written."""
    if kept is not None:
        pipeline.case_files.remove(kept.id)


def read(pipeline: pipelines.Pipeline, found: case_files.CaseFile) -> AttachedFile:
    """Return a file with the bytes that were sent.

    Raises:
        ArchiveMissing, ArchiveDamaged: If they are not there.
    """
    data = pipeline.case_files.read(found.id, sha256=found.sha256)
    return AttachedFile(file_name=found.file_name, data=data)
