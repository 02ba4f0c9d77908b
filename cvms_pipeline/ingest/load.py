"""Loading: the one transaction in which the outcome of an upload becomes true.

What it does to the tables is `store.recipients`; here it is called, and what it
left is counted once more.
"""

from dataclasses import dataclass

from cvms_pipeline.domain import outcome, sheet
from cvms_pipeline.ingest import pipeline as pipelines
from cvms_pipeline.store import recipients, tally, uploads


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """An upload's outcome, and the lines that the tables explain.

    `accounted_for` counts what the tables hold: the rows that loaded or corrected a
    recipient and the rejected rows.
    """

    outcome: outcome.Outcome
    accounted_for: int


def load(pipeline: pipelines.Pipeline, upload_id: str, decided: sheet.Sheet) -> Loaded:
    """Load the planned rows, store the rejected ones, queue the messages.

    Done once; for an upload that was decided before, the recorded outcome comes
    back and nothing changes.
    """
    now = pipeline.now()
    with pipeline.store.begin() as conn:
        ended = recipients.load(
            conn, upload_id, decided, now=now, data_ops=pipeline.data_ops
        )
        uploads.mark_recovered(conn, upload_id, now=now)
        accounted_for = tally.accounted_for(conn, upload_id)
    return Loaded(outcome=ended, accounted_for=accounted_for)
