"""One upload's rows on their way through reading, judging and matching.

Only the value that the steps hand on; the steps themselves are `reading`,
`schema` and `duplicates`.
"""

from dataclasses import dataclass, replace

import pandas as pd

from cvms_pipeline.domain import reasons


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """An upload's rows as far as they have been judged.

    All frames of rows are indexed by `line` (int64, the row number that a
    spreadsheet shows).

    Attributes:
        refusal: Why the whole file could not be taken, or None.
        encoding: `utf-8`, `utf-8-sig`, `utf-16`, `windows-1252`, or None where
            reading stopped before it was known.
        delimiter: `,`, `;` or a tab, or None likewise.
        ignored_columns: Header cells that no column of ours matches.
        cells: The original text as the provider wrote it: string columns
            `first_name`, `last_name`, `birth_date`, `email`.
        values: The same columns, cleaned; once they have been judged, of the rows
            alone that no rule speaks against.
        rejections: One row a reason: `line` (int64), `code`, `text` (strings;
            the text without `Line N: `), in order of line, then of reason.
        plan: Rows still to be loaded, indexed by line: `action` (`insert` or
            `update`), `recipient_id` (string, missing for an insert), the columns
            of `duplicates.keys`, and `is_taken` (bool), whether somebody who is
            stored has the username of first choice.  Empty until duplicates were
            looked for.
    """

    refusal: reasons.Refusal | None = None
    encoding: str | None = None
    delimiter: str | None = None
    ignored_columns: tuple[str, ...] = ()
    cells: pd.DataFrame
    values: pd.DataFrame
    rejections: pd.DataFrame
    plan: pd.DataFrame

    @property
    def valid(self) -> pd.DataFrame:
        """Return the cleaned rows that no reason speaks against so far."""
        if self.rejections.empty:
            return self.values
        return self.values.loc[~self.values.index.isin(self.rejections["line"])]

    def but(self, **changes: object) -> "Sheet":
        """Return a copy of this sheet with `changes`."""
        return replace(self, **changes)  # type: ignore[arg-type]  # field names
