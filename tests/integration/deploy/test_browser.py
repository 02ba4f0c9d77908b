"""No web page steers the Dagster UI: a real browser, on a page of another site."""

from collections.abc import Iterator

import attacks
import browsers
import proxies
import pytest

# Another site, and another port of this machine.
SITES = ["evil.example", "127.0.0.1"]


@pytest.fixture(scope="module", autouse=True)
def browser() -> str:
    return browsers.find_browser()


@pytest.fixture(scope="module")
def ui(tmp_path_factory) -> Iterator[str]:
    """The UI as `cvms up` runs it."""
    with proxies.dagster_ui(tmp_path_factory.mktemp("ui")) as url:
        yield url


@pytest.fixture(scope="module")
def unguarded(tmp_path_factory) -> Iterator[str]:
    """The UI as Dagster runs it."""
    home = tmp_path_factory.mktemp("unguarded")
    with proxies.dagster_ui(home, is_guarded=False) as url:
        yield url


@pytest.mark.parametrize("site", SITES)
def test_a_page_that_a_person_opens_changes_nothing(ui, site, tmp_path):
    websocket = browsers.visit_attacker(site, ui, tmp_path)

    assert websocket == "refused"
    assert attacks.find_changes(ui) == set()


@pytest.mark.parametrize("site", SITES)
def test_the_same_page_steers_dagster_by_itself(unguarded, site, tmp_path):
    websocket = browsers.visit_attacker(site, unguarded, tmp_path)

    assert websocket == "open"
    expected = {browsers.key(site, way) for way in browsers.WAYS}
    assert proxies.eventually(lambda: expected <= attacks.find_changes(unguarded))


def test_a_name_that_leads_here_shows_no_ui(ui, tmp_path):
    page = browsers.read_page(ui.replace("127.0.0.1", "evil.example"), tmp_path)

    assert "does not answer under this host name" in page


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_the_ui_itself_works_in_a_browser(ui, name, tmp_path):
    page = browsers.read_page(f"{ui.replace('127.0.0.1', name)}/runs", tmp_path)

    assert "You have not launched any runs yet" in page
