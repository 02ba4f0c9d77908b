"""A backup restored elsewhere: every table, every byte, and the work goes on."""

import contextlib
import datetime as dt
import stat
import subprocess

import alembic.command
import backup_installations
import dagster as dg
import help_desks
import installations
import pytest
import sqlalchemy as sa

from cvms_pipeline import disk
from cvms_pipeline.database import engine, revisions
from cvms_pipeline.files import claims, incoming
from cvms_pipeline.store import audit

STORAGE = {
    "module": "cvms_pipeline.run_engine.storage",
    "class": "PooledPostgresStorage",
    "config": {},
}
ODD_NAMES = [
    "plain.csv",
    "two\nlines.csv",
    "no\udcff utf-8.csv",
    "back\\slash\rreturn.csv",
    "é" * 120 + ".csv",
    "--option.csv",
]


@pytest.fixture
def busy(site):
    """Uploads in every state, with runs and partitions of Dagster's."""
    site.add_provider("north", is_enabled=True)
    done = site.bring([installations.ANN, installations.BAD])
    site.bring(b"not a csv \0")
    site.receive([installations.BOB], slug="north")
    site.bring([installations.ANN], slug="nobody")
    help_desks.open_case(site)
    with dg.instance_for_test(overrides={"storage": {"custom": STORAGE}}) as instance:
        instance.add_dynamic_partitions("uploads", [done])
        run = dg.DagsterRun(job_name="process_upload", tags={"a": "b"})
        instance.add_run(run)
        instance.report_engine_event("An event.", run)
    return site


def test_every_table_and_every_byte_of_the_archive_is_restored(busy, vault, fresh):
    made = vault.make()

    fresh.restore(vault.path)

    tables = backup_installations.everything(busy.pipeline.store)
    assert backup_installations.everything(fresh.store) == tables
    assert not tables["dagster.event_logs"].startswith("0 ")
    assert not tables["cvms.audit"].startswith("0 ")
    assert fresh.archived() == backup_installations.archived(busy.pipeline.archive.root)
    assert made.archived == len(fresh.archived()) == 4
    assert (made.missing, made.changed) == ([], [])
    (case_file,) = (fresh.target.archive / "cases").glob("*/*")
    assert case_file.read_bytes() == help_desks.DATA
    assert stat.S_IMODE(case_file.stat().st_mode) == 0o400


def test_constraints_and_triggers_are_restored(busy, vault, fresh):
    vault.make()
    fresh.restore(vault.path)

    with (
        pytest.raises(engine.StoreError) as refused,
        fresh.store.begin() as conn,
    ):
        conn.execute(sa.text("DELETE FROM cvms.audit"))

    assert refused.value.constraint == "audit_append_only"


def test_a_waiting_file_is_restored_under_its_name(busy, vault, fresh):
    for name in ODD_NAMES:
        busy.drop([installations.BOB], file_name=name)
    before = sorted(path.name for path in busy.lane().iterdir())

    made = vault.make()
    fresh.restore(vault.path)

    lane = fresh.target.folders.root / "mercy" / "low_volume"
    assert made.waiting == len(ODD_NAMES)
    assert sorted(path.name for path in lane.iterdir()) == before


def test_anybody_can_verify_a_backup_with_sha256sum(busy, vault):
    for name in ODD_NAMES:
        busy.drop([installations.BOB], file_name=name)
    vault.make()

    ended = subprocess.run(  # words of this test
        ["/usr/bin/env", "sha256sum", "--check", "--strict", "SHA256SUMS"],
        cwd=vault.path,
        capture_output=True,
    )

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count(b": OK\n") == len(vault.names()) - 1


def test_an_unfinished_claim_is_restored(busy, vault, fresh):
    path = busy.drop([installations.BOB])
    folders = busy.pipeline.folders
    (found,) = [f for f in incoming.scan(folders, now=busy.clock()) if f.is_settled]
    claims.claim(folders, found, upload_id="20260102-030405-abcdefgh", now=busy.clock())

    vault.make()
    fresh.restore(vault.path)

    (again,) = claims.list_open_claims(
        fresh.target.folders, now=dt.datetime.now(dt.UTC), limit=99
    )
    assert not path.exists()
    assert again.upload_id == "20260102-030405-abcdefgh"
    assert again.folder == "mercy"


def test_a_file_in_quarantine_is_restored_to_quarantine(busy, vault, fresh):
    (kept,) = busy.pipeline.folders.quarantine.glob("*/original")

    vault.make()
    fresh.restore(vault.path)

    (restored,) = fresh.target.folders.quarantine.glob("*/original")
    assert restored.parent.name == kept.parent.name
    assert restored.read_bytes() == kept.read_bytes()


def test_the_key_that_signs_links_is_restored(busy, vault, fresh):
    key = busy.home / "data" / "run" / "secret_key"
    disk.write(key, b"a key")
    vault.make()

    fresh.restore(vault.path)

    assert fresh.target.key.read_bytes() == b"a key"


def test_every_provider_has_its_folders_again(busy, vault, fresh):
    vault.make()
    fresh.restore(vault.path)

    folders = {p.parent.name for p in fresh.target.folders.root.glob("*/results")}
    assert folders == {"mercy", "north"}


def test_restored_files_are_private(busy, vault, fresh):
    busy.drop([installations.BOB])
    vault.make()
    fresh.restore(vault.path)

    everything = [vault.path, *vault.path.rglob("*")]
    everything += (fresh.home / "data" / "incoming").rglob("*")
    everything += (fresh.home / "data" / "archive").rglob("*")

    assert not [p for p in everything if stat.S_IMODE(p.stat().st_mode) & 0o077]


def test_tables_of_an_earlier_version_are_migrated(
    tmp_path, postgres, fresh, monkeypatch
):
    with postgres.database("template0") as url:
        with contextlib.closing(engine.Store(url)) as store, store.begin() as conn:
            conn.execute(sa.text("CREATE SCHEMA cvms"))
            alembic.command.upgrade(revisions._configure(conn), "0003")
        monkeypatch.setattr(audit, "write", lambda *_: None)  # not yet there
        monkeypatch.setattr(installations.Installation, "add_provider", lambda *_: None)
        old = installations.opened(tmp_path / "older", url, monkeypatch)
        path = tmp_path / "older backup"
        backup_installations.Vault(site=old, url=url, path=path).make()
        old.pipeline.close()

    is_migrated = fresh.restore(path)

    assert is_migrated
    assert revisions.is_current(fresh.target.url)


def test_an_unfinished_upload_is_finished_after_the_restore(
    busy, vault, fresh, tmp_path, monkeypatch
):
    busy.drop([installations.BOB], slug="mercy", file_name="waits.csv")
    vault.make()
    fresh.restore(vault.path)
    monkeypatch.setenv("CVMS_HOME", str(fresh.home))
    monkeypatch.setattr(installations.Installation, "add_provider", lambda *_: None)
    after = installations.opened(fresh.home, fresh.target.url, monkeypatch)

    after.clock.forward(minutes=3)  # a run was asked for, and is asked for again
    for upload in after.take_in():
        after.process(upload.id)

    counts = after.column("SELECT count(*) FROM cvms.uploads WHERE decided_at IS NULL")
    assert counts == [0]
    assert after.column("SELECT last_name FROM cvms.recipients ORDER BY 1") == [
        "Lee",
        "Lee",
    ]
    after.pipeline.close()
