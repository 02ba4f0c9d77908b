"""One upload, file or message with a fault among twenty sound ones, in each sensor."""

import logging

import dagster as dg
import pytest

from cvms_pipeline.defs import assets, metadata, overview, recovery
from cvms_pipeline.domain.vocabulary import upload
from cvms_pipeline.files import claims
from cvms_pipeline.maintenance import retention as limits
from cvms_pipeline.use_cases import process

SOUND = 20


def row(number):
    return f"Ann{'abcdefghijklmnopqrstuvwxyz'[number]},Lee,1/2/1990,a{number}@b.org"


@pytest.fixture
def ids(desk) -> list[str]:
    """Twenty-one uploads that were received."""
    for number in range(SOUND + 1):
        desk.site.drop([row(number)], file_name=f"{number}.csv")
    received = [each.id for each in desk.site.take_in()]
    desk.instance.add_dynamic_partitions("uploads", received)
    return received


@pytest.fixture
def processed(desk, ids) -> list[str]:
    """The same, loaded; their invitations wait."""
    for upload_id in ids:
        desk.site.process(upload_id)
    return ids


def fail_for(monkeypatch, module, name, is_meant):
    """Let a function fail with an error of a library for one of its calls."""
    working = getattr(module, name)

    def fail(*arguments, **options):
        if is_meant(*arguments):
            raise KeyError("Canary")
        return working(*arguments, **options)

    monkeypatch.setattr(module, name, fail)


def ticks(desk, name, wanted=SOUND, **options):
    """Return the uploads that a sensor asks for in its first ticks."""
    found = set()
    for _ in range(100):
        desk.site.clock.forward(seconds=1)
        try:
            found |= {each.partition_key for each in desk.tick(name, **options)}
        except dg.Failure:
            continue  # reported; the next tick is seconds away
        if len(found) >= wanted:
            break
    return found


def deliver(desk):
    """Run whatever the sensor asks for, until it asks for nothing."""
    for _ in range(100):
        requests = desk.tick("waiting_messages")
        if not requests:
            return
        for each in requests:
            desk.run(each.partition_key, each.job_name)
    pytest.fail("Messages are requested without end.")


def drop_all(desk):
    for number in range(SOUND + 1):
        desk.site.drop([row(number)], file_name=f"{number}.csv")


def test_a_file_that_cannot_be_received_delays_no_other(desk, monkeypatch):
    drop_all(desk)
    fail_for(monkeypatch, claims, "finish", lambda _, c, *__: c.file_name == "7.csv")

    found = ticks(desk, "incoming_uploads")

    assert len(found) == SOUND
    acknowledged = desk.site.clock().isoformat()
    with pytest.raises(dg.Failure, match="An unexpected KeyError") as caught:
        desk.tick("incoming_uploads", cursor=acknowledged)
    assert "Canary" not in str(caught.value)


def test_a_claim_with_damaged_facts_delays_no_file(desk):
    drop_all(desk)
    damaged = desk.site.pipeline.folders.claims / upload.make_id(desk.site.clock())
    damaged.mkdir(parents=True)
    (damaged / claims.ORIGINAL).write_bytes(b"1")
    (damaged / claims.CLAIM_FILE).write_text('{"lane": "none", "claimed_at": "then"}')

    found = ticks(desk, "incoming_uploads", SOUND + 2)

    assert len(found) == SOUND + 2
    assert desk.site.upload(damaged.name).claim_refusal == "provider-unknown"


def test_an_upload_that_cannot_be_described_delays_no_other(desk, monkeypatch, capsys):
    drop_all(desk)
    fail_for(
        monkeypatch, metadata, "describe_upload", lambda up: up.file_name == "7.csv"
    )

    found = ticks(desk, "incoming_uploads")

    assert len(found) == SOUND
    assert len(desk.instance.get_materialized_partitions(assets.upload.key)) == SOUND
    reported = capsys.readouterr().err
    assert "is passed over. An unexpected KeyError" in reported
    assert "Canary" not in reported


def test_messages_of_an_upload_without_partition_are_sent_with_the_others(
    desk, processed
):
    desk.instance.delete_dynamic_partition("uploads", processed[7])

    deliver(desk)

    waiting = "SELECT count(*) FROM cvms.messages WHERE status <> 'sent'"
    assert desk.site.column(waiting) == [0]
    assert processed[7] in desk.instance.get_dynamic_partitions("uploads")


def test_a_message_of_an_unknown_upload_delays_no_other(desk, processed):
    desk.site.execute(
        "INSERT INTO cvms.messages"
        " (purpose, kind, upload_id, addresses, queued_at, next_attempt_at)"
        " VALUES ('notice:gone', 'notice', 'gone', ARRAY['a@b.org'], now(), now())"
    )

    deliver(desk)

    unsent = "SELECT upload_id FROM cvms.messages WHERE status <> 'sent'"
    assert desk.site.column(unsent) == ["gone"]


