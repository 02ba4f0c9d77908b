"""After all that has happened: nobody's name outside its place."""

import re
import shutil
import subprocess

CANARIES = re.compile("canarywood|canary.example|7/19/1931|1931-07-19", re.I)


def test_dagster_s_and_celery_s_tables_and_all_logs_name_nobody(up, people):
    up.bring([*people(1), "Cy Canarywood#,,7/19/1931,cy@canary.example.org"])
    tables = up.rows(
        "SELECT schemaname, tablename FROM pg_tables"
        " WHERE schemaname IN ('dagster', 'celery')"
    )
    assert {schema for schema, _ in tables} == {"dagster", "celery"}

    for schema, table in tables:
        whole = f'SELECT to_jsonb(t)::text FROM "{schema}"."{table}" t'  # noqa: S608 # from the catalogue
        found = [row for (row,) in up.rows(whole) if CANARIES.search(row)]
        assert found == [], f"{schema}.{table}"
    logs = [*(up.data / "logs").iterdir(), up.home / "up.log"]
    for path in logs:
        assert not CANARIES.search(path.read_text("utf-8", "replace")), path


def test_what_dagster_keeps_in_files_names_nobody(up, people):
    up.bring(people(1))

    kept = up.data / "dagster"
    files = [path for path in kept.rglob("*") if path.is_file()]

    for path in files:
        assert not CANARIES.search(path.read_bytes().decode("latin-1")), path
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
