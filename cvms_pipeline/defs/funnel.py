"""The asset `recipient_funnel`: loaded, invited, with a password, registered.

Each day is a partition, so that the UI plots one value a day of each number; the
largest providers have plots of their own.  There is nothing but numbers and slugs.
"""

import functools
import hashlib
from collections.abc import Mapping
from typing import Any

import dagster as dg

from cvms_pipeline.defs import assets, failures, metadata, partitions
from cvms_pipeline.use_cases import funnel, pipelines

_MAX_PLOTTED = 20
"""How many providers have plots of their own: those with the most recipients."""

_MAX_LISTED = 500
"""How many providers are in the table."""

_STEPS = {
    "loaded": "loaded",
    "invited": "invited",
    "passwords_set": "password set",
    "registered": "registered",
}
"""The counts of the steps, in their order, and the words for them."""

_TODAY = {
    "loaded_since": "loaded today",
    "passwords_since": "passwords set today",
    "registered_since": "registered today",
}


def make_asset_event(state: funnel.Funnel) -> dg.AssetMaterialization:
    """Return what brings `recipient_funnel` up to date."""
    return dg.AssetMaterialization(
        asset_key=assets.recipient_funnel.key,
        partition=state.day.isoformat(),
        metadata=_describe(state),
    )


def compute_fingerprint(totals: Mapping[str, int]) -> str:
    """Return a short text that changes every hour, and when a number changes much.

    That is, when one of its first two digits does: so a busy day has few reports.
    """
    rounded = [(name, f"{number:.1e}") for name, number in sorted(totals.items())]
    facts = repr((totals.get("day"), rounded))
    return hashlib.sha256(facts.encode()).hexdigest()[:16]


@dg.sensor(
    name="funnel",
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def update_funnel(
    context: dg.SensorEvaluationContext,
    pipeline: dg.ResourceParam[pipelines.Pipeline],
) -> dg.SensorResult | dg.SkipReason:
    """Report `recipient_funnel` when a number has changed much, and every hour."""
    with failures.sensor_errors():
        cursor = compute_fingerprint(funnel.read_totals(pipeline))
        if context.cursor == cursor:
            return dg.SkipReason("Nothing has changed much.")
        state = funnel.read_funnel(pipeline)
    return dg.SensorResult(
        dynamic_partitions_requests=[
            partitions.DAYS.build_add_request([state.day.isoformat()])
        ],
        asset_events=[make_asset_event(state)],
        cursor=cursor,
    )


def _describe(state: funnel.Funnel) -> Mapping[str, Any]:
    count = functools.partial(metadata.sum_providers, state)
    totals = {words: count(name) for name, words in _STEPS.items()}
    loaded = count("loaded")
    largest = sorted(state.providers, key=lambda each: each.loaded, reverse=True)
    return {
        "funnel": metadata.make_table(
            {
                "step": words,
                "recipients": number,
                "percent of loaded": f"{metadata.compute_percent(number, loaded):.1f}",
            }
            for words, number in totals.items()
        ),
        "by provider": metadata.make_table(
            {"provider": each.provider}
            | {words: getattr(each, name) for name, words in _STEPS.items()}
            for each in largest[:_MAX_LISTED]
        ),
        **totals,
        **{words: count(name) for name, words in _TODAY.items()},
        "address of somebody else": count("denied"),
        "registered percent": metadata.compute_percent(totals["registered"], loaded),
        **_describe_providers(largest[:_MAX_PLOTTED]),
    }


def _describe_providers(
    largest: list[funnel.FunnelCounts],
) -> Mapping[str, float]:
    """Return the numbers that are plotted of single providers."""
    numbers: dict[str, float] = {}
    for each in largest:
        for name, words in _STEPS.items():
            numbers[f"{words}: {each.provider}"] = getattr(each, name)
        percent = metadata.compute_percent(each.registered, each.loaded)
        numbers[f"registered percent: {each.provider}"] = percent
    return numbers
