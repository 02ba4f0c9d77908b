"""Tables of each earlier revision, with 10,000 people in them, and work in flight.

The upgrade loses nothing, and what was unfinished is finished by this version.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import alembic.autogenerate
import alembic.runtime.migration
import installations
import pytest
import sqlalchemy as sa
from alembic import command

from cvms_pipeline.database import revisions, schemas, tables
from cvms_pipeline.domain.vocabulary import upload
from cvms_pipeline.use_cases import deliver, receive

PEOPLE = 10_000
LOADED = "20260101-000000-aaaaaaaa"
KEPT = (
    "providers", "uploads", "recipients", "recipient_changes", "rejected_rows",
    "messages",
)  # fmt: skip

FILL = Path(__file__).with_name("older_tables.sql").read_text("utf-8")
UNFINISHED = sa.text(
    "INSERT INTO cvms.uploads (id, folder, provider, lane, file_name, sha256, size,"
    " status, received_at, requested_at, started_at, run_id, failed_at)"
    " VALUES (:id, 'mercy', 'mercy', 'low_volume', :status || '.csv', :sha256, :size,"
    " :status, now(), now(), CASE :status WHEN 'received' THEN NULL ELSE now() END,"
    " CASE :status WHEN 'received' THEN NULL ELSE 'run-2' END,"
    " CASE :status WHEN 'failed' THEN now() END)"
)


@dataclass(frozen=True, kw_only=True)
class Upgraded:
    """An installation after its upgrade.

    Attributes:
        unfinished: The ids of the uploads that were in flight, by their status.
    """

    url: str
    site: installations.Installation
    unfinished: dict[str, str]


def copy_tables(conn: sa.Connection) -> None:
    """Keep every row as it is before the upgrade."""
    conn.exec_driver_sql("CREATE SCHEMA before")
    for name in KEPT:
        conn.exec_driver_sql(f"CREATE TABLE before.{name} AS TABLE cvms.{name}")


def count_differences(conn: sa.Connection, name: str) -> int:
    """Return how many rows are not as they were; what the upgrade added is not read."""
    after = {each["name"] for each in sa.inspect(conn).get_columns(name, "cvms")}
    before = [each["name"] for each in sa.inspect(conn).get_columns(name, "before")]
    assert after >= set(before)
    columns = ", ".join(before)
    old = f"SELECT {columns} FROM before.{name}"  # noqa: S608 # names above
    new = f"SELECT {columns} FROM cvms.{name}"  # noqa: S608 # names above
    both = f"({old} EXCEPT ALL {new}) UNION ALL ({new} EXCEPT ALL {old})"
    return len(conn.exec_driver_sql(both).all())


def put_in_flight(
    conn: sa.Connection, site: installations.Installation, status: str, number: int
) -> str:
    """Receive a file with a new, a known and a wrong row; return the upload's id."""
    rows = [
        f"New{'abc'[number]},Person,1/2/1990,new{number}@b.example.org",
        f"ANN,p{'abc'[number]},1/{number + 1}/1950,p{number // 2}@b.example.org",
        installations.BAD,
    ]
    data = "\r\n".join([installations.HEADER, *rows]).encode()
    upload_id = upload.make_id(site.clock())
    site.pipeline.archive.write(upload_id, data)
    facts = {"sha256": upload.compute_sha256(data), "size": len(data)}
    conn.execute(UNFINISHED, {"id": upload_id, "status": status, **facts})
    return upload_id


LET_REGISTER = "UPDATE cvms.recipients SET password_set_at = registered_at"


@pytest.fixture(params=list(reversed(revisions.list_known()[1:])))
def upgraded(request, empty_database_url, tmp_path, monkeypatch) -> Iterator[Upgraded]:
    """An installation of each earlier revision, brought to the newest one."""
    url = empty_database_url
    site = installations.opened(tmp_path, url, monkeypatch, is_new=False)
    with revisions._connect(url) as conn:
        for schema in schemas.ALL:
            conn.execute(sa.schema.CreateSchema(schema))
        command.upgrade(revisions._configure(conn), request.param)
        conn.exec_driver_sql(FILL)
        if request.param >= "0022":  # from then on nobody registers without a password
            conn.exec_driver_sql(LET_REGISTER)
        unfinished = {
            status: put_in_flight(conn, site, status, number)
            for number, status in enumerate(("received", "processing", "failed"))
        }
        copy_tables(conn)
    revisions.upgrade(url)
    yield Upgraded(url=url, site=site, unfinished=unfinished)
    site.pipeline.close()


def test_an_upgrade_loses_nothing_and_what_was_in_flight_is_finished(upgraded):
    site = upgraded.site

    # Every row is there as it was, in tables that are those of the code.
    assert revisions.is_current(upgraded.url)
    with revisions._connect(upgraded.url) as conn:
        assert [count_differences(conn, name) for name in KEPT] == [0] * len(KEPT)
        conn.exec_driver_sql("DROP SCHEMA before CASCADE")
        context = alembic.runtime.migration.MigrationContext.configure(
            conn,
            opts={"include_schemas": True, "version_table_schema": schemas.CVMS},
        )
        assert not alembic.autogenerate.compare_metadata(context, tables.METADATA)
    # Whoever had registered before cannot be corrected: a password counts as set.
    frozen = (
        "SELECT count(*) FROM cvms.recipients"
        " WHERE password_set_at IS DISTINCT FROM registered_at"
    )
    assert site.column(frozen) == [0]
    unproven = "SELECT conname FROM pg_constraint WHERE NOT convalidated"
    assert site.column(unproven) == []

    # What was in flight finishes: a person loaded, one known, one row wrong.
    site.clock.forward(minutes=3)
    requested = {each.id for each in receive.request_runs(site.pipeline).uploads}
    assert requested >= {upgraded.unfinished["received"]}
    for upload_id in upgraded.unfinished.values():
        site.process(upload_id, "run-3")
        done = site.upload(upload_id)
        assert done.status == "completed_with_errors"
        assert (done.loaded, done.updated, done.rejected) == (1, 0, 2)
        assert done.reasons["duplicate-recipient"] == 1

    # A new file: known people, one who shares an address, and one who is new.
    new_id = site.bring(
        [
            "Ann,Pjjjj,5/18/1977,p4999@b.example.org",
            "ann,PB,1/2/1950,p0@b.example.org",
            "Ben,Pa,1/1/1950,p0@b.example.org",
            "Ben,Pb,1/1/1950,b@b.example.org",
        ]
    )
    assert site.upload(new_id).loaded == 2
    assert site.upload(new_id).reasons == {"duplicate-recipient": 2}
    names = "SELECT username FROM cvms.recipients WHERE email = 'p0@b.example.org'"
    assert set(site.column(names)) == {
        f"p0@b.example.org{number}.COVID19VACCINE" for number in ("", ".2", ".3")
    }
    people = site.column("SELECT count(*) FROM cvms.recipients")
    assert people == [PEOPLE + len(upgraded.unfinished) + 2]

    # Each message that waited is sent, and each once.
    deliver.send_notice(site.pipeline, LOADED)
    for upload_id in (LOADED, new_id, *upgraded.unfinished.values()):
        deliver.send_invitations(site.pipeline, upload_id)
        deliver.send_invitations(site.pipeline, upload_id)
    assert set(site.column("SELECT status FROM cvms.messages")) == {"sent"}
    invited = [mail["To"] for mail in site.mail() if mail["Subject"][:7] == "Welcome"]
    assert len(invited) == 10 + len(upgraded.unfinished) + 2
