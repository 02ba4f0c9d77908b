"""The audit: what the database writes down by itself, and that it stays so."""

import contextlib

import pytest
import sqlalchemy as sa
from upload_steps import NOW, clinic

from cvms_pipeline.database import engine
from cvms_pipeline.domain.vocabulary import audit_events
from cvms_pipeline.store import audit, providers, rejected_rows, uploads

Event = audit_events.Event
ANN, BOB = "Ann,Lee,1/2/1990,ann@b.org", "Bob,Lee,3/4/1991,bob@b.org"
BAD = "Cy,,13/41/1991,cy@b.org"


def told(desk, **which):
    """Return the entries, the first one first."""
    with desk.store.begin() as conn:
        return list(reversed(audit.list_entries(conn, limit=100, **which)))


def events_of(desk, upload_id):
    return [entry.event for entry in told(desk, upload_id=upload_id)]


def entry_of(desk, event):
    (found,) = [entry for entry in told(desk) if entry.event is event]
    return found


def start(desk, upload_id, run_id):
    with desk.store.begin() as conn:
        uploads.start(conn, upload_id, now=NOW, run_id=run_id)


def test_a_claim_is_recorded_with_its_lane_and_size(desk):
    upload_id = desk.receive()

    claim = entry_of(desk, Event.UPLOAD_CLAIMED)

    assert (claim.upload_id, claim.provider) == (upload_id, "mercy")
    assert claim.details == {"lane": "low_volume", "bytes": 100}


def test_a_claim_that_is_registered_again_is_recorded_once(desk):
    desk.receive(id="upload-1")
    desk.receive(id="upload-1")

    assert events_of(desk, "upload-1") == [Event.UPLOAD_CLAIMED]


def test_a_load_is_recorded_with_its_run_and_its_counts(desk):
    upload_id = desk.receive()
    start(desk, upload_id, "run-1")
    desk.load(upload_id, desk.decide(upload_id, [ANN, BOB, BAD]))

    loaded = entry_of(desk, Event.UPLOAD_LOADED)

    assert (loaded.upload_id, loaded.run_id) == (upload_id, "run-1")
    assert loaded.details == {"rows": 3, "loaded": 2, "updated": 0, "rejected": 1}


def test_a_repeated_load_is_recorded_once(desk):
    upload_id = desk.receive()
    planned = desk.decide(upload_id, [ANN])
    desk.load(upload_id, planned)
    desk.load(upload_id, planned)

    assert events_of(desk, upload_id) == [Event.UPLOAD_CLAIMED, Event.UPLOAD_LOADED]


def test_a_load_that_is_rolled_back_is_not_recorded(desk):
    upload_id = desk.receive()

    with contextlib.suppress(ZeroDivisionError), desk.store.begin() as conn:
        done = "rows = 1, loaded = 1, decided_at = now(), finished_at = now()"
        change = f"UPDATE cvms.uploads SET status = 'completed', {done}"  # noqa: S608 # words above
        conn.execute(sa.text(change))
        raise ZeroDivisionError

    assert events_of(desk, upload_id) == [Event.UPLOAD_CLAIMED]


def test_a_refusal_is_recorded_with_its_code(desk):
    upload_id = desk.receive()
    desk.load(upload_id, desk.decide(upload_id, []))

    refused = entry_of(desk, Event.UPLOAD_REFUSED)

    assert refused.details == {"refusal": "file-empty"}
    assert Event.UPLOAD_LOADED not in events_of(desk, upload_id)


def test_corrected_addresses_are_recorded_as_one_count_for_their_upload(desk):
    desk.bring([ANN, BOB])
    corrected = [row.replace("@b.org", "@new.org") for row in (ANN, BOB)]
    desk.bring(corrected)

    updated = entry_of(desk, Event.RECIPIENTS_UPDATED)

    assert (updated.upload_id, updated.provider) == (desk.latest().id, "mercy")
    assert updated.details == {"updated": 2}


def test_a_failed_run_is_recorded(desk):
    upload_id = desk.receive()
    start(desk, upload_id, "run-1")
    with desk.store.begin() as conn:
        uploads.mark_failed(conn, upload_id, now=NOW)

    assert entry_of(desk, Event.UPLOAD_FAILED).run_id == "run-1"


def test_another_run_of_an_upload_is_recorded_with_the_earlier_one(desk):
    upload_id = desk.receive()
    for run_id in ("run-1", "run-1", "run-2"):
        start(desk, upload_id, run_id)

    rerun = entry_of(desk, Event.UPLOAD_RERUN)

    assert (rerun.run_id, rerun.details) == ("run-2", {"earlier_run": "run-1"})


