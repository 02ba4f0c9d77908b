"""After all that has happened: nobody's name outside its place."""

import base64
import shutil
import subprocess

import canaries
import running
import sqlalchemy as sa

SCHEMAS = ["dagster", "celery"]
FILE_NAME = "Zebulonia Quackenbush 7-19-1931.csv"
PLANTED = [
    "INSERT INTO celery.kombu_queue (id, name) VALUES (-1, 'canary')",
    "INSERT INTO celery.kombu_message (id, visible, payload, version, queue_id)"
    " VALUES (-1, false, :packed, 1, -1)",
    "INSERT INTO celery.celery_taskmeta (id, task_id, result)"
    " VALUES (-1, 'canary', convert_to(:plain, 'UTF8'))",
    "INSERT INTO dagster.dynamic_partitions (partitions_def_name, partition)"
    " VALUES ('canary', :plain)",
]


def bring(up, rows, number):
    """Drop a file that names a person in its name, too, and wait for its end."""
    name = f"{number} {FILE_NAME}"
    text = "\r\n".join([running.HEADER, *rows])
    folder = up.data / "incoming" / running.SLUG / "low_volume"
    (folder / name).write_text(text, "utf-8")
    up.finished(up.upload_of(name))


def test_dagster_s_and_celery_s_tables_and_all_logs_name_nobody(up, people):
    bring(up, [*people(2), "Cy Canarywood#,,7/19/1931,cy@canary.example.org"], 1)

    with up.store.begin() as conn:
        assert canaries.in_tables(conn, SCHEMAS) == {}
    assert canaries.in_files(up.data / "logs", up.home / "up.log") == {}
    assert canaries.in_processes() == []


def test_the_search_would_find_a_name_in_any_of_these_tables(up):
    plain = "Ann Canarywood"
    packed = '{"body": "' + base64.b64encode(plain.encode()).decode() + '"}'
    with up.store.engine.connect() as conn:
        for statement in PLANTED:
            values = {"plain": plain, "packed": packed}
            wanted = {name: values[name] for name in values if f":{name}" in statement}
            conn.execute(sa.text(statement), wanted)

        hits = canaries.in_tables(conn, SCHEMAS)
        conn.rollback()

    assert set(hits) == {
        "celery.kombu_message.payload",
        "celery.celery_taskmeta.result",
        "dagster.dynamic_partitions.partition",
    }


def test_what_dagster_keeps_in_files_names_nobody(up, people):
    bring(up, people(1), 2)

    assert canaries.in_files(up.data / "dagster") == {}
    assert {path.name for path in up.home.iterdir()} == {
        "dagster.yaml",
        "workspace.yaml",
        "data",
        "dropped",
        "up.log",
    }


def test_no_process_has_a_secret_in_its_arguments(up):
    secret = up.store.engine.url.password
    assert secret

    ps = shutil.which("ps") or "ps"
    arguments = subprocess.run(  # noqa: S603 # no words of others
        [ps, "axww", "-o", "args"], capture_output=True, text=True, check=True
    ).stdout

    assert "cvms_pipeline.defs.worker" in arguments
    assert secret not in arguments
