"""What a way in calls: the registry, history, search, drop and check, with actors."""

import time
import types

import pytest
from installations import ANN, BAD, BOB, HEADER, LOW

from cvms_pipeline.domain.vocabulary import audit_events, upload
from cvms_pipeline.store import uploads
from cvms_pipeline.use_cases import check, drop, history, providers

REPORT_READ, RECIPIENTS_READ = (
    audit_events.Event.REPORT_READ,
    audit_events.Event.RECIPIENTS_READ,
)


def csv(*rows):
    return "\r\n".join([HEADER, *rows]).encode()


def entries(site, event):
    found = history.list_audit_entries(site.pipeline, limit=100)
    return [each for each in found if each.event is event]


def test_checking_a_file_loads_nothing_and_knows_who_is_stored(site):
    site.bring([ANN])
    before = site.everything()
    data = csv(ANN, BOB, BOB)

    alone = check.check_alone(data, lane=LOW, today=site.clock().date(), max_bytes=1000)
    with_store = check.check_file(site.pipeline, data, lane=LOW)

    assert alone.rejected_rows["codes"].tolist() == ["duplicate-in-file"]
    assert sorted(with_store.rejected_rows["codes"]) == [
        "duplicate-in-file",
        "duplicate-recipient",
    ]
    assert (alone.is_store_searched, with_store.is_store_searched) == (False, True)
    assert site.everything() == before


def test_a_check_corrects_only_recipients_of_the_same_provider(site):
    site.bring([ANN])
    data = csv(ANN.replace("ann@", "new@"))

    own = check.check_file(site.pipeline, data, provider="mercy")
    other = check.check_file(site.pipeline, data, provider="duke")

    assert own.outcome.updated == 1
    assert other.outcome.reasons == {"duplicate-recipient": 1}


def test_the_smallest_lane_that_takes_a_file_is_found(site):
    rows = [f"A{'b' * n},Lee,1/2/1990,a@b.org" for n in range(101)]

    checked = check.check_file(site.pipeline, csv(*rows))

    assert checked.lane is upload.Lane.HIGH_VOLUME
    assert checked.planned.refusal is None


def test_the_audit_names_the_user_who_reads_not_the_service(site):
    upload_id = site.bring([ANN, BAD])
    portal = site.pipeline.acting_as("portal:o'neil@mercy")

    rows = history.read_rejected_rows(portal, history.get_upload(portal, upload_id))
    history.search_recipients(portal, ["ann"])

    (report_read,) = entries(site, REPORT_READ)
    (recipients_read,) = entries(site, RECIPIENTS_READ)
    assert rows.index.tolist() == [3]
    assert report_read.actor == recipients_read.actor == "portal:o'neil@mercy"
    assert report_read.details == {"rows": 1}


def test_the_audit_names_the_user_who_changes_a_provider(site):
    portal = site.pipeline.acting_as("portal:ann")

    providers.change_emails(portal, "mercy", ("new@mercy.example.org",))
    providers.set_enabled(portal, "mercy", is_enabled=False)

    changed, disabled = (
        audit_events.Event.PROVIDER_CHANGED,
        audit_events.Event.PROVIDER_DISABLED,
    )
    actors = [each.actor for e in (changed, disabled) for each in entries(site, e)]
    assert actors == ["portal:ann", "portal:ann"]


def test_a_connection_does_not_keep_the_name_of_its_last_user(site):
    upload_id = site.bring([BAD])
    found = history.get_upload(site.pipeline, upload_id)

    for actor in ("portal:a", "portal:b"):
        history.read_rejected_rows(site.pipeline.acting_as(actor), found)
    history.read_rejected_rows(site.pipeline, found)

    actors = [each.actor for each in entries(site, REPORT_READ)]
    assert actors == ["service", "portal:b", "portal:a"]