def test_a_purge_is_recorded_for_each_upload(desk):
    desk.bring([ANN, BAD])
    desk.execute("UPDATE cvms.messages SET status = 'sent', sent_at = now()")
    with desk.store.begin() as conn:
        rejected_rows.purge(conn, before=NOW.replace(year=2027), now=NOW, limit=10)

    purged = entry_of(desk, Event.REJECTED_ROWS_PURGED)

    assert (purged.upload_id, purged.details) == (desk.latest().id, {"rows": 1})


def test_adding_disabling_and_enabling_a_provider_is_recorded(desk):
    with desk.store.begin() as conn:
        providers.add(conn, clinic("unc"))
        providers.change(conn, "unc", is_enabled=False)
        providers.change(conn, "unc", is_enabled=False)
        providers.change(conn, "unc", is_enabled=True)

    assert [entry.event for entry in told(desk, provider="unc")] == [
        Event.PROVIDER_ADDED,
        Event.PROVIDER_DISABLED,
        Event.PROVIDER_ENABLED,
    ]


def test_every_change_of_a_provider_is_recorded_without_its_addresses(desk):
    desk.execute("UPDATE cvms.providers SET emails = '{x@y.org}' WHERE slug = 'mercy'")

    changed = entry_of(desk, Event.PROVIDER_CHANGED)

    assert (changed.provider, changed.details) == ("mercy", {"changed": ["emails"]})


def test_that_a_provider_has_more_recipients_is_no_change_of_it(desk):
    desk.bring([ANN])

    assert [entry.event for entry in told(desk, provider="mercy")] == [
        Event.PROVIDER_ADDED,
        Event.UPLOAD_CLAIMED,
        Event.UPLOAD_LOADED,
    ]


def test_an_audit_entry_contains_no_name(desk):
    desk.bring([ANN, BAD])
    desk.bring([ANN.replace("ann@", "other@")])

    everything = desk.table("SELECT audit::text FROM cvms.audit").to_csv().lower()

    for personal in ("ann", "lee", "@", "staff.csv", "1990"):
        assert personal not in everything


ACTORS = [
    "service/worker",
    "user:o'neil",  # a quotation mark
    "user:AD\\jane doe",  # a backslash and a blank, as from a directory service
]


@pytest.mark.parametrize("actor", ACTORS)
def test_an_audit_entry_names_the_actor(desk, database_url, actor):
    with (
        contextlib.closing(engine.Store(database_url, actor=actor)) as store,
        store.begin() as conn,
    ):
        providers.change(conn, "mercy", is_enabled=False)

    disabled = entry_of(desk, Event.PROVIDER_DISABLED)

    assert (disabled.actor, disabled.database_role) == (actor, "postgres")


def test_a_connection_without_an_actor_is_unknown(desk, postgres, database_url):
    plain = sa.create_engine(database_url)
    with plain.begin() as conn:
        conn.execute(sa.text("UPDATE cvms.providers SET name = 'x'"))
    plain.dispose()

    assert {entry.actor for entry in told(desk)} == {"unknown"}


# What nobody may do to the audit, whoever they are: the tests' user is a superuser.
_TAMPERING = [
    "UPDATE cvms.audit SET actor = 'somebody else'",
    "UPDATE cvms.audit SET actor = actor WHERE false",
    "DELETE FROM cvms.audit",
    "TRUNCATE cvms.audit",
    # With triggers switched off as a replica does.
    "SET LOCAL session_replication_role = replica; DELETE FROM cvms.audit",
]


@pytest.mark.parametrize("statement", _TAMPERING)
def test_an_entry_can_be_neither_changed_nor_removed(desk, statement):
    desk.receive()
    before = told(desk)

    with pytest.raises(engine.StoreError) as raised:
        desk.execute(statement)

    assert raised.value.constraint == "audit_append_only"
    assert told(desk) == before


def test_audit_entries_are_selected_by_upload_provider_and_time(desk):
    mercy, duke = desk.receive("mercy"), desk.receive("duke")
    latest = told(desk)[-1]

    assert {entry.upload_id for entry in told(desk, upload_id=mercy)} == {mercy}
    assert told(desk, provider="duke")[-1].upload_id == duke
    assert latest in told(desk, since=latest.happened_at)
    later = latest.happened_at.replace(year=latest.happened_at.year + 1)
    assert told(desk, since=later) == []
