"""The outcome of an upload: its counts, which must add up.

What became of every row has been decided by then; how the outcome is told to
anyone is `notify`, `defs` and `cli`.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from cvms_pipeline import errors
from cvms_pipeline.domain import reasons, sheet, upload


class CountsDoNotAddUp(errors.PermanentError):
    """Rows in the file are not the loaded and the rejected ones together."""


_Refusal = reasons.Refusal  # the name of the module is a field below


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an upload ended.

    Attributes:
        rows: Rows in the file that are not blank.
        loaded: Rows without a reason, the updated ones among them.
        updated: Rows that changed the e-mail address of a known recipient.
        rejected: Rows with at least one reason.
        reasons: How many rows each code rejected, in the order of `REASONS`.
        refusal: Why the whole file could not be taken, or None.

    Raises:
        CountsDoNotAddUp: When made, if rows were lost or counted twice.
    """

    rows: int
    loaded: int
    updated: int
    rejected: int
    reasons: Mapping[str, int]
    refusal: _Refusal | None = None

    def __post_init__(self) -> None:
        """Check the counts."""
        adds_up = (
            self.rows == self.loaded + self.rejected
            and 0 <= self.updated <= self.loaded
            and sum(self.reasons.values()) >= self.rejected
            and all(0 < count <= self.rejected for count in self.reasons.values())
            and not (self.refusal and self.rows)
        )
        if not adds_up:
            raise CountsDoNotAddUp

    @property
    def status(self) -> upload.UploadStatus:
        """Return the status of an upload that ended so."""
        if self.refusal:
            return upload.UploadStatus.REFUSED
        if self.rejected:
            return upload.UploadStatus.COMPLETED_WITH_ERRORS
        return upload.UploadStatus.COMPLETED


def of(judged: sheet.Sheet) -> Outcome:
    """Return the outcome of `judged`, for which duplicates have been looked for.

    Raises:
        CountsDoNotAddUp: If a row is neither planned nor rejected, or both.
    """
    lines = judged.rejections["line"]
    if judged.plan.index.isin(lines).any():
        raise CountsDoNotAddUp
    each_once = set(zip(lines.tolist(), judged.rejections["code"], strict=True))
    counts = Counter(code for _, code in each_once)
    return Outcome(
        rows=len(judged.cells),
        loaded=len(judged.plan),
        updated=int((judged.plan["action"] == "update").sum()),
        rejected=lines.nunique(),
        reasons={code: counts[code] for code in reasons.REASONS if code in counts},
        refusal=judged.refusal,
    )
