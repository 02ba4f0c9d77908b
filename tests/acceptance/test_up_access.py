"""Who can access a running installation."""

import json
import shutil
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

import psutil
import pytest
import sqlalchemy as sa

from cvms_pipeline.settings import loading

SENSOR = {
    "repositoryLocationName": "cvms_pipeline",
    "repositoryName": "__repository__",
    "sensorName": "overview",
}
FIND = """query ($sensor: SensorSelector!) {
    sensorOrError(sensorSelector: $sensor) {
        ... on Sensor { sensorState { id status } }
    }
}"""
STOP = """mutation ($id: String!) { stopSensor(id: $id) { __typename } }"""
START = """mutation ($sensor: SensorSelector!) {
    startSensor(sensorSelector: $sensor) { __typename }
}"""


def test_all_services_listen_on_this_machine_only(up):
    me = psutil.Process(up.process.pid)
    sockets = [
        (process.name(), socket.laddr.ip)
        for process in [me, *me.children(recursive=True)]
        for socket in process.net_connections("inet")
        if socket.status == psutil.CONN_LISTEN
    ]

    assert sockets
    assert {ip for _, ip in sockets} == {"127.0.0.1"}


def test_the_services_role_cannot_drop_a_table(up, people):
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


def test_the_audit_of_a_running_installation_records_who_did_what(up, people):
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


def test_no_database_password_is_in_a_process_list_or_a_log(up):
    chosen = loading.load(home=up.home, data_dir=up.data)
    urls = (chosen.urls.store, chosen.urls.owner)
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


def find_sensor(up):
    return up.graphql(FIND, sensor=SENSOR)["sensorState"]


def ask_by_page(up, query, **variables):
    """Ask by GET and by POST, as a page of another site makes a browser do it."""
    values = {"query": query, "variables": json.dumps(variables)}
    url = f"http://127.0.0.1:{up.port}/graphql"
    page = {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}
    asked = f"{url}?{urllib.parse.urlencode(values)}"
    statuses = []
    for request in (
        urllib.request.Request(asked),  # noqa: S310 # our own server
        urllib.request.Request(asked, data=b"", headers=page),  # noqa: S310 # the same
    ):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=60)  # noqa: S310 # the same
        statuses.append(refused.value.code)
        refused.value.close()
    return statuses


def read_problems(up):
    command = [sys.executable, "-m", "cvms_pipeline.cli", "status", "--json"]
    ended = subprocess.run(  # noqa: S603 # our own words
        command, env=up.environment, cwd=up.home, capture_output=True, check=False
    )
    return [each["text"] for each in json.loads(ended.stdout)["problems"]]


def test_no_web_page_stops_a_sensor_and_status_names_one_that_a_person_stops(up):
    stopped = "A person has stopped overview. Start it in the Dagster UI, Automation."
    sensor = find_sensor(up)

    assert ask_by_page(up, STOP, id=sensor["id"]) == [405, 403]
    assert find_sensor(up)["status"] == "RUNNING"
    assert stopped not in read_problems(up)

    up.graphql(STOP, id=sensor["id"])
    try:
        assert find_sensor(up)["status"] == "STOPPED"
        assert stopped in read_problems(up)
    finally:
        up.graphql(START, sensor=SENSOR)
    assert stopped not in read_problems(up)
