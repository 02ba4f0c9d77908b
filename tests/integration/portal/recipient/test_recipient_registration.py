"""The registration in steps: kept when paused, sent once, changed later."""

import re

import invited
import portals
import pytest

from cvms_pipeline.use_cases.recipients import registration

FORM = "/me/registration/"
INTRODUCTION, DETAIL = f"{FORM}introduction/", f"{FORM}detail/"
CONFIRMATION, ANSWERS = f"{FORM}confirmation/", f"{FORM}answers/"
COMPLETE = f"{FORM}complete/"
_ENGLISH = re.compile(
    r"\b(the|you|your|and|is|are|with|this|of|to|for|or|not|it|in)\b", re.IGNORECASE
)


def _find_english(answer):
    """Return English words of a page; the name of a state is none."""
    text = portals.text_of(answer).replace("District of Columbia", "")
    return _ENGLISH.findall(text)


@pytest.fixture
def ann(site):
    return invited.let_in(site)


def _count_registered(site):
    return site.installation.column("SELECT count(*) FROM cvms.registrations")[0]


def test_the_way_from_the_first_page_to_enrolled(site, ann):
    assert ann.get(FORM)["Location"] == INTRODUCTION
    assert invited.fill(ann)["Location"] == CONFIRMATION
    review = portals.text_of(ann.get(CONFIRMATION))
    assert "Phone 919-555-0123" in review
    assert "Race Asian, White" in review
    assert "Vaccine group Group 5: Everyone else" in review

    answer = invited.confirm(ann)

    assert answer["Location"] == COMPLETE
    assert "You do not have an appointment yet" in portals.text_of(ann.get(COMPLETE))
    assert "Vaccine Program Status Enrolled" in portals.text_of(ann.get("/me/"))
    found = registration.get_answers(site.pipeline, invited.find_id(site))
    assert found.races == ("asian", "white")


@pytest.mark.parametrize("page", [DETAIL, CONFIRMATION, COMPLETE, ANSWERS])
def test_no_step_is_skipped(ann, page):
    answer = ann.get(page, follow=True)

    assert answer.redirect_chain[-1][0] == INTRODUCTION


@pytest.mark.parametrize(
    "typed", [{"action": "next"}, {"action": "send"}, {"action": "send", "version": ""}]
)
def test_the_confirmation_sends_nothing_that_was_not_shown(site, ann, typed):
    ann.post(CONFIRMATION, typed)
    invited.fill(ann)

    answer = ann.post(CONFIRMATION, typed)

    assert answer.status_code == 200
    assert _count_registered(site) == 0


def test_answers_that_another_tab_has_changed_are_shown_once_more(site, ann):
    invited.fill(ann)
    version = invited.read_version(ann)
    site.installation.clock.forward(seconds=5)
    invited.fill(ann, city="Raleigh")

    answer = ann.post(CONFIRMATION, {"action": "send", "version": version})

    page = portals.text_of(answer)
    assert "Your answers were changed on another page" in page
    assert "City Raleigh" in page
    assert _count_registered(site) == 0


@pytest.mark.parametrize("step", [INTRODUCTION, DETAIL, CONFIRMATION])
def test_pause_keeps_what_was_typed_and_comes_back_to_the_step(site, ann, step):
    if step != INTRODUCTION:
        invited.fill(ann, phone="not yet" if step == DETAIL else "919 555 0123")

    answer = ann.post(step, {**invited.ANSWERS, "city": "Cary", "action": "pause"})

    assert answer["Location"] == "/me/"
    home = portals.text_of(ann.get("/me/"))
    assert "Your registration is paused" in home
    assert "Go on with the registration" in home
    another = site.browser()
    site.type_password(another, invited.USERNAME, invited.PASSWORD)
    assert another.get(FORM)["Location"] == step
    if step == DETAIL:
        page = another.get(DETAIL)
        assert 'value="Cary"' in page.content.decode()
        assert "This is what you had typed on" in portals.text_of(page)
    assert _count_registered(site) == 0


def test_the_form_in_another_language_keeps_what_was_typed(site, ann):
    ann.post(INTRODUCTION, {"action": "next"})
    page = ann.get(DETAIL).content.decode()
    assert 'action="/language/"' not in page  # it would lose what is typed
    assert 'name="action" value="es" lang="es">Español</button>' in page

    typed = {**invited.ANSWERS, "city": "Cary", "phone": "not yet", "action": "es"}
    answer = ann.post(DETAIL, typed)

    assert answer["Location"] == DETAIL
    page = ann.get(DETAIL)
    assert '<html lang="es">' in page.content.decode()
    assert 'value="Cary"' in page.content.decode()
    assert 'value="not yet"' in page.content.decode()
    another = site.browser()
    site.type_password(another, invited.USERNAME, invited.PASSWORD)
    assert '<html lang="es">' in another.get("/me/").content.decode()


def test_an_unknown_language_is_a_next_step(ann):
    ann.post(INTRODUCTION, {"action": "next"})

    answer = ann.post(DETAIL, {**invited.ANSWERS, "action": "xx"})

    assert answer["Location"] == CONFIRMATION


def test_previous_goes_back_and_loses_nothing(ann):
    ann.post(INTRODUCTION, {"action": "next"})
    typed = {**invited.ANSWERS, "city": "Cary", "action": "previous"}

    answer = ann.post(DETAIL, typed)

    assert answer["Location"] == INTRODUCTION
    assert ann.post(INTRODUCTION, {"action": "next"})["Location"] == DETAIL
    assert 'value="Cary"' in ann.get(DETAIL).content.decode()


