"""What is looked for on each page is found where it is wrong."""

import pytest
from playwright import sync_api

from tests.browser import looks

_FINE = '<main><a href="#main">Skip</a> <button>Go on</button></main>'
_BARRIER = '<input type="text">'  # without a label
_UNSEEN = "<style>button { outline: none !important }</style>"
_UNREACHED = '<button tabindex="-1">Not by keyboard</button>'
_DISABLED = "<button disabled>Not yet</button>"
_WIDE = '<p style="width: 2000px">wide</p>'


@pytest.fixture
def tab(chromium):
    page = chromium.new_page()
    yield page
    page.close()


def test_a_fine_page_has_no_fault(tab):
    tab.set_content(_FINE)

    assert looks.find_keyboard_faults(tab) == []
    assert looks.find_overflow(tab) == []


def test_what_axe_finds_is_told(tab):
    tab.set_content(_FINE + _BARRIER)

    assert "\nlabel - " in looks.find_barriers(tab)


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        (_UNSEEN, "focus not seen: Go on"),
        (_UNREACHED, "not reached: Not by keyboard"),
        (_DISABLED, "disabled: Not yet"),
    ],
)
def test_what_the_keyboard_cannot_use_is_told(tab, more, fault):
    tab.set_content(_FINE + more)

    assert fault in looks.find_keyboard_faults(tab)


def test_what_is_too_wide_is_told(tab):
    tab.set_content(_FINE + _WIDE)

    assert len(looks.find_overflow(tab)) == 1


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("eval('1')", "Content Security Policy"),
        (
            "fetch('https://elsewhere.example/').catch(() => 0)",
            "Content Security Policy",
        ),
        ("console.error('broken')", "error: broken"),
    ],
)
def test_what_a_page_does_wrong_is_a_problem_of_its_visitor(visitor, script, problem):
    someone = visitor()
    someone.open("/accounts/login/")

    someone.page.evaluate(
        f"setTimeout(() => {{ {script} }}); new Promise(r => setTimeout(r, 500))"
    )

    assert any(problem in each for each in someone.problems)
    someone.problems.clear()


def test_a_request_to_another_server_is_a_problem_of_its_visitor(visitor):
    someone = visitor()

    with pytest.raises(sync_api.Error):
        someone.page.goto("http://127.0.0.1:1/")

    assert "a request to http://127.0.0.1:1/" in someone.problems
    someone.problems.clear()
