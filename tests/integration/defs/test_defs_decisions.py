"""What is asked of Dagster for what was found."""

import dataclasses
import datetime as dt

import dagster as dg
import pytest

from cvms_pipeline.defs import coordinator, decisions, overview, partitions
from cvms_pipeline.domain import reasons, upload
from cvms_pipeline.ingest import deliver, standing
from cvms_pipeline.store import listing, uploads

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

    asked = decisions.runs_for(awaiting)

    assert asked.dynamic_partitions_requests[0].partition_keys == ["u1", "u2"]
    assert [(each.run_key, each.partition_key) for each in asked.run_requests] == [
        ("u1", "u1"),
        ("u2", "u2"),
    ]
    assert [event.partition for event in asked.asset_events] == ["u1", "u2"]


def test_low_volume_goes_first_and_the_provider_is_named_for_its_limit():
    low = partitions.tags_of("mercy", upload.Lane.LOW_VOLUME)
    high = partitions.tags_of(None, upload.Lane.HIGH_VOLUME)

    assert int(low["dagster/priority"]) > int(high["dagster/priority"])
    assert (low["cvms/provider"], high["cvms/provider"]) == ("mercy", "unknown")


def test_nothing_that_a_provider_wrote_becomes_metadata_or_a_tag():
    asked = decisions.runs_for([known("u1", file_name="Canary.csv", folder="canary")])

    assert "canary" not in repr(asked).lower()


def due(*pairs: tuple[deliver.Kind, str | None]) -> list[deliver.Due]:
    return [deliver.Due(kind=kind, upload_id=upload_id) for kind, upload_id in pairs]


def test_due_messages_are_asked_for_once_an_upload_and_job():
    asked = decisions.deliveries_for(
        due((NOTICE, "u1"), (INVITATION, "u1"), (INVITATION, "u2"), (ALERT, None)),
        under_way=set(),
    )

    assert [(each.job_name, each.partition_key) for each in asked] == [
        ("send_notice", "u1"),
        ("send_invitations", "u1"),
        ("send_invitations", "u2"),
        ("send_alerts", None),
    ]


# What is under way already, and what is asked for all the same.
UNDER_WAY = [
    (("process_upload", "u1"), ["send_invitations", "send_alerts"]),  # tells itself
    (("send_notice", "u1"), ["send_invitations", "send_alerts"]),
    (("send_invitations", "u1"), ["send_notice", "send_alerts"]),
    (("send_alerts", None), ["send_notice", "send_invitations"]),
]


@pytest.mark.parametrize(("run", "still_asked"), UNDER_WAY)
def test_what_is_under_way_is_not_asked_for_again(run, still_asked):
    asked = decisions.deliveries_for(
        due((NOTICE, "u1"), (INVITATION, "u1"), (ALERT, None)), under_way={run}
    )

    assert [each.job_name for each in asked] == still_asked


def test_no_more_deliveries_of_a_job_are_asked_for_than_soon_begin():
    most = decisions.MOST_DELIVERIES
    many = due((NOTICE, "u0"), *((INVITATION, f"u{n}") for n in range(2 * most)))

    first = decisions.deliveries_for(many, under_way=set())
    next_ = decisions.deliveries_for(
        many, under_way={("send_invitations", f"u{n}") for n in range(1, most)}
    )

    assert [each.job_name for each in first].count("send_invitations") == most
    assert [(each.job_name, each.partition_key) for each in next_] == [
        ("send_notice", "u0"),
        ("send_invitations", "u0"),
    ]


def test_deliveries_that_were_in_vain_hold_up_no_other():
    in_vain = {("send_invitations", f"u{n}") for n in range(100)}

    asked = decisions.deliveries_for(
        due((INVITATION, "u0"), (INVITATION, "new")), under_way=set(), in_vain=in_vain
    )

    assert [each.partition_key for each in asked] == ["new"]


def run(run_id: str, **tags: str) -> dg.DagsterRun:
    tagged = {"dagster/partition": "u1", **tags}
    return dg.DagsterRun(job_name="process_upload", run_id=run_id, tags=tagged)


def test_a_failed_run_that_is_the_last_says_how_its_upload_stands():
    failed = run("a")

    assert decisions.is_final(failed, newest=failed)
    assert decisions.is_final(failed, newest=None)


def test_a_failed_run_that_is_tried_again_or_was_followed_does_not():
    retried = run("a", **{"dagster/will_retry": "true"})

    assert not decisions.is_final(retried, newest=retried)
    assert not decisions.is_final(run("a"), newest=run("b"))


