"""The Dagster UI behind the log-in of the portal: who only looks, and who did what."""

import json
import urllib.parse

import proxies
import pytest

from cvms_pipeline.use_cases import history

DELETE = 'mutation { deleteRun(runId: "x") { __typename } }'
HIDDEN = """
query Asked { version }
mutation Hidden { deleteRun(runId: "x") { __typename } }
"""
SPREAD = "mutation { ...all } fragment all on Mutation { __typename }"


@pytest.fixture
def ui(tmp_path, database_url):
    home = tmp_path / "ui"
    home.mkdir()
    with proxies.dagster_ui(home, database_url=database_url) as url:
        yield url


def ask(url, query, access, *, user="ops@example.org", path="/graphql"):
    headers = {"Content-Type": "application/json", "X-Cvms-User": user}
    if access:
        headers["X-Cvms-Access"] = access
    data = json.dumps({"query": query}).encode()
    return proxies.ask(url + path, headers=headers, data=data)


@pytest.fixture
def audit(site):
    def read():
        found = history.list_audit_entries(site.pipeline, limit=100)
        return [
            (each.actor, each.details["changes"])
            for each in reversed(found)
            if each.event == "dagster-changed"
        ]

    return read


@pytest.fixture
def site(tmp_path, database_url, monkeypatch):
    import installations

    made = installations.opened(tmp_path / "home", database_url, monkeypatch)
    with made.pipeline:
        yield made


def test_an_account_that_may_only_look_changes_nothing(ui):
    queries, accesses = [DELETE, HIDDEN, SPREAD, "{", ""], ["read", "", "WRITE"]

    statuses = [ask(ui, q, access)[0] for q in queries for access in accesses]

    assert statuses == [403] * 15


def test_a_mutation_in_the_address_is_found_whatever_type_the_body_has(ui):
    address = f"{ui}/graphql?{urllib.parse.urlencode({'query': DELETE})}"
    types = ["Application/GraphQL", "APPLICATION/JSON", "application/Json; a=b"]

    statuses = [
        proxies.ask(
            address,
            headers={
                "Content-Type": t,
                "X-Cvms-User": "a@b.org",
                "X-Cvms-Access": "read",
            },
            data=b"{ __typename }",
        )[0]
        for t in types
    ]

    assert statuses == [403] * 3


def test_an_account_that_may_only_look_sees_everything(ui):
    status, text = ask(ui, "{ version }", "read")

    assert status == 200
    assert "version" in json.loads(text)["data"]


def test_what_is_reported_by_other_addresses_is_a_change_too(ui):
    path = "/report_asset_materialization/upload"

    assert ask(ui, "", "read", path=path)[0] == 403


def test_the_audit_records_who_changed_what(ui, audit):
    assert ask(ui, "{ version }", "write")[0] == 200
    assert ask(ui, DELETE, "write")[0] == 200
    assert ask(ui, DELETE, "read")[0] == 403

    assert audit() == [("portal:ops@example.org", ["deleteRun"])]


def test_without_a_proxy_nothing_differs(ui, audit):
    headers = {"Content-Type": "application/json"}
    data = json.dumps({"query": DELETE}).encode()

    assert proxies.ask(f"{ui}/graphql", headers=headers, data=data)[0] == 200
    assert audit() == []