def test_rejected_rows_are_handed_out_only_with_their_entry_in_the_audit(site):
    upload_id = site.bring([BAD])
    found = history.get_upload(site.pipeline, upload_id)
    site.execute("ALTER TABLE cvms.audit ADD CHECK (event <> 'report-read') NOT VALID")

    with pytest.raises(Exception, match="constraint"):
        history.read_rejected_rows(site.pipeline, found)


def test_the_error_report_again_is_the_one_that_was_published(site):
    upload_id = site.bring([ANN, BAD])
    found = history.get_upload(site.pipeline, upload_id)

    again = history.render_error_report(site.pipeline, found)

    (published,) = site.pipeline.folders.root.glob("mercy/results/*/BulkError.csv")
    assert again == published.read_bytes()


def test_a_provider_cannot_find_an_upload_of_another_provider(site):
    upload_id = site.bring([ANN])

    found = history.get_upload(site.pipeline, upload_id, provider="mercy")

    assert found.id == upload_id
    with pytest.raises(uploads.UploadUnknown):
        history.get_upload(site.pipeline, upload_id, provider="duke")


def test_an_upload_without_rejected_rows_has_no_error_report(site):
    found = history.get_upload(site.pipeline, site.bring([ANN]))

    with pytest.raises(history.NothingRejected, match="its status is completed"):
        history.render_error_report(site.pipeline, found)


def test_a_search_without_a_result_writes_no_audit_entry(site):
    assert history.search_recipients(site.pipeline, ["nobody"]).total == 0

    assert entries(site, RECIPIENTS_READ) == []


def test_the_counts_of_a_provider_contain_only_its_uploads(site):
    site.add_provider("duke")
    site.bring([ANN, BOB])
    site.bring([ANN.replace("ann@", "new@")])
    site.bring([BOB], slug="duke")

    mercy = providers.get_provider(site.pipeline, "mercy")
    assert (mercy.uploads, mercy.recipients) == (2, 2)
    duke = providers.get_provider(site.pipeline, "duke")
    assert (duke.uploads, duke.recipients) == (1, 0)


def test_a_dropped_file_is_followed_to_its_own_outcome(site):
    dropped = [drop_staff(site) for _ in range(2)]
    before = [drop.find_upload(site.pipeline, each) for each in dropped]

    for taken in site.take_in():
        site.process(taken.id)

    ended = [drop.wait_for_outcome(site.pipeline, each, seconds=0) for each in dropped]
    assert before == [None, None]
    assert {each.status for each in ended} == {"completed", "completed_with_errors"}
    assert [each.file_name for each in ended] == ["staff.csv", "staff (2).csv"]


def test_the_outcome_of_a_dropped_file_has_its_error_report(site, monkeypatch):
    site.bring([ANN, BOB])
    dropped = drop_staff(site)
    (taken,) = site.take_in()
    site.process(taken.id)
    report = site.pipeline.reports.path(taken.id)
    kept = report.rename(report.with_suffix(".late"))
    clock = types.SimpleNamespace(
        monotonic=time.monotonic, sleep=lambda _: kept.rename(report)
    )
    monkeypatch.setattr(drop, "time", clock)

    ended = drop.wait_for_outcome(site.pipeline, dropped, seconds=60)

    assert ended.rejected > 0
    assert report.exists()


def test_waiting_for_an_outcome_ends_at_its_time_limit(site):
    dropped = drop_staff(site)

    with pytest.raises(drop.OutcomePending, match="not taken in within 0 seconds"):
        drop.wait_for_outcome(site.pipeline, dropped, seconds=0)


def test_nothing_is_dropped_for_a_disabled_provider(site):
    providers.set_enabled(site.pipeline, "mercy", is_enabled=False)

    with pytest.raises(drop.ProviderDisabled):
        drop_staff(site)

    assert list(site.lane().iterdir()) == []


def drop_staff(site):
    request = drop.Request(
        source=csv(ANN), file_name="staff.csv", provider="mercy", lane=LOW
    )
    return drop.drop_file(site.pipeline, request)
