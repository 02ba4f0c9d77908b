"""The pages of the recipient portal in every state, as `pages` has the others."""

from typing import Any

from tests.browser import pages, visits

_LINK, _FORM = "/set-password/", "/me/registration/"
_SPANISH = {"locale": "es-US"}


def _invite(site: Any) -> str:
    import invited

    return str(invited.invite(site))


def _deny_first(visitor: visits.Visitor) -> None:
    """Go on from the page of the link."""
    visitor.page.locator("main section a.button").click()
    visitor.page.wait_for_load_state()


def _deny_wrongly(visitor: visits.Visitor) -> None:
    _deny_first(visitor)
    visitor.fill(address="bob@b.example.org")
    visitor.page.locator("main button[type=submit]").click()
    visitor.page.wait_for_load_state()


def _set_nothing(visitor: visits.Visitor) -> None:
    visitor.page.locator("main button[type=submit]").click()
    visitor.page.wait_for_load_state()


def _open_ended(site: Any, _account: Any) -> str:
    import invited

    from cvms_pipeline.use_cases.recipients import access

    path = str(invited.invite(site))
    access.ask_links(site.pipeline, invited.ADDRESS)
    invited.send(site)
    return path


def _fill_draft(step: str, page: str = "", **changed: Any) -> pages.Make:
    """Return what keeps answers at a step; the page is another one, if it is named."""

    def make(site: Any, account: Any) -> str:
        import invited

        from cvms_pipeline.use_cases.recipients import registration

        answers = {**invited.ANSWERS, **changed}
        registration.save_draft(
            site.pipeline, str(account.recipient), step=step, answers=answers
        )
        return page or f"{_FORM}{step}/"

    return make


def _enrol(page: str, *, is_changing: bool = False) -> pages.Make:
    """Return what registers somebody, who may have begun to change it."""

    def make(site: Any, account: Any) -> str:
        import invited

        from cvms_pipeline.use_cases.recipients import registration

        recipient_id = str(account.recipient)
        answers = registration.clean(site.pipeline, invited.ANSWERS)
        registration.send(site.pipeline, recipient_id, answers)
        if is_changing:
            _fill_draft("detail")(site, account)
        return page

    return make


def _press(name: str) -> Any:
    return lambda visitor: visitor.press(name)


PAGES = [
    pages.Page(route=_LINK, role=None, make=lambda site, _: _invite(site), **_SPANISH),
    pages.Page(
        route=_LINK,
        state="with nothing typed",
        role=None,
        make=lambda site, _: _invite(site),
        do=_set_nothing,
    ),
    pages.Page(
        route=_LINK,
        state="of a link that was replaced",
        role=None,
        make=_open_ended,
        status=410,
    ),
    pages.Page(
        route=_LINK,
        state="of a link that is not complete",
        role=None,
        make=lambda *_: f"{_LINK}x/",
        status=410,
        **_SPANISH,
    ),
    pages.Page(
        route=f"{_LINK}not-me/",
        role=None,
        make=lambda site, _: _invite(site),
        do=_deny_first,
    ),
    pages.Page(
        route=f"{_LINK}not-me/",
        state="with another address",
        role=None,
        make=lambda site, _: _invite(site),
        do=_deny_wrongly,
        **_SPANISH,
    ),
    pages.Page(route=f"{_LINK}not-me/told/", role=None),
    pages.Page(route="/me/", role="recipient"),
    pages.Page(
        route="/me/",
        state="with a pause, in Spanish",
        role="recipient",
        make=_fill_draft("detail", "/me/"),
        **_SPANISH,
    ),
    pages.Page(route="/me/", state="enrolled", role="recipient", make=_enrol("/me/")),
    pages.Page(
        route="/me/",
        state="with changes",
        role="recipient",
        make=_enrol("/me/", is_changing=True),
    ),
    pages.Page(route=f"{_FORM}introduction/", role="recipient"),
    pages.Page(
        route=f"{_FORM}introduction/", state="in Spanish", role="recipient", **_SPANISH
    ),
    pages.Page(route=f"{_FORM}detail/", role="recipient", make=_fill_draft("detail")),
    pages.Page(
        route=f"{_FORM}detail/",
        state="with what is wrong, in Spanish",
        role="recipient",
        make=_fill_draft("detail", phone="1", races=[], sex="", city=""),
        do=_press("Siguiente"),
        **_SPANISH,
    ),
    pages.Page(
        route=f"{_FORM}confirmation/",
        role="recipient",
        make=_fill_draft("confirmation", address_2="a rather long second line " * 5),
    ),
    pages.Page(
        route=f"{_FORM}confirmation/",
        state="in Spanish",
        role="recipient",
        make=_fill_draft("confirmation"),
        **_SPANISH,
    ),
    pages.Page(
        route=f"{_FORM}complete/", role="recipient", make=_enrol(f"{_FORM}complete/")
    ),
    pages.Page(
        route=f"{_FORM}answers/", role="recipient", make=_enrol(f"{_FORM}answers/")
    ),
    pages.Page(
        route=f"{_FORM}answers/",
        state="with changes, in Spanish",
        role="recipient",
        make=_enrol(f"{_FORM}answers/", is_changing=True),
        **_SPANISH,
    ),
    pages.Page(
        route="/accounts/sessions/",
        state="of a recipient, in Spanish",
        role="recipient",
        **_SPANISH,
    ),
]

NO_PAGES = {
    f"{_LINK}<str:token>/": f"leads on to {_LINK}",
    _FORM: "leads on to the step at which the form was left",
}
"""Routes of the recipient portal that show nothing in a browser, and why."""
