"""Every route of the portal is looked at in a browser, or says why it is no page."""

import re
from pathlib import Path

from tests.browser import desk_pages, pages, recipient_pages

DOCS = Path(__file__).parents[3] / "docs" / "portal.md"
ROUTES = re.findall(r"^\| `(/[^`]*)`", DOCS.read_text("utf-8"), re.MULTILINE)
PAGES = [*pages.PAGES, *desk_pages.PAGES, *recipient_pages.PAGES]
NO_PAGES = {**pages.NO_PAGES, **desk_pages.NO_PAGES, **recipient_pages.NO_PAGES}


def test_every_route_has_an_entry_in_tests_browser_pages():
    shown = {page.route for page in PAGES}

    assert [r for r in ROUTES if r not in shown and r not in NO_PAGES] == []


def test_no_entry_is_about_a_route_that_is_gone():
    named = {page.route for page in PAGES} | set(NO_PAGES)

    assert named - set(ROUTES) == {"/nothing/"}


def test_no_two_entries_have_the_same_name():
    names = [str(page) for page in PAGES]

    assert len(names) == len(set(names))
