"""How far loaded recipients are, of each provider: numbers for data-ops."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cvms_pipeline.store import funnel
from cvms_pipeline.use_cases import pipelines

FunnelCounts = funnel.FunnelCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """The counts of each provider that has loaded somebody.

    Attributes:
        day: The calendar day, since whose beginning `loaded_since` and the like count.
    """

    day: dt.date
    providers: Sequence[FunnelCounts]


def read_totals(pipeline: pipelines.Pipeline) -> Mapping[str, int]:
    """Return what says, at little cost, whether something has changed.

    The totals that are counted as they happen, and the `day` and `hour` of now.
    """
    now = pipeline.now()
    with pipeline.store.begin() as conn:
        totals = funnel.count_totals(conn)
    hour = now.astimezone(pipeline.zone).hour
    return {**totals, "day": pipeline.today(now).toordinal(), "hour": hour}


def read_funnel(pipeline: pipelines.Pipeline) -> Funnel:
    """Return how far recipients are now, and what has happened today."""
    now = pipeline.now()
    midnight = dt.datetime.combine(pipeline.today(now), dt.time(), pipeline.zone)
    with pipeline.store.begin() as conn:
        counts = funnel.count(conn, since=midnight)
    return Funnel(day=midnight.date(), providers=counts)