def test_a_message_that_cannot_be_composed_delays_no_other(desk, processed):
    desk.site.execute(
        "UPDATE cvms.messages SET addresses = ARRAY[]::text[]"
        " WHERE kind = 'invitation'"
        " AND upload_id = (SELECT min(id) FROM cvms.uploads)"
    )
    desk.site.execute(
        "INSERT INTO cvms.messages"
        " (purpose, kind, details, addresses, queued_at, next_attempt_at) VALUES"
        " ('alert:new', 'alert', '{}', ARRAY['a@b.org'], now(), now())"
    )

    deliver(desk)

    unsent = "SELECT purpose FROM cvms.messages WHERE status = 'waiting'"
    assert desk.site.column(unsent) == ["alert:new"]
    sent = "SELECT count(*) FROM cvms.messages WHERE kind = 'invitation' AND {}"
    assert desk.site.column(sent.format("status = 'sent'")) == [SOUND]


def ended(desk, upload_id, status=dg.DagsterRunStatus.FAILURE):
    named = {"dagster/partition": upload_id, "cvms/provider": "mercy"}
    run = dg.DagsterRun(job_name="process_upload", status=status, tags=named)
    desk.instance.add_run(run)
    return run.run_id


def test_a_failure_that_cannot_be_recorded_delays_no_other(desk, ids, monkeypatch):
    for upload_id in [*ids, "added-by-hand"]:
        ended(desk, upload_id)
    monkeypatch.setattr(recovery, "_FAILURES_BEFORE_ALERT", 0)
    fail_for(
        monkeypatch, process, "mark_failed", lambda _, upload_id: upload_id == ids[7]
    )
    desk.site.clock.forward(seconds=6)

    desk.sensor("failed_runs")

    failed = desk.site.column("SELECT id FROM cvms.uploads WHERE status = 'failed'")
    assert set(failed) == {*ids} - {ids[7]}


def test_a_lost_run_without_partition_is_requested_with_the_others(desk, ids):
    for upload_id in ids:
        ended(desk, upload_id)
    desk.instance.delete_dynamic_partition("uploads", ids[7])
    desk.site.clock.forward(seconds=10)

    requests = desk.tick("lost_runs")

    assert {each.partition_key for each in requests} == {*ids}
    assert ids[7] in desk.instance.get_dynamic_partitions("uploads")


# Where the fault of one upload shows itself in the sensor `lost_runs`.
LOST = [
    (recovery, "_is_permanent", "FAILURE"),
    (process, "mark_stopped", "CANCELED"),
]


@pytest.mark.parametrize(("module", "name", "status"), LOST)
def test_a_history_that_cannot_be_read_delays_no_other(
    desk, ids, monkeypatch, capsys, module, name, status
):
    for upload_id in ids:
        ended(desk, upload_id, dg.DagsterRunStatus[status])

    def is_meant(_, what):
        return ids[7] in (what if isinstance(what, list) else what.tags.values())

    fail_for(monkeypatch, module, name, is_meant)
    desk.site.clock.forward(seconds=10)

    requests = desk.tick("lost_runs")

    failed = desk.site.column("SELECT id FROM cvms.uploads WHERE status = 'failed'")
    done = {each.partition_key for each in requests} | {*failed}
    assert done == {*ids} - {ids[7]}
    assert f"The upload {ids[7]} is passed over." in capsys.readouterr().err


def test_an_upload_that_cannot_be_shown_hides_no_other(desk, ids, monkeypatch, capsys):
    fail_for(monkeypatch, overview, "_write_start", lambda up, _: up.id == ids[7])

    today, *_ = desk.sensor("overview").asset_events

    shown = "".join(str(entry.value) for entry in today.metadata.values())
    assert {each for each in ids if f"partition={each})" in shown} == {*ids} - {ids[7]}
    assert f"The upload {ids[7]} is passed over." in capsys.readouterr().err


def test_a_partition_that_cannot_be_removed_keeps_no_other(desk, ids, monkeypatch):
    from cvms_pipeline.defs import retention  # with Dagster's warning, as in `at`

    class Instance:
        """Dagster's, except that one upload's runs cannot be read."""

        def get_runs(self, wanted):
            if wanted.tags["dagster/partition"] == ids[7]:
                raise KeyError("Canary")
            return []

        def delete_dynamic_partition(self, name, key):
            desk.instance.delete_dynamic_partition(name, key)

    settled = [
        limits.SettledUpload(id=i, provider=None, finished_at=desk.site.clock())
        for i in ids
    ]

    removed = retention._remove_partitions(
        Instance(), settled, logging.getLogger("test"), dry_run=False
    )

    assert len(removed) == SOUND
    assert desk.instance.get_dynamic_partitions("uploads") == [ids[7]]