def test_previous_leads_from_the_confirmation_to_the_form(ann):
    invited.fill(ann)

    answer = ann.post(CONFIRMATION, {"action": "previous"})

    assert answer["Location"] == DETAIL
    assert 'value="27701"' in ann.get(DETAIL).content.decode()


WRONG = {
    "phone": ("12", "Type the phone number with its area code"),
    "zip": ("2770", "Type the ZIP code with five or nine digits"),
    "city": ("", "Type the city."),
    "sex": ("", "Choose an answer about your sex."),
    "races": ([], "Choose at least one answer about your race."),
    "county": ("x" * 201, "Use at most 200"),
    "vaccine_group": ("Group 9", "Select a valid choice"),
}


@pytest.mark.parametrize(("name", "typed", "told"), [(n, *w) for n, w in WRONG.items()])
def test_what_is_wrong_is_told_and_all_is_kept(ann, name, typed, told):
    answer = invited.fill(ann, **{name: typed})

    assert answer.status_code == 422
    assert told in portals.text_of(answer)
    assert "Error: Registration, step 2 of 3" in answer.content.decode()
    assert 'value="12 Canary Lane"' in ann.get(DETAIL).content.decode()
    assert ann.get(CONFIRMATION)["Location"] == FORM


def test_nothing_filled_in_tells_all_that_is_missing(ann):
    ann.post(INTRODUCTION, {"action": "next"})

    answer = ann.post(DETAIL, {"action": "next"})

    page = answer.content.decode()
    assert len(re.findall(r'<li><a href="#id_', page)) == 11
    assert 'href="#id_sex_0"' in page


def test_sent_twice_it_registers_once_and_one_message_goes_out(site, ann):
    invited.fill(ann)
    typed = {"action": "send", "version": invited.read_version(ann)}

    answers = [ann.post(CONFIRMATION, typed) for _ in range(2)]

    assert [each["Location"] for each in answers] == [COMPLETE, COMPLETE]
    assert _count_registered(site) == 1
    invited.send(site)
    subjects = [m["Subject"] for m in site.installation.mail()]
    assert len([s for s in subjects if "complete" in s.lower()]) == 1


def test_answers_are_seen_and_changed_later(site, ann):
    invited.fill(ann)
    invited.confirm(ann)
    assert ann.get(FORM)["Location"] == ANSWERS
    assert "City Durham" in portals.text_of(ann.get(ANSWERS))

    assert ann.post(ANSWERS, {"action": "change"})["Location"] == DETAIL
    invited.fill(ann, city="Raleigh")
    answer = invited.confirm(ann)

    assert answer["Location"] == ANSWERS
    page = portals.text_of(ann.get(ANSWERS))
    assert "Your answers are saved." in page
    assert "City Raleigh" in page


def test_changes_that_are_not_sent_can_be_forgotten(site, ann):
    invited.fill(ann)
    invited.confirm(ann)
    ann.post(ANSWERS, {"action": "change"})
    assert "The changes are not sent yet" in portals.text_of(ann.get("/me/"))

    ann.post(ANSWERS, {"action": "forget"})

    assert registration.get_draft(site.pipeline, invited.find_id(site)) is None
    assert "The changes are not sent yet" not in portals.text_of(ann.get("/me/"))


def test_a_form_that_is_sent_after_the_session_has_ended_is_kept(site, ann):
    ann.post(INTRODUCTION, {"action": "next"})
    ann.post("/accounts/logout/")

    answer = ann.post(DETAIL, {**invited.ANSWERS, "action": "next"})

    assert answer.status_code == 403
    page = answer.content.decode()
    assert 'name="address_1" value="12 Canary Lane"' in page
    assert page.count('name="races"') == 2
    assert f'action="{DETAIL}"' in page


def test_no_answer_is_in_an_address_a_title_or_the_log(site, ann, caplog):
    caplog.set_level("INFO")
    invited.fill(ann)
    pages = [ann.get(each) for each in (DETAIL, CONFIRMATION)]
    answer = invited.confirm(ann)
    pages += [ann.get(each) for each in (COMPLETE, ANSWERS, "/me/")]

    titles = [re.findall(r"<title>(.*?)</title>", p.content.decode()) for p in pages]
    assert "Canary" not in f"{titles}{caplog.text}{answer['Location']}"
    assert "Ann" not in f"{titles}{caplog.text}"


@pytest.mark.parametrize(
    "page", ["/me/", INTRODUCTION, DETAIL, CONFIRMATION, "/accounts/factors/"]
)
def test_every_page_is_in_spanish(site, page):
    ann = invited.let_in(site, HTTP_ACCEPT_LANGUAGE="es")
    invited.fill(ann)

    answer = ann.get(page)

    assert answer.status_code == 200
    assert _find_english(answer) == []


def test_the_pages_after_the_end_are_in_spanish(site):
    ann = invited.let_in(site, HTTP_ACCEPT_LANGUAGE="es")
    assert _find_english(invited.fill(ann, phone="1", sex="")) == []
    invited.fill(ann)
    invited.confirm(ann)

    for page in (COMPLETE, ANSWERS, "/me/"):
        assert _find_english(ann.get(page)) == []
