"""The pages of the help desk in every state, as `pages` has those of the others."""

from typing import Any

from tests.browser import pages, visits

_LONG = "a_rather_long_name_" * 4
_WORDS = "Please load this file, and tell me what is wrong with it. " * 8
_ROWS = ["Ann,Lee,1/2/1990,ann@b.example.org", "Cy,,13/41/1991,cy@b.example.org"]
_SUPERVISOR = {"is_supervisor": True}
_CASE, _DESK = "/cases/<str:number>/", "/desk/<str:number>/"


def _open(site: Any, account: Any, kind: str = "bulk_upload", **facts: Any) -> str:
    from cvms_pipeline.use_cases.help_desk import opening

    file = opening.AttachedFile(file_name=f"{_LONG}.csv", data=b"First name\nAnn\n")
    number = site.open_case(
        account, kind, **{"file": file, "details": _WORDS, **facts}
    )["number"]
    return str(number)


def _add_rosa(site: Any) -> Any:
    names = {"first_name": "Rosa", "last_name": "Diaz", "has_factor": False}
    return site.add_account("rosa@clinic.example.org", role="requester", **names)


def _open_several(site: Any, account: Any) -> str:
    for kind in ("bulk_upload", "onboarding", "removal"):
        _open(site, account, kind)
    return "/cases/"


def _open_own(page: str = "") -> pages.Make:
    """Return what opens a case and lets the help desk answer it."""

    def make(site: Any, account: Any) -> str:
        number = _open(site, account)
        _answer(site, number)
        return f"/cases/{number}/{page}"

    return make


def _open_closed(site: Any, account: Any) -> str:
    from cvms_pipeline.portal.help_desk import visiting
    from cvms_pipeline.use_cases.help_desk import answering

    address = _open_own()(site, account)
    person = account.person
    count = visiting.read_number(address.split("/")[2])
    answering.close(site.pipeline, count, by=person, key="once")
    return address


def _answer(site: Any, number: str) -> None:
    from cvms_pipeline.portal.help_desk import visiting
    from cvms_pipeline.use_cases.help_desk import handling

    staff = site.add_account("lee@example.org", role="help_desk")
    person, count = staff.person, visiting.read_number(number)
    about = {"by": person, "key": None}
    handling.write_note(site.pipeline, count, _WORDS, version=1, **about)
    state = handling.State.WAITING
    handling.reply_as_staff(
        site.pipeline, count, _WORDS, version=2, state=state, **about
    )


def _open_queue(site: Any, _account: Any) -> str:
    rosa = _add_rosa(site)
    for kind in ("bulk_upload", "onboarding", "removal"):
        _open(site, rosa, kind)
    site.installation.clock.forward(hours=30)
    return "/desk/"


def _open_for_staff(kind: str = "bulk_upload", page: str = "") -> pages.Make:
    """Return what opens a case that somebody else of the staff has answered."""

    def make(site: Any, _account: Any) -> str:
        number = _open(site, _add_rosa(site), kind)
        _answer(site, number)
        return f"/desk/{number}/{page}"

    return make


def _change_elsewhere(visitor: visits.Visitor) -> None:
    """Send a form that is older than the case."""
    visitor.page.locator("#note_version").evaluate("each => { each.value = '1' }")
    visitor.page.locator("#note_text").fill("What I have typed.")
    visitor.press("Save the note")


def _open_file(rows: list[str], query: str) -> pages.Make:
    """Return what opens a case with a file; its review is the address."""

    def make(site: Any, _account: Any) -> str:
        ids = site.open_case(_add_rosa(site), rows=rows)
        return f"/desk/{ids['number']}/files/{ids['file_id']}/review/{query}"

    return make


def _open_removal(page: str = "", *, is_asked: bool = False) -> pages.Make:
    """Return what opens a case about a recipient; somebody may have asked for it."""

    def make(site: Any, _account: Any) -> str:
        from cvms_pipeline.portal.help_desk import visiting
        from cvms_pipeline.use_cases.help_desk import removal

        site.installation.bring(_ROWS[:1])
        (recipient,) = site.installation.column("SELECT id FROM cvms.recipients")
        staff = site.add_account("lee@example.org", role="help_desk")
        asked = {"recipient_id": str(recipient), "file": None}
        number = _open(site, _add_rosa(site), "removal", **asked)
        if is_asked:
            count, person = visiting.read_number(number), staff.person
            removal.ask(site.pipeline, count, str(recipient), by=person)
        return f"/desk/{number}/{page}"

    return make