def stands(*latest: uploads.Upload, failed: tuple[uploads.Upload, ...] = ()):
    facts = dict.fromkeys(
        (field.name for field in dataclasses.fields(listing.Summary)), 1
    )
    summary = listing.Summary(**{**facts, "provider": "mercy"})
    told = [
        listing.Told(code=reasons.EMAIL_INVALID, uploads=1, rows=2),
        listing.Told(code=reasons.FILE_EMPTY, uploads=1, rows=0),
    ]
    return standing.Standing(
        day=NOW.date(),
        providers=[summary],
        reasons=told,
        latest=latest,
        failed=failed,
    )


def test_the_overview_changes_when_an_upload_does_and_only_then():
    before, after = known("u1"), known("u1", status=upload.UploadStatus.COMPLETED)

    assert decisions.fingerprint(stands(before)) == decisions.fingerprint(
        stands(before)
    )
    assert decisions.fingerprint(stands(before)) != decisions.fingerprint(stands(after))
    assert decisions.fingerprint(stands(before)) != decisions.fingerprint(
        stands(before, failed=(after,))
    )


def test_the_overview_sums_up_why_rows_and_files_were_not_taken():
    shown = overview.of_day(stands(), ui_url="http://ui")

    first, second = (each.data for each in shown["by reason"].records)
    assert first == {"rows": 2, "uploads": 1, "why": "email-invalid"}
    assert second == {"rows": 0, "uploads": 1, "why": "file-empty"}


def test_the_overview_says_who_sent_what_and_why_rows_were_rejected():
    rejected = known("u1", rejected=3, reasons={"email-invalid": 2, "row-cells": 1})
    refused = known("u2", refusal=reasons.refusal(reasons.FILE_EMPTY), provider=None)

    shown = overview.of_day(stands(rejected, refused), ui_url="http://ui")

    first, second = (each.data for each in shown["latest uploads"].records)
    assert (first["provider"], second["provider"]) == ("mercy", "unknown")
    assert first["why"] == "email-invalid: 2, row-cells: 1"
    assert second["why"] == "file-empty"
    assert shown["error reports"].value == (
        "* [u1](http://ui/assets/error_report?view=partitions&partition=u1)"
    )
    assert shown["broken runs"].value == "none"
    assert "Canary" not in repr(shown)


def test_the_overview_links_to_the_runs_of_broken_uploads():
    failed = known("u1", status=upload.UploadStatus.FAILED, run_id="r1")

    shown = overview.of_day(stands(failed=(failed,)), ui_url="http://ui")

    assert shown["broken runs"].value == "* [u1](http://ui/runs/r1)"


def test_a_busy_day_shows_as_many_links_as_the_ui_does_without_a_button():
    many = [known(f"u{number}", rejected=1) for number in range(100)]

    links = overview.of_day(stands(*many), ui_url="http://ui")["error reports"].value

    assert len(links) < 1000
    assert links.splitlines()[0].startswith("* [u0](")
    shown = len(links.splitlines()) - 1
    assert links.splitlines()[-1].startswith(f"* and {100 - shown} more")


def test_a_later_run_counts_from_whatever_job_if_its_purpose_is_the_same():
    failed, from_the_asset_page = run("a"), run("b")
    message = run("c", **{partitions.PURPOSE_TAG: "messages"})

    newest = decisions.newest_alike(failed, [message, from_the_asset_page, failed])

    assert newest is from_the_asset_page


def test_the_standing_check_is_red_while_an_upload_has_failed():
    failed = known("u1", status=upload.UploadStatus.FAILED)

    _, red = decisions.how_it_stands(stands(failed=(failed,)), ui_url="http://ui")
    _, green = decisions.how_it_stands(stands(), ui_url="http://ui")

    assert (red.passed, green.passed) == (False, True)
    assert red.metadata["upload ids"].value == "u1"


@pytest.mark.parametrize(("workers", "for_one"), [(1, 1), (2, 1), (8, 7)])
def test_no_provider_holds_all_workers(workers, for_one):
    of_provider, of_messages = coordinator.fair(workers)

    assert of_provider["key"] == partitions.PROVIDER_TAG
    assert of_provider["value"] == {"applyLimitPerUniqueValue": True}
    assert of_provider["limit"] == for_one
    assert of_messages["limit"] == 1
