"""Rows are corrected and dismissed in the page of their upload; it is taken back."""

import re

import installations
import portals
import pytest

ANN, BAD = installations.ANN, installations.BAD
DEE = "Dee#,Lee,3/4/1991,dee@b.example.org"
GOOD_CY = {"first_name": "Cy", "last_name": "Lee", "birth_date": "12/1/1991",
           "email": "cy@b.example.org"}  # fmt: skip


@pytest.fixture
def browser(site):
    return site.browser_of(site.add_account())


@pytest.fixture
def rejected(site):
    """An upload with two rows that are outstanding, and one that is not."""
    return site.installation.bring([ANN, BAD, DEE, ANN])


def fields(answer):
    """Return the fields of the page's form with their values."""
    page = answer.content.decode()
    found = re.findall(r'<input type="(?:text|hidden)"([^>]*)>', page)
    pairs = [re.findall(r'(name|value)="([^"]*)"', each) for each in found]
    return {dict(each)["name"]: dict(each).get("value", "") for each in pairs}


def typed(browser, upload_id, line, **cells):
    """Return what a person sends who has typed these cells into a line."""
    form = fields(browser.get(f"/uploads/{upload_id}/"))
    return {**form, **{f"{line}-{name}": cell for name, cell in cells.items()}}


def send(browser, upload_id, form, action="load", **options):
    data = {**form, "action": action}
    return browser.post(f"/uploads/{upload_id}/correct/", data, **options)


def id_of(answer):
    assert answer.status_code == 302, portals.text_of(answer)
    return answer["Location"].split("/")[2]


def process(site, upload_id):
    site.installation.process(upload_id)
    return site.installation.upload(upload_id)


def test_each_reason_is_above_the_field_that_it_is_about(browser, rejected):
    answer = browser.get(f"/uploads/{rejected}/")

    text = portals.text_of(answer)
    assert "Line 3 FirstName of line 3 LastName of line 3 Fill in this field." in text
    assert (
        "Date of birth of line 3 Invalid Date of birth: 13/41/1991. Email of line 3"
    ) in text
    assert "FirstName of line 4 Invalid characters: Dee#." in text
    assert fields(answer)["4-first_name"] == "Dee#"
    assert "5-first_name" not in fields(answer)
    assert "The person is loaded already" in text
    assert "2 rejected rows are outstanding." in text


def test_a_corrected_row_becomes_a_child_and_the_others_stay(site, browser, rejected):
    form = typed(browser, rejected, 3, **GOOD_CY)

    child = id_of(send(browser, rejected, form))

    found = process(site, child)
    assert (found.rows, found.loaded, found.parents) == (1, 1, (rejected,))
    assert (found.sent_from, found.file_name) == ("portal", "staff corrected.csv")
    assert site.installation.upload(rejected).outstanding == 1
    text = portals.text_of(browser.get(f"/uploads/{child}/"))
    assert "1 corrected row was sent. This page shows what became of them." in text
    assert (
        "1 row of this upload is a rejected row of staff.csv : 1 loaded; 1 is still"
        " outstanding there."
    ) in text
    text = portals.text_of(browser.get(f"/uploads/{rejected}/"))
    assert "1 rejected row came back in staff corrected.csv : 1 loaded." in text
    assert "1 rejected row is outstanding." in text


def test_a_row_of_which_everything_was_changed_is_still_the_row(site, browser):
    upload_id = site.installation.bring(["Ann#,,,", BAD])
    cells = GOOD_CY | {"first_name": "Ann"}

    child = id_of(send(browser, upload_id, typed(browser, upload_id, 2, **cells)))

    assert process(site, child).parents == (upload_id,)
    assert site.installation.upload(upload_id).outstanding == 1


def test_the_cells_of_a_row_with_too_many_are_all_shown_and_it_is_recognised(
    site, browser
):
    rufus = "Rufus,Marsh, Jr.,4/11/1961,rufus@b.example.org"
    upload_id = site.installation.bring([rufus])
    text = portals.text_of(browser.get(f"/uploads/{upload_id}/"))
    assert "Row has 5 cells, expected 4" in text
    assert "Also in this row: rufus@b.example.org" in text
    cells = {"last_name": "Marsh Jr.", "birth_date": "4/11/1961",
             "email": "rufus@b.example.org"}  # fmt: skip

    child = id_of(send(browser, upload_id, typed(browser, upload_id, 2, **cells)))

    assert process(site, child).loaded == 1
    assert site.installation.upload(upload_id).outstanding == 0


