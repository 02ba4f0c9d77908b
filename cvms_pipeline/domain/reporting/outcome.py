"""The outcome of an upload: its counts, which must add up.

Every row has been decided before; `mail`, `defs` and `cli` report the outcome.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cvms_pipeline import errors
from cvms_pipeline.domain.matching import possible_duplicates
from cvms_pipeline.domain.sheets import sheet
from cvms_pipeline.domain.vocabulary import faults, likeness, reasons, upload


class CountsDoNotAddUp(errors.PermanentError):
    """The loaded and the rejected rows together are not the rows of the file."""


_Refusal = reasons.Refusal  # the name of the module is a field below


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an upload ended.

    Attributes:
        rows: Rows in the file that are not blank.
        loaded: Rows without a reason, the updated ones among them.
        updated: Rows that changed the e-mail address of a known recipient.
        rejected: Rows with at least one reason.
        reasons: The number of rows rejected for each code, in the order of `REASONS`.
        refusal: Why the whole file is refused, or None.
        refused_rows: How many rows a refused file has, if they could be counted.
        possible_duplicates: Loaded rows that are probably people who are known already.

    Raises:
        CountsDoNotAddUp: If rows were lost or counted twice.
    """

    rows: int
    loaded: int
    updated: int
    rejected: int
    reasons: Mapping[str, int]
    refusal: _Refusal | None = None
    refused_rows: int | None = None
    possible_duplicates: Sequence[likeness.PossibleDuplicate] = ()

    def __post_init__(self) -> None:
        """Check the counts."""
        adds_up = (
            self.rows == self.loaded + self.rejected
            and 0 <= self.updated <= self.loaded
            and sum(self.reasons.values()) >= self.rejected
            and all(0 < count <= self.rejected for count in self.reasons.values())
            and not (self.refusal and self.rows)
            and (self.refusal or self.refused_rows is None)
        )
        if not adds_up:
            raise CountsDoNotAddUp(faults.COUNTS_WRONG.describe())

    @property
    def rows_in_file(self) -> int | None:
        """Return the rows in the file, also of a refused one; None: not known."""
        return self.refused_rows if self.refusal else self.rows

    @property
    def rows_failed(self) -> int | None:
        """Return the rows that were not loaded; None: not known."""
        return self.refused_rows if self.refusal else self.rejected

    @property
    def status(self) -> upload.UploadStatus:
        """Return the status of an upload with this outcome."""
        if self.refusal:
            return upload.UploadStatus.REFUSED
        if self.rejected:
            return upload.UploadStatus.COMPLETED_WITH_ERRORS
        return upload.UploadStatus.COMPLETED


def from_sheet(planned: sheet.Sheet) -> Outcome:
    """Return the outcome of `planned`, a sheet with its plan.

    Raises:
        CountsDoNotAddUp: If a row is neither planned nor rejected, or both.
    """
    lines = planned.rejections["line"]
    if planned.plan.index.isin(lines).any():
        raise CountsDoNotAddUp(faults.COUNTS_WRONG.describe())
    codes = planned.rejections["code"].tolist()
    each_once = set(zip(lines.tolist(), codes, strict=True))
    counts = Counter(code for _, code in each_once)
    return Outcome(
        rows=len(planned.cells),
        loaded=len(planned.plan),
        updated=int((planned.plan["action"] == "update").sum()),
        rejected=lines.nunique(),
        reasons={code: counts[code] for code in reasons.REASONS if code in counts},
        refusal=planned.refusal,
        refused_rows=planned.refused_rows,
        possible_duplicates=possible_duplicates.to_records(planned.possible_duplicates),
    )
