"""No web page steers the Dagster UI: requests as browsers send them, to the real one.

The same requests change something where Dagster answers them by itself: should that
end with a new version of it, the guard may go.
"""

import json
from collections.abc import Iterator

import attacks
import proxies
import pytest

PUBLIC = "https://dagster.example.org"
VERSION = json.dumps({"query": "{ version }"})


@pytest.fixture(scope="module")
def ui(tmp_path_factory) -> Iterator[str]:
    """The UI as `cvms up` runs it."""
    home = tmp_path_factory.mktemp("ui")
    with proxies.dagster_ui(home, dagster_url=f"{PUBLIC}/", host="127.0.0.1") as url:
        yield url


@pytest.fixture(scope="module")
def unguarded(tmp_path_factory) -> Iterator[str]:
    """The UI as Dagster runs it."""
    home = tmp_path_factory.mktemp("unguarded")
    with proxies.dagster_ui(home, is_guarded=False) as url:
        yield url


every_attack = pytest.mark.parametrize(
    "attack", attacks.ATTACKS, ids=[each.name for each in attacks.ATTACKS]
)


@every_attack
def test_what_a_page_of_another_site_sends_changes_nothing(ui, attack):
    answer = attack.send(ui)

    assert answer.status in {403, 405, 415, 421}
    assert answer.text.startswith("The Dagster UI ")
    assert attack.name not in attacks.find_changes(ui)


@every_attack
def test_dagster_by_itself_obeys_the_same_request(unguarded, attack):
    answer = attack.send(unguarded)

    assert answer.status == 200
    assert attack.name in attacks.find_changes(unguarded)


# The headers of what asks by right, PORT being that of the UI.
RIGHTFUL = {
    "a program": {},
    "a page of the UI": {
        "Origin": "http://127.0.0.1:PORT",
        **attacks.fetched("same-origin", "cors", "empty"),
    },
    "the same under another name of this machine": {
        "Host": "localhost:PORT",
        "Origin": "http://localhost:PORT",
    },
    "the same in IPv6": {"Host": "[::1]:PORT", "Origin": "http://[::1]:PORT"},
    "the same through a tunnel": {
        "Host": "LOCALHOST:8080",
        "Origin": "http://localhost:8080",
    },
    "the same behind the proxy": {
        "Host": "dagster.example.org",
        "Origin": PUBLIC,
        **attacks.fetched("same-origin", "cors", "empty"),
    },
    "a program that writes the port": {
        "Host": "dagster.example.org:443",
        "Origin": PUBLIC,
    },
}


@pytest.mark.parametrize("headers", RIGHTFUL.values(), ids=RIGHTFUL)
def test_pages_of_the_ui_and_programs_are_answered(ui, headers):
    exact = {**headers, **attacks.JSON}

    answer = attacks.send(ui, "POST", "/graphql", exact, VERSION)

    assert answer.status == 200
    assert attacks.shake_hands(ui, headers) == 101


# Host headers that are almost those of the UI.
HOSTS = [
    "evil.example",
    "127.0.0.1.evil.example:PORT",
    "localhost.evil.example",
    "localhost.",
    "evil.example@127.0.0.1",
    "127.0.0.1@evil.example",
    "dagster.example.org.evil.example",
    "evil-dagster.example.org",
    "0.0.0.0:PORT",
    "127.1",
    "[::1",
    "localhost:port",
    "",
]


@pytest.mark.parametrize("host", HOSTS)
def test_the_ui_answers_under_its_own_names_only(ui, host):
    page = attacks.send(ui, "GET", "/", {"Host": host})

    assert page.status == 421
    assert page.text == (
        "The Dagster UI does not answer under this host name. Set CVMS_DAGSTER_URL to"
        " the address that people open, and restart."
    )
    assert attacks.shake_hands(ui, {"Host": host}) == 403