def _ask_about_a_line(site: Any, _account: Any) -> str:
    upload = site.installation.bring(["Cy,,13/41/1991,cy@b.example.org"])
    return f"/cases/new/?upload={upload}&line=2"


PAGES = [
    pages.Page(route="/register/", role=None),
    pages.Page(
        route="/register/",
        state="with nothing typed",
        role=None,
        do=lambda visitor: visitor.press("Register"),
    ),
    pages.Page(route="/register/sent/", role=None),
    pages.Page(route="/cases/", state="without any", role="requester"),
    pages.Page(route="/cases/", role="requester", make=_open_several),
    pages.Page(route="/cases/new/", role="requester"),
    pages.Page(
        route="/cases/new/",
        state="with nothing typed",
        role="requester",
        do=lambda visitor: visitor.press("Send the request"),
    ),
    pages.Page(route="/cases/new/", state="about a line", make=_ask_about_a_line),
    pages.Page(route=f"{_CASE}opened/", role="requester", make=_open_own("opened/")),
    pages.Page(route=_CASE, role="requester", make=_open_own()),
    pages.Page(
        route=_CASE,
        state="with nothing typed",
        role="requester",
        make=_open_own(),
        do=lambda visitor: visitor.press("Send the reply"),
    ),
    pages.Page(route=_CASE, state="closed", role="requester", make=_open_closed),
    pages.Page(route="/desk/", state="without any", role="help_desk"),
    pages.Page(route="/desk/", role="help_desk", make=_open_queue),
    pages.Page(
        route="/desk/",
        state="with a number that nothing has",
        role="help_desk",
        make=_open_queue,
        do=lambda visitor: (visitor.fill(number="9"), visitor.press("Filter"))[1],
    ),
    pages.Page(route=_DESK, role="help_desk", make=_open_for_staff()),
    pages.Page(
        route=_DESK,
        state="changed by somebody else",
        role="help_desk",
        make=_open_for_staff(),
        do=_change_elsewhere,
    ),
    pages.Page(
        route=_DESK,
        state="that asks for onboarding",
        role="help_desk",
        facts=_SUPERVISOR,
        make=_open_for_staff("onboarding"),
        do=lambda visitor: visitor.press("Refuse"),
    ),
    pages.Page(
        route=_DESK,
        state="that asks for a removal",
        role="help_desk",
        facts=_SUPERVISOR,
        make=_open_removal(is_asked=True),
    ),
    pages.Page(
        route=f"{_DESK}files/<str:file_id>/review/",
        role="help_desk",
        make=_open_file(_ROWS, "?provider=mercy"),
    ),
    pages.Page(
        route=f"{_DESK}files/<str:file_id>/review/",
        state="of a refused file",
        role="help_desk",
        make=_open_file([], "?provider=mercy"),
    ),
    pages.Page(
        route=f"{_DESK}removal/", role="help_desk", make=_open_removal("removal/")
    ),
    pages.Page(
        route=f"{_DESK}removal/",
        state="with nothing typed",
        role="help_desk",
        make=_open_removal("removal/"),
        do=lambda visitor: visitor.press("Search"),
    ),
]

NO_PAGES = {
    f"{_CASE}reply/": "takes a POST, and leads back to the case",
    f"{_CASE}file/": "takes a POST, and leads back to the case",
    f"{_CASE}close/": "takes a POST, and leads back to the case",
    f"{_CASE}files/<str:file_id>/": "a file",
    f"{_DESK}looking/": "a part of the page of the case, which asks for it",
    f"{_DESK}handle/": "takes a POST, and leads back to the case",
    f"{_DESK}reply/": "takes a POST, and leads back to the case",
    f"{_DESK}note/": "takes a POST, and leads back to the case",
    f"{_DESK}files/<str:file_id>/": "a file",
    f"{_DESK}files/<str:file_id>/load/": "takes a POST, and leads back to the case",
    f"{_DESK}approve/": "takes a POST, and leads back to the case",
    f"{_DESK}refuse/": "takes a POST, and leads back to the case",
    f"{_DESK}removal/ask/": "takes a POST, and leads back to the case",
    f"{_DESK}removal/approve/": "takes a POST, and leads back to the case",
    f"{_DESK}removal/take-back/": "takes a POST, and leads back to the case",
}
"""Routes of the help desk that show nothing in a browser, and why."""
