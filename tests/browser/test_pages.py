"""Every page in every state: for every eye and screen, by keyboard, without scripts."""

import pytest
from django import test

from cvms_pipeline.portal.provider import uploads
from tests.browser import desk_pages, looks, pages, recipient_pages

WIDE = {"width": 1440, "height": 900}
NARROW = {"width": 320, "height": 640}
MAX_BYTES = 60_000
TWICE = "document.documentElement.style.fontSize = '200%'"


@pytest.fixture
def _circumstances(page, settings_, monkeypatch):
    """Let the portal be as it has to be for the state."""
    settings_(**page.ours)

    def fail(*_args, **_options):
        raise page.fault

    if page.fault is not None:
        monkeypatch.setattr(uploads.own_uploads, "list_own_uploads", fail)
    with test.override_settings(**page.django):
        yield


@pytest.fixture
def shown(page, site, visitor, _circumstances):
    """Show the page in a browser of its own, as often as the test wants."""
    account, address = page.prepare(site)

    def show(**options):
        someone = visitor(account, viewport=WIDE, locale=page.locale, **options)
        assert someone.open(address).status == page.status
        if page.do is not None:
            page.do(someone)
        return someone

    return show


@pytest.mark.parametrize(
    "page", [*pages.PAGES, *desk_pages.PAGES, *recipient_pages.PAGES], ids=str
)
def test_a_page_is_for_everybody(page, shown):
    someone = shown()
    tab, faults = someone.page, {}
    controls = looks.list_controls(tab)
    assert page.heading in ("", someone.heading)

    faults["focus"] = looks.find_unfocused_summary(tab)
    faults["by keyboard"] = looks.find_keyboard_faults(tab)
    faults["wide, light"] = looks.find_barriers(tab)
    tab.set_viewport_size(NARROW)
    faults["narrow, scrolls sideways"] = looks.find_overflow(tab)
    tab.emulate_media(color_scheme="dark")
    faults["narrow, dark"] = looks.find_barriers(tab)
    tab.evaluate(TWICE)
    faults["twice the size, scrolls sideways"] = looks.find_overflow(tab)
    if page.do is None:  # the first visit
        faults["heavy"] = max(0, looks.weigh(someone.requests) - MAX_BYTES)

    plain = shown(java_script_enabled=False)
    assert plain.heading == someone.heading
    unscripted = {*looks.list_controls(plain.page), *page.scripted}
    faults["without JavaScript, missing"] = set(controls) - unscripted

    assert {where: fault for where, fault in faults.items() if fault} == {}
