"""Every fault, one after another, on Dagster's tables in Postgres: nobody is named."""

import base64
import json
import pickle
import zlib
from collections.abc import Iterator

import canaries
import dagster as dg
import dagster_operations
import installations
import pytest
import sqlalchemy as sa
import test_defs_canary

SCHEMAS = ["dagster"]
PERSON = test_defs_canary.PERSON
STORAGE = {
    "module": "cvms_pipeline.run_engine.storage",
    "class": "PooledPostgresStorage",
}
NO_OUTPUT = {
    "module": "dagster._core.storage.noop_compute_log_manager",
    "class": "NoOpComputeLogManager",
}
NEVER = "ALTER TABLE cvms.{} DROP CONSTRAINT IF EXISTS never"


@pytest.fixture
def instance(tmp_path, site) -> Iterator[dg.DagsterInstance]:
    """An instance on the product's own storage, in the site's database."""
    folder = tmp_path / "dagster"
    folder.mkdir()
    with dg.instance_for_test(
        temp_dir=str(folder),
        overrides={"storage": {"custom": STORAGE}, "compute_logs": NO_OUTPUT},
    ) as made:
        yield made


def in_tables(desk):
    with desk.site.pipeline.store.begin() as conn:
        return canaries.find_in_tables(conn, SCHEMAS)


def test_an_error_in_any_op_leaves_no_name_in_dagster_s_tables(
    desk, tmp_path, monkeypatch, capfd
):
    for fault, (break_it, job) in test_defs_canary.FAULTS.items():
        upload_id = desk.receive(
            [*test_defs_canary.ROWS, f"{fault},Canarywood,7/19/1931,c@canary.example"],
            file_name=test_defs_canary.FILE_NAME,
        )
        if job == test_defs_canary.TO_RECIPIENTS:
            assert desk.run(upload_id).success
        with monkeypatch.context() as patch:
            break_it(desk, patch)
            result = desk.run(upload_id, job)
        for table in ("recipients", "rejected_rows", "messages"):
            desk.site.execute(NEVER.format(table))
        assert result.success == (fault == "bad data"), fault

    assert len(desk.instance.get_run_records()) > len(test_defs_canary.FAULTS)
    assert in_tables(desk) == {}
    assert canaries.find_in_files(tmp_path / "dagster") == {}
    assert canaries.find("".join(capfd.readouterr())) == []
    assert canaries.find_in_processes() == []


def test_answers_of_the_mail_server_leave_no_name_in_dagster_s_tables(site, instance):
    answers = [f"550 <{PERSON}> unknown", f"452 {PERSON} later"]
    mailbox = installations.Mailbox()
    server = installations.MailServer(mailbox)
    server.start()
    try:
        desk = dagster_operations.at(site.by_smtp(server.port), instance)
        for answer in answers:
            mailbox.answers["data"] = answer
            upload_id = desk.receive(
                test_defs_canary.ROWS, file_name=test_defs_canary.FILE_NAME
            )
            desk.run(upload_id)
            desk.run(upload_id, test_defs_canary.TO_RECIPIENTS)
        desk.site.pipeline.mailer.close()
    finally:
        server.stop()

    assert in_tables(desk) == {}


# The ways in which Dagster and Celery store what they are told.
WRAPPINGS = {
    "plain": lambda text: text,
    "bytes": lambda text: text.encode("utf-16"),
    "JSON": lambda text: json.dumps({"a": [text]}),
    "pickled": lambda text: pickle.dumps({"a": text}),
    "packed": lambda text: zlib.compress(json.dumps({"a": text}).encode()),
    "base64": lambda text: base64.b64encode(json.dumps([text]).encode()).decode(),
    "base64 in JSON": lambda text: json.dumps(
        {"body": base64.b64encode(text.encode()).decode()}
    ),
    "packed, in base64": lambda text: base64.b64encode(zlib.compress(text.encode())),
    "hexadecimal": lambda text: text.encode().hex(),
}


@pytest.mark.parametrize("before", ["", "x", "xx", "xxx"])
@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_the_search_would_find_a_name_however_it_is_wrapped(wrapping, before):
    wrapped = WRAPPINGS[wrapping](f"{before}Ann Canarywood")

    assert canaries.find(wrapped) != []


def test_the_search_finds_canaries_in_a_table_and_a_file(desk, tmp_path):
    desk.instance.add_dynamic_partitions("uploads", ["Zebulonia"])
    desk.instance.report_runless_asset_event(
        dg.AssetMaterialization("upload", metadata={"who": PERSON})
    )
    with desk.site.pipeline.store.begin() as conn:
        conn.execute(
            sa.text("UPDATE dagster.instance_info SET run_storage_id = :id"),
            {"id": "canary bird"},
        )
    (tmp_path / "dagster" / "log").write_text(PERSON, "utf-8")

    hits = in_tables(desk)

    assert "dagster.dynamic_partitions.partition" in hits
    assert "dagster.event_logs.event" in hits
    assert list(canaries.find_in_files(tmp_path / "dagster")) == [
        str(tmp_path / "dagster" / "log")
    ]
