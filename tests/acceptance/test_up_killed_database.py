"""Postgres that is killed under an open UI and a queued upload."""

import json
import os
import signal
import urllib.error
import urllib.request

from cvms_pipeline.database import engine

QUESTION = """{
  runsOrError(limit: 5) {
    __typename
    ... on Runs { results { runId status } }
    ... on PythonError { message }
  }
}"""

LAUNCHED = """
SELECT 1 FROM dagster.event_logs
WHERE run_id = :id AND event LIKE '%has been forwarded to the broker%'
"""


def ask(up) -> str:
    """Return what the UI answers to a question that a page asks all the time."""
    request = urllib.request.Request(  # our own server
        f"http://127.0.0.1:{up.port}/graphql",
        data=json.dumps({"query": QUESTION}).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=120) as response:  # noqa: S310 # the same
            return str(response.read().decode())
    except urllib.error.HTTPError as error:
        return f"{error.code}: {error.read().decode()}"


def processed(up, upload_id):
    return [r for r in up.runs(upload_id) if r["jobName"] == "process_upload"]


def kill_postgres(up) -> None:
    """Kill the server by its own id; supervisord starts it again."""
    (file,) = up.data.glob("postgres/*/postmaster.pid")
    os.kill(int(file.read_text().split()[0]), signal.SIGKILL)


def is_back(up) -> bool:
    """Return whether Postgres answers again."""
    try:
        return bool(up.rows("SELECT 1"))
    except engine.StoreAway:
        return False


def test_a_killed_postgres_shows_in_no_answer_of_the_ui_and_in_no_run(up, people):
    up.bring(people(2))  # so that every process has open connections
    ask(up)
    worker = up.worker()
    for each in (worker, *worker.children()):
        each.suspend()
    try:
        queued = up.upload_of(up.drop(people(2)))
        up.eventually(lambda: processed(up, queued))
        # Its launch has ended: what is in flight when Postgres dies may fail.
        up.eventually(lambda: up.rows(LAUNCHED, id=processed(up, queued)[0]["runId"]))
        ask(up)
        kill_postgres(up)
    finally:
        for each in (*worker.children(), worker):
            each.resume()
    answers = [ask(up)]
    up.eventually(lambda: is_back(up))
    later = up.upload_of(up.drop(people(2)))
    for upload_id in (queued, later):
        up.finished(upload_id)
        answers.append(ask(up))

    assert [a for a in answers if '"__typename":"Runs"' not in a.replace(" ", "")] == []
    for upload_id in (queued, later):
        assert up.status(upload_id) == "completed"
        assert {run["status"] for run in processed(up, upload_id)} == {"SUCCESS"}
