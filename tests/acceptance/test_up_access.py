"""Who gets at a running installation."""

import shutil
import subprocess

import psutil
import sqlalchemy as sa

from cvms_pipeline import settings


def test_nothing_listens_but_on_this_machine(up):
    me = psutil.Process(up.process.pid)
    sockets = [
        (process.name(), socket.laddr.ip)
        for process in [me, *me.children(recursive=True)]
        for socket in process.net_connections("inet")
        if socket.status == psutil.CONN_LISTEN
    ]

    assert sockets
    assert {ip for _, ip in sockets} == {"127.0.0.1"}


def test_the_services_work_as_a_role_that_can_drop_nothing(up, people):
    up.bring(people(1))

    roles = up.rows(
        "SELECT DISTINCT usename FROM pg_stat_activity"
        " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    assert roles == [("cvms_service",)]
    owned = up.rows(
        "SELECT count(*) FROM pg_class WHERE relowner = 'cvms_service'::regrole"
        " AND relnamespace IN (SELECT oid FROM pg_namespace"
        "   WHERE nspname IN ('cvms', 'dagster', 'celery', 'public'))"
    )
    assert owned == [(0,)]
    for schema in ("cvms", "dagster", "celery"):
        can = f"SELECT has_schema_privilege('cvms_service', '{schema}', 'CREATE')"
        assert up.rows(can) == [(False,)]


def test_the_audit_tells_of_a_running_installation_who_did_what(up, people):
    upload_id = up.bring(people(1))

    told = up.rows(
        "SELECT event, actor, database_role, run_id FROM cvms.audit"
        " WHERE upload_id = :id ORDER BY id",
        id=upload_id,
    )
    (run_id,) = up.rows("SELECT run_id FROM cvms.uploads WHERE id = :id", id=upload_id)[
        0
    ]
    assert told == [
        ("upload-claimed", "service/code", "cvms_service", None),
        ("upload-loaded", "service/worker", "cvms_service", run_id),
    ]


def test_neither_role_s_password_is_in_a_process_list_or_a_log(up):
    chosen = settings.load(home=up.home, data_dir=up.data)
    urls = (chosen.store_url, chosen.owner_url)
    passwords = [str(sa.make_url(url).password) for url in urls]
    passwords.append((up.data / "run" / "secret_key").read_text("ascii"))
    ps = shutil.which("ps") or "ps"

    arguments = subprocess.run(  # noqa: S603 # no words of others
        [ps, "axww", "-o", "args"], capture_output=True, text=True, check=True
    ).stdout
    logs = [path.read_text("utf-8", "replace") for path in (up.data / "logs").iterdir()]

    for password in passwords:
        assert len(password) > 30
        assert not any(password in text for text in [arguments, up.log, *logs])
