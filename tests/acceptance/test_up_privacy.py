"""After all other tests: no name is outside of its place."""

import base64
import json
import shutil
import socket
import subprocess

import canaries
import running
import sqlalchemy as sa
import web_sessions

SCHEMAS = ["dagster", "celery"]
FILE_NAME = "Zebulonia Quackenbush 7-19-1931.csv"
PASSWORD = "four blue horses 7"
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


MALFORMED = [
    b"GET /?name=Ann Canarywood HTTP/1.1\r\n\r\n",  # a space that ends the address
    b"GET / HTTP/1.1\r\nCookie cy@canary.example.org\r\n\r\n",  # no colon
    b"canarywood",
]


def send_malformed(up) -> list[bytes]:
    """Return what the portal answers to requests that cannot be read."""
    answers = []
    for request in MALFORMED:
        address = ("127.0.0.1", int(up.environment["CVMS_PORTAL_PORT"]))
        with socket.create_connection(address, timeout=60) as asked:
            asked.sendall(request)
            asked.shutdown(socket.SHUT_WR)
            answers.append(asked.recv(12))
    return answers


def visit_portal(up) -> list[int]:
    """Use the portal as somebody who is a canary; return the statuses."""
    words = ("--provider", running.SLUG, "--print", "--json")
    address = "cy.canarywood@canary.example.org"
    link = json.loads(up.cvms("accounts", "add", address, *words))["link"]
    base = f"http://127.0.0.1:{up.environment['CVMS_PORTAL_PORT']}"
    someone = web_sessions.Session(base)
    opened = [
        someone.get("/uploads/?q=Canarywood"),
        someone.post("/accounts/login/", login=address, password="Ann Canarywood"),
        someone.get("/Canarywood/"),
        someone.get(link),
        someone.post("/accounts/set-password/", password="Canary", again="wood"),
        someone.post("/accounts/set-password/", password=PASSWORD, again=PASSWORD),
        someone.post("/accounts/login/", login=address, password=PASSWORD),
        someone.get("/accounts/factors/app/"),
    ]
    return [page.status for page in opened]


def test_the_tables_of_dagster_and_celery_and_all_logs_contain_no_name(up, people):
    bring(up, [*people(2), "Cy Canarywood#,,7/19/1931,cy@canary.example.org"], 1)
    assert send_malformed(up)[:2] == [b"HTTP/1.1 400"] * 2
    assert visit_portal(up) == [200, 200, 404, 200, 422, 200, 200, 200]

    with up.store.begin() as conn:
        assert canaries.find_in_tables(conn, SCHEMAS) == {}
    assert canaries.find_in_files(up.data / "logs", up.home / "up.log") == {}
    assert canaries.find_in_processes() == []


def test_the_search_finds_a_name_that_is_planted_in_any_of_these_tables(up):
    plain = "Ann Canarywood"
    packed = '{"body": "' + base64.b64encode(plain.encode()).decode() + '"}'
    with up.store.engine.connect() as conn:
        for statement in PLANTED:
            values = {"plain": plain, "packed": packed}
            wanted = {name: values[name] for name in values if f":{name}" in statement}
            conn.execute(sa.text(statement), wanted)

        hits = canaries.find_in_tables(conn, SCHEMAS)
        conn.rollback()

    assert set(hits) == {
        "celery.kombu_message.payload",
        "celery.celery_taskmeta.result",
        "dagster.dynamic_partitions.partition",
    }


def test_the_files_of_dagster_contain_no_name(up, people):
    bring(up, people(1), 2)

    assert canaries.find_in_files(up.data / "dagster") == {}
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

    assert "cvms_pipeline.run_engine.worker" in arguments
    assert secret not in arguments