def test_a_row_that_is_wrong_again_is_outstanding_in_the_child(site, browser, rejected):
    child = id_of(send(browser, rejected, typed(browser, rejected, 4, last_name="L#")))

    assert process(site, child).outstanding == 1
    assert site.installation.upload(rejected).outstanding == 1
    text = portals.text_of(browser.get(f"/uploads/{child}/"))
    assert "LastName of line 2 Invalid characters: L#." in text


def test_the_same_form_sent_twice_is_one_upload(site, browser, rejected):
    form = typed(browser, rejected, 3, **GOOD_CY)

    first, second = (id_of(send(browser, rejected, form)) for _ in range(2))
    other = id_of(send(browser, rejected, {**form, "4-first_name": "Dee"}))

    assert first == second != other
    assert site.installation.column("SELECT count(*) FROM cvms.uploads") == [3]


def test_nothing_is_sent_if_nothing_was_changed(site, browser, rejected):
    answer = send(browser, rejected, typed(browser, rejected, 3))

    assert answer.status_code == 422
    assert (
        "There is a problem No row was changed, so nothing was sent. Correct at least"
        " one row."
    ) in portals.text_of(answer)
    assert site.installation.column("SELECT count(*) FROM cvms.uploads") == [1]


def test_a_row_that_somebody_has_loaded_meanwhile_is_not_sent(site, browser, rejected):
    form = typed(browser, rejected, 3, **GOOD_CY)
    process(site, id_of(send(browser, rejected, form)))

    assert send(browser, rejected, {**form, "key": ""}).status_code == 422


def test_a_formula_goes_round_as_it_was_typed(site, browser):
    upload_id = site.installation.bring(["=Cy#,Lee,3/4/1991,cy@b.example.org"])
    form = typed(browser, upload_id, 2, first_name="=Cy+1#")

    child = id_of(send(browser, upload_id, form))

    process(site, child)
    cells = site.installation.column(
        f"SELECT first_name FROM cvms.rejected_rows WHERE upload_id = '{child}'"  # noqa: S608 # ours
    )
    assert cells == ["=Cy+1#"]


def test_rows_are_dismissed_with_a_word(site, browser, rejected):
    form = typed(browser, rejected, 3) | {"3-dismiss": "on", "why": "left us"}

    answer = send(browser, rejected, form, "dismiss")

    assert answer["Location"] == f"/uploads/{rejected}/"
    text = portals.text_of(browser.get(f"/uploads/{rejected}/"))
    assert "1 row is dismissed." in text
    assert "Dismissed: left us" in text
    assert "1 rejected row is outstanding. 1 was dismissed." in text
    assert site.audit("rows-dismissed") == [
        {
            "event": "rows-dismissed",
            "actor": "portal:ann@mercy.example.org",
            "rows": 1,
        }
    ]


# What is sent, and what is said.
NOT_DISMISSED = [
    ({"why": "left"}, "Tick the rows that will not be sent again."),
    ({"3-dismiss": "on", "why": " "}, "Say in a few words why."),
    ({"5-dismiss": "on", "why": "left"}, "Some of these rows are not outstanding any"
                                         " more. Nothing was dismissed."),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "told"), NOT_DISMISSED)
def test_what_is_missing_is_said_and_what_was_typed_stays(
    browser, rejected, sent, told
):
    form = typed(browser, rejected, 3, last_name="Lee") | sent

    answer = send(browser, rejected, form, "dismiss")

    assert answer.status_code == 422
    assert told in portals.text_of(answer)
    assert fields(answer)["3-last_name"] == "Lee"
    assert fields(answer)["why"] == sent["why"]