# Origins of pages that are almost those of the UI, with the Host that it gets.
ORIGINS = [
    ("127.0.0.1:PORT", "https://127.0.0.1:PORT"),  # another scheme
    ("127.0.0.1:PORT", "http://127.0.0.1"),  # another port
    ("127.0.0.1:PORT", "http://localhost:PORT"),  # another name
    ("127.0.0.1:PORT", PUBLIC),
    ("127.0.0.1:PORT", "null"),
    ("127.0.0.1:PORT", ""),
    ("dagster.example.org", "http://dagster.example.org"),  # before TLS
    ("dagster.example.org", f"{PUBLIC}:8443"),
    ("dagster.example.org", f"{PUBLIC}.evil.example"),
]


@pytest.mark.parametrize(("host", "origin"), ORIGINS)
def test_no_page_but_the_ui_s_own_may_ask_or_open_a_websocket(ui, host, origin):
    headers = {"Host": host, "Origin": origin}

    answer = attacks.send(ui, "POST", "/graphql", {**headers, **attacks.JSON}, VERSION)

    assert answer.status == 403
    assert answer.text == (
        "The Dagster UI takes requests from its own pages only; this one comes from"
        " another web page."
    )
    assert attacks.shake_hands(ui, headers) == 403


def test_dagster_by_itself_opens_a_websocket_for_every_page(unguarded):
    assert attacks.shake_hands(unguarded, {"Origin": attacks.EVIL}) == 101


# A page of another site makes a browser fetch this, by GET.
PARTS = [
    ("no-cors", "script"),
    ("no-cors", "image"),
    ("cors", "empty"),
    ("navigate", "iframe"),
    ("navigate", "object"),
    ("websocket", "empty"),
]


@pytest.mark.parametrize(("mode", "destination"), PARTS)
@pytest.mark.parametrize("path", ["/", "/logs/a/b", "/notebook", "/download_debug/x"])
def test_no_other_page_contains_a_part_of_the_ui(ui, path, mode, destination):
    headers = attacks.fetched("cross-site", mode, destination)

    assert attacks.send(ui, "GET", path, headers).status == 403


def test_a_link_in_a_mail_opens_its_page(ui):
    headers = attacks.fetched("cross-site", "navigate", "document")

    answer = attacks.send(ui, "GET", "/runs/x", headers)

    assert (answer.status, "<html" in answer.text) == (200, True)


def test_the_page_for_queries_opens_and_a_query_in_its_address_is_refused(ui):
    html = {"Accept": "text/html"}

    page = attacks.send(ui, "GET", "/graphql", html)
    query = attacks.send(ui, "GET", "/graphql?query={version}", html)

    assert (page.status, "GraphiQL" in page.text) == (200, True)
    assert (query.status, query.headers["Allow"]) == (405, "POST")
    assert query.text == "The Dagster UI takes GraphQL by POST only, never by GET."


ANSWERS = [
    ("GET", "/", {}, 200),
    ("GET", "/server_info", {}, 200),
    ("POST", "/graphql", attacks.JSON, 200),
    ("GET", "/", {"Host": "evil.example"}, 421),
    ("POST", "/report_asset_check/x", {"Origin": "null"}, 403),
    ("POST", "/graphql", {}, 415),
]


@pytest.mark.parametrize(("method", "path", "headers", "status"), ANSWERS)
def test_every_answer_says_that_no_other_page_may_show_it(
    ui, method, path, headers, status
):
    answer = attacks.send(ui, method, path, headers, VERSION)

    assert answer.status == status
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers.get_all("Referrer-Policy") == ["same-origin"]
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    policies = answer.headers.get_all("Content-Security-Policy")
    assert policies[-1] == "frame-ancestors 'none'"


def test_dagster_s_own_content_policy_stays(ui, unguarded):
    policies = attacks.send(ui, "GET", "/", {}).headers.get_all(
        "Content-Security-Policy"
    )
    (own,) = attacks.send(unguarded, "GET", "/", {}).headers.get_all(
        "Content-Security-Policy"
    )

    assert own.partition("nonce-")[0] == policies[0].partition("nonce-")[0]
    assert len(policies) == 2
