"""What the asset `recipient_funnel` shows, and when the sensor reports it."""

import dataclasses
import datetime as dt

import dagster as dg
import installations
import pytest

from cvms_pipeline.defs import funnel
from cvms_pipeline.store import funnel as stored
from cvms_pipeline.use_cases import funnel as use_case
from tests import canaries

DAY = dt.date(2026, 3, 1)
NAMES = [each.name for each in dataclasses.fields(stored.FunnelCounts)]


def counts(provider="mercy", **numbers):
    return stored.FunnelCounts(
        **{**dict.fromkeys(NAMES, 0), "provider": provider, **numbers}
    )


def stands(*providers):
    return use_case.Funnel(day=DAY, providers=providers)


def shown(*providers):
    event = funnel.make_asset_event(stands(*providers))
    assert event.partition == "2026-03-01"
    return {name: value.value for name, value in event.metadata.items()}


def test_the_steps_are_added_up_and_in_percent_of_the_loaded():
    mercy = {"loaded": 80, "invited": 60, "passwords_set": 20, "registered": 10}
    found = shown(
        counts(**mercy, denied=3, loaded_since=5, registered_since=1),
        counts("duke", loaded=20, passwords_since=4),
    )

    rows = [record.data for record in found["funnel"].records]
    assert [tuple(row.values()) for row in rows] == [
        ("loaded", 100, "100.0"),
        ("invited", 60, "60.0"),
        ("password set", 20, "20.0"),
        ("registered", 10, "10.0"),
    ]
    names = ("loaded", "invited", "password set", "registered")
    assert [found[name] for name in names] == [100, 60, 20, 10]
    today = ("loaded today", "passwords set today", "registered today")
    assert [found[name] for name in today] == [5, 4, 1]
    assert found["address of somebody else"] == 3
    assert found["registered percent"] == 10.0
    assert found["registered: mercy"] == 10
    assert found["registered percent: mercy"] == 12.5
    assert [record.data["provider"] for record in found["by provider"].records] == [
        "mercy",
        "duke",
    ]


def test_the_largest_providers_have_plots_of_their_own():
    many = [counts(f"p{nth:02}", loaded=nth + 1) for nth in range(25)]

    found = shown(*many)

    plotted = [name for name in found if name.startswith("loaded: ")]
    assert len(plotted) == 20
    assert plotted[0] == "loaded: p24"
    assert len(found["by provider"].records) == 25


def test_without_anybody_the_funnel_is_empty():
    found = shown()

    assert found["loaded"] == 0
    assert found["registered percent"] == 0.0


@pytest.mark.parametrize(
    ("numbers", "hour", "is_new"),
    [
        ({"loaded": 1004}, 9, False),  # the first two digits are the same
        ({"loaded": 1150}, 9, True),
        ({"loaded": 1000, "registered": 1}, 9, True),
        ({"loaded": 1000, "denied": 1}, 9, True),
        ({"loaded": 1000, "waiting": 1}, 9, True),
        ({"loaded": 1000, "day": 739_001}, 9, True),
        ({"loaded": 1000}, 10, True),
    ],
)
def test_it_is_reported_when_a_number_changes_much_and_every_hour(
    numbers, hour, is_new
):
    totals = dict.fromkeys(("loaded", "passwords_set", "registered", "denied"), 0)
    totals |= {"waiting": 0, "day": 739_000, "hour": 9}
    before = funnel.compute_fingerprint({**totals, "loaded": 1000})

    after = funnel.compute_fingerprint({**totals, **numbers, "hour": hour})

    assert (after != before) is is_new


def test_the_sensor_reports_numbers_and_slugs_only(site, instance):
    site.bring(["Zebulonia,Canarywood,1/2/1990,bird@nest.example"])

    def tick(cursor=None):
        context = dg.build_sensor_context(
            instance=instance, cursor=cursor, resources={"pipeline": site.pipeline}
        )
        return funnel.update_funnel(context)

    first = tick()
    again = tick(first.cursor)

    (event,) = first.asset_events
    assert event.asset_key == dg.AssetKey("recipient_funnel")
    assert event.metadata["loaded"].value == 1
    assert event.metadata["invited"].value == 0
    assert canaries.find(repr(event)) == []
    assert isinstance(again, dg.SkipReason)
    site.bring([installations.ANN])
    assert tick(first.cursor).asset_events[0].metadata["loaded"].value == 2