def test_over_a_hundred_rows_are_shown_a_hundred_a_page(site, browser):
    letters = [f"{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(150)]
    rows = [f"P{each},,1/2/1990,{each}@b.example.org" for each in letters]
    upload_id = site.installation.bring(rows, lane=installations.HIGH)

    first = fields(browser.get(f"/uploads/{upload_id}/"))
    second = browser.get(f"/uploads/{upload_id}/correct/?page=2")

    assert ("101-first_name" in first, "102-first_name" in first) == (True, False)
    assert "102-first_name" in fields(second)
    assert len(re.findall('-first_name"', str(second.content))) > 0
    assert "of 2 pages" in portals.text_of(second)
    last = browser.get(f"/uploads/{upload_id}/correct/?page=99999999999")
    assert fields(last).keys() == fields(second).keys()


def test_what_is_outstanding_over_all_uploads(site, browser, rejected):
    site.installation.add_provider("other")
    site.installation.bring([BAD], slug="other")
    site.installation.bring([BAD.replace("Cy", "Di").replace("cy@", "di@")])

    text = portals.text_of(browser.get("/outstanding/"))

    assert "3 rejected rows have neither been loaded nor dismissed." in text
    assert text.count("staff.csv") == 2


def test_without_any_the_page_says_so(browser):
    assert (
        "Nothing is outstanding: every rejected row has been loaded or dismissed."
    ) in portals.text_of(browser.get("/outstanding/"))


def test_another_providers_rows_are_not_there(site, browser):
    site.installation.add_provider("other")
    theirs = site.installation.bring([BAD], slug="other")

    for page in ("correct", "withdraw"):
        assert browser.get(f"/uploads/{theirs}/{page}/").status_code == 404
        answer = browser.post(f"/uploads/{theirs}/{page}/", {"why": "x"})
        assert answer.status_code == 404
    assert site.installation.upload(theirs).outstanding == 1


def test_a_form_that_was_too_old_keeps_what_was_typed(site, rejected):
    account = site.add_account()
    browser = site.browser_of(account, enforce_csrf_checks=True)
    form = {"3-last_name": "Lee", "why": "left us", "action": "load"}

    answer = browser.post(f"/uploads/{rejected}/correct/", form)

    assert answer.status_code == 403
    kept = fields(answer)
    assert (kept["3-last_name"], kept["why"], kept["action"]) == (
        "Lee", "left us", "load",
    )  # fmt: skip


def test_a_session_that_has_ended_keeps_what_was_typed(site, rejected):
    answer = site.browser().post(
        f"/uploads/{rejected}/correct/", {"3-last_name": "Lee", "action": "load"}
    )

    assert answer.status_code == 403
    assert fields(answer)["3-last_name"] == "Lee"


def test_an_upload_is_withdrawn_after_a_question(site, browser, rejected):
    text = portals.text_of(browser.get(f"/uploads/{rejected}/"))
    assert "Nobody has been invited yet, so the whole upload can still be" in text
    asked = portals.text_of(browser.get(f"/uploads/{rejected}/withdraw/"))
    assert "Withdraw staff.csv?" in asked
    assert "1 loaded row is taken back" in asked
    assert site.installation.upload(rejected).withdrawn_at is None

    answer = browser.post(f"/uploads/{rejected}/withdraw/", {"why": "wrong file"})

    assert answer["Location"] == f"/uploads/{rejected}/"
    text = portals.text_of(browser.get(f"/uploads/{rejected}/"))
    assert "The upload is withdrawn." in text
    assert "Withdrawn It was taken back" in text
    assert "wrong file" in text
    assert site.installation.column("SELECT count(*) FROM cvms.recipients") == [0]
    assert [each["actor"] for each in site.audit("upload-withdrawn")] == [
        "portal:ann@mercy.example.org"
    ]
    assert browser.get(f"/uploads/{rejected}/withdraw/").status_code == 302


def test_a_withdrawal_needs_a_word(site, browser, rejected):
    answer = browser.post(f"/uploads/{rejected}/withdraw/", {"why": ""})

    assert answer.status_code == 422
    assert "There is a problem Say in a few words why." in portals.text_of(answer)
    assert site.installation.upload(rejected).withdrawn_at is None


def test_once_invitations_are_sent_removal_is_the_help_desks(site, browser, rejected):
    from cvms_pipeline.use_cases import deliver

    deliver.send_invitations(site.pipeline, rejected)

    text = portals.text_of(browser.get(f"/uploads/{rejected}/"))
    assert (
        "The invitations of this upload are being sent, so it cannot be withdrawn any"
        " more. If somebody has to be removed, open the page of the recipient and"
        " request it from the help desk."
    ) in text
    answer = browser.post(f"/uploads/{rejected}/withdraw/", {"why": "x"}, follow=True)
    assert "cannot be withdrawn any more" in portals.text_of(answer)
    assert site.installation.column("SELECT count(*) FROM cvms.recipients") == [1]
