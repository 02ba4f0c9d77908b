"""Checking a file without loading or sending anything, for every way in.

The rules are those of `process`; the resulting plan is not carried out.
"""

import datetime as dt
import functools
from dataclasses import dataclass

import pandas as pd

from cvms_pipeline.domain.matching import duplicates
from cvms_pipeline.domain.reading import reader
from cvms_pipeline.domain.reporting import error_report, outcome
from cvms_pipeline.domain.sheets import sheet
from cvms_pipeline.domain.validation import row_schema
from cvms_pipeline.domain.vocabulary import reasons, upload
from cvms_pipeline.store import recipients
from cvms_pipeline.store.removals import returning
from cvms_pipeline.use_cases import pipelines


@dataclass(frozen=True, kw_only=True)
class CheckedFile:
    """The outcome that a file would have.

    Attributes:
        lane: The given lane, or the smallest that accepts the file.
        planned: Its rows with every reason and the plan for each.
        is_store_searched: Whether earlier recipients were searched for duplicates, too.
    """

    lane: upload.Lane
    planned: sheet.Sheet
    is_store_searched: bool

    @functools.cached_property
    def outcome(self) -> outcome.Outcome:
        """Return the counts of the upload that it would be."""
        return outcome.from_sheet(self.planned)

    @property
    def rejected_rows(self) -> pd.DataFrame:
        """Return the rows that would be rejected.

        Returns:
            A frame of strings, indexed by `line`: `codes` (reason codes, separated by
            commas) and `message` (the text for the provider, with `Line N: `).
        """
        found = self.planned.rejections
        codes = sheet.join_by_line(found.drop_duplicates(["line", "code"]), "code", ",")
        return pd.DataFrame(
            {"codes": codes, "message": error_report.compose_messages(found)}
        )


def check_file(
    pipeline: pipelines.Pipeline,
    data: bytes | None,
    *,
    lane: upload.Lane | None = None,
    provider: str | None = None,
) -> CheckedFile:
    """Return the outcome of a file as if it was received now.

    Args:
        pipeline: The pipeline; its store is searched for duplicates.
        data: The bytes of the file, or None for what is no regular file.
        lane: The lane, or None for the smallest that accepts the file.
        provider: The provider that uploads it, which can correct e-mail addresses of
            its own recipients; without one, no address is corrected.
    """
    today = pipeline.today(pipeline.now())
    chosen, validated = _validate(data, lane, today, pipeline.max_bytes)
    keys = duplicates.make_keys(validated.valid_values)
    with pipeline.store.begin() as conn:
        matches, _, similar = recipients.look_up(conn, keys)
        matches = returning.add_returning(
            conn, matches, validated, keys, provider=provider
        )
    planned = duplicates.plan_rows(
        validated, matches, provider=provider, upload=None, similar=similar
    )
    return CheckedFile(lane=chosen, planned=planned, is_store_searched=True)


def check_alone(
    data: bytes | None, *, lane: upload.Lane | None, today: dt.date, max_bytes: int
) -> CheckedFile:
    """Return the outcome of a file without a search of the store for duplicates."""
    chosen, validated = _validate(data, lane, today, max_bytes)
    planned = duplicates.plan_rows(
        validated, duplicates.NO_MATCHES, provider=None, upload=None
    )
    return CheckedFile(lane=chosen, planned=planned, is_store_searched=False)


def _validate(
    data: bytes | None, lane: upload.Lane | None, today: dt.date, max_bytes: int
) -> tuple[upload.Lane, sheet.Sheet]:
    """Return the lane and the validated rows, before duplicates are found."""
    smallest, *larger = (lane,) if lane else upload.Lane
    if data is None:
        return smallest, sheet.make_empty(reasons.make_refusal(reasons.NOT_A_FILE))
    read = reader.read_sheet(data, lane=smallest, max_bytes=max_bytes)
    if larger and read.refusal and read.refusal.code == reasons.TOO_MANY_ROWS:
        return _validate(data, larger[0], today, max_bytes)
    return smallest, row_schema.validate_rows(read, today=today)
