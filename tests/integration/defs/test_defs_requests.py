"""What is asked of Dagster for what was found."""

import dataclasses
import datetime as dt
import logging

import pytest

from cvms_pipeline.defs import partitions, sensors
from cvms_pipeline.domain.vocabulary import upload
from cvms_pipeline.store import uploads
from cvms_pipeline.use_cases import deliver

LOG = logging.getLogger("test")
NOW = dt.datetime(2026, 1, 5, 15, 30, 20, tzinfo=dt.UTC)
NOTICE, INVITATION, ALERT = (
    deliver.Kind.NOTICE,
    deliver.Kind.INVITATION,
    deliver.Kind.ALERT,
)


def known(upload_id: str, **facts: object) -> uploads.Upload:
    blank = dict.fromkeys(field.name for field in dataclasses.fields(uploads.Upload))
    usual = {
        "id": upload_id,
        "folder": "mercy",
        "provider": "mercy",
        "lane": upload.Lane.LOW_VOLUME,
        "file_name": "Canary.csv",
        "status": upload.UploadStatus.RECEIVED,
        "received_at": NOW,
        "reasons": {},
        "ignored_columns": (),
        **dict.fromkeys(("rows", "loaded", "updated", "rejected"), 0),
    }
    return uploads.Upload(**{**blank, **usual, **facts})


def test_each_upload_gets_its_partition_its_run_and_its_materialization():
    awaiting = [known("u1"), known("u2", provider=None, lane=upload.Lane.HIGH_VOLUME)]

    asked = sensors.request_runs(awaiting, LOG)

    assert asked.dynamic_partitions_requests[0].partition_keys == ["u1", "u2"]
    assert [(each.run_key, each.partition_key) for each in asked.run_requests] == [
        ("u1", "u1"),
        ("u2", "u2"),
    ]
    assert [event.partition for event in asked.asset_events] == ["u1", "u2"]


def test_low_volume_is_first_and_the_tags_name_the_provider():
    low = partitions.make_run_tags("mercy", upload.Lane.LOW_VOLUME)
    high = partitions.make_run_tags(None, upload.Lane.HIGH_VOLUME)

    assert int(low["dagster/priority"]) > int(high["dagster/priority"])
    assert (low["cvms/provider"], high["cvms/provider"]) == ("mercy", "unknown")


def test_nothing_that_a_provider_wrote_becomes_metadata_or_a_tag():
    received = known("u1", file_name="Canary.csv", folder="canary")

    asked = sensors.request_runs([received], LOG)

    assert "canary" not in repr(asked).lower()


def due(*pairs: tuple[deliver.Kind, str | None]) -> list[deliver.Due]:
    return [deliver.Due(kind=kind, upload_id=upload_id) for kind, upload_id in pairs]


def test_due_messages_are_requested_once_for_each_upload_and_job():
    asked = sensors.request_deliveries(
        due((NOTICE, "u1"), (INVITATION, "u1"), (INVITATION, "u2"), (ALERT, None)),
        unfinished=set(),
    )

    assert [(each.job_name, each.partition_key) for each in asked] == [
        ("send_notice", "u1"),
        ("send_invitations", "u1"),
        ("send_invitations", "u2"),
        ("send_alerts", None),
    ]


@pytest.mark.parametrize("kind", deliver.Kind)
def test_a_message_of_any_kind_is_sent_by_a_job(kind):
    of_uploads = {NOTICE: "send_notice", INVITATION: "send_invitations"}
    upload_id = "u1" if kind in of_uploads else None

    asked = sensors.request_deliveries(
        due((kind, upload_id), (INVITATION, "u2")), unfinished=set()
    )

    assert [(each.job_name, each.partition_key) for each in asked] == [
        (of_uploads.get(kind, "send_alerts"), upload_id),
        ("send_invitations", "u2"),
    ]


# What is under way already, and what is asked for all the same.
UNDER_WAY = [
    (("process_upload", "u1"), ["send_invitations", "send_alerts"]),  # tells itself
    (("send_notice", "u1"), ["send_invitations", "send_alerts"]),
    (("send_invitations", "u1"), ["send_notice", "send_alerts"]),
    (("send_alerts", None), ["send_notice", "send_invitations"]),
]


@pytest.mark.parametrize(("run", "still_asked"), UNDER_WAY)
def test_a_delivery_that_is_under_way_is_not_requested_again(run, still_asked):
    asked = sensors.request_deliveries(
        due((NOTICE, "u1"), (INVITATION, "u1"), (ALERT, None)), unfinished={run}
    )

    assert [each.job_name for each in asked] == still_asked


def test_no_more_deliveries_of_a_job_are_requested_than_soon_begin():
    most = sensors._MAX_DELIVERY_RUNS
    many = due((NOTICE, "u0"), *((INVITATION, f"u{n}") for n in range(2 * most)))

    first = sensors.request_deliveries(many, unfinished=set())
    next_ = sensors.request_deliveries(
        many, unfinished={("send_invitations", f"u{n}") for n in range(1, most)}
    )

    assert [each.job_name for each in first].count("send_invitations") == most
    assert [(each.job_name, each.partition_key) for each in next_] == [
        ("send_notice", "u0"),
        ("send_invitations", "u0"),
    ]


def test_deliveries_that_are_paused_delay_no_other():
    paused = {("send_invitations", f"u{n}") for n in range(100)}

    asked = sensors.request_deliveries(
        due((INVITATION, "u0"), (INVITATION, "new")), unfinished=set(), paused=paused
    )

    assert [each.partition_key for each in asked] == ["new"]
