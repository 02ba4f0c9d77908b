"""The staff judge a file as its provider would, and load it; a supervisor onboards."""

import re

import installations
import portals
import pytest

from cvms_pipeline.portal.accounts import models
from cvms_pipeline.use_cases import deliver, providers

ROSA = "rosa@clinic.example.org"
FORMS = r'<form[^>]*action="{}"(.*?)</form>'
HIDDEN = r'type="hidden" name="(\w+)" value="([^"]*)"'


@pytest.fixture
def rosa(site):
    names = {"first_name": "Rosa", "last_name": "Diaz", "has_factor": False}
    return site.add_account(ROSA, role="requester", **names)


@pytest.fixture
def lee(site):
    return site.browser_of(site.add_account("lee@example.org", role="help_desk"))


@pytest.fixture
def kim(site):
    facts = {"role": "help_desk", "is_supervisor": True}
    return site.browser_of(site.add_account("kim@example.org", **facts))


def _send(browser, shown, path, **typed):
    """Send a form of a page, with what is typed into it."""
    inner = re.search(FORMS.format(path), shown.content.decode(), re.DOTALL)
    hidden = dict(re.findall(HIDDEN, inner[1])) if inner else {}
    return browser.post(path, hidden | typed, follow=True)


def test_a_file_is_judged_as_in_the_review_and_loaded_for_a_provider(site, rosa, lee):
    ids = site.open_case(rosa)
    path = f"/desk/{ids['number']}/files/{ids['file_id']}/"
    asked = lee.get(f"{path}review/")
    judged = lee.get(f"{path}review/", {"provider": "mercy"})
    only = lee.get(f"{path}review/", {"provider": "mercy", "only": "problems"})
    loaded = _send(lee, judged, f"{path}load/")
    again = _send(lee, judged, f"{path}load/")
    (upload,) = site.installation.column("SELECT id FROM cvms.uploads")
    site.installation.process(upload)
    deliver.send_alerts(site.pipeline)
    case = portals.text_of(lee.get(f"/desk/{ids['number']}/"))
    seen = portals.text_of(site.browser_of(rosa).get(f"/cases/{ids['number']}/"))
    provider = site.browser_of(site.add_account())
    page = provider.get(f"/uploads/{upload}/")
    own = portals.text_of(page)

    assert "Choose the provider for which the file is" in portals.text_of(asked)
    text = portals.text_of(judged)
    words = "Load for this provider loads 1 recipient and leaves out 1 row with a"
    assert words in text
    assert "four digits, such as 12/8/1955." in text
    assert "Ann" not in portals.text_of(only).partition("Rows")[2]
    assert "The file is being loaded." in portals.text_of(loaded)
    assert again.status_code == 200
    for words in ("Some rows rejected", "Rows in file 2", "Loaded 1"):
        assert words in case
        assert words in seen
    assert "lee@example.org has loaded the file" in case
    assert f"Case {ids['number']}" in own
    assert f"/cases/{ids['number']}/" not in page.content.decode()  # it is Rosa's
    assert "Sent by lee@example.org (help desk)" in own
    told = [m["Subject"] for m in site.installation.mail() if ROSA in m["To"]]
    assert len(told) == 3  # opened, loaded, and the notice


def test_the_provider_with_the_pin_of_the_case_is_chosen(site, rosa, lee):
    ids = site.open_case(rosa, vfc_pin="NCA123456")

    judged = lee.get(f"/desk/{ids['number']}/files/{ids['file_id']}/review/")

    assert judged.context["provider"] == "mercy"


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["A,B,1/2/1990"] * 0, "no row"),
        (
            [*(f"A,B{'x' * n},1/2/1990,a{n}@b.org" for n in range(101)), "A,B,x,y"],
            "only those with a problem are shown",
        ),
    ],
)
def test_files_that_are_empty_or_long_are_judged_too(site, rosa, lee, rows, words):
    ids = site.open_case(rosa, rows=rows)
    path = f"/desk/{ids['number']}/files/{ids['file_id']}/review/"

    answer = lee.get(path, {"provider": "mercy"})

    assert answer.status_code == 200
    assert words in portals.text_of(answer).lower()
    assert len(answer.content) < 60_000


def test_what_cannot_be_loaded_is_said(site, rosa, lee):
    ids = site.open_case(rosa)
    path = f"/desk/{ids['number']}/files/{ids['file_id']}/"
    stale = lee.post(
        f"{path}load/", {"provider": "mercy", "version": "99"}, follow=True
    )
    nobody = lee.post(f"{path}load/", {"provider": "nobody", "version": "1"})
    missing = lee.get(f"/desk/{ids['number']}/files/x/review/")
    providers.set_enabled(site.pipeline, "mercy", is_enabled=False)
    disabled = lee.post(
        f"{path}load/", {"provider": "mercy", "version": "1"}, follow=True
    )

    assert "nothing was loaded" in portals.text_of(stale)
    assert nobody.status_code == 404
    assert missing.status_code == 404
    assert "This provider may not upload" in portals.text_of(disabled)
    assert site.installation.column("SELECT count(*) FROM cvms.uploads") == [0]


@pytest.fixture
def number(site, rosa):
    return site.open_case(rosa, "onboarding", file=None)["number"]


def test_a_supervisor_makes_a_provider_of_a_location(site, rosa, lee, kim, number):
    requester = site.browser()
    site.type_password(requester, rosa.username)
    before = requester.get("/cases/")
    for_staff = lee.get(f"/desk/{number}/")
    forged = lee.post(f"/desk/{number}/approve/", {"slug": "harbor", "version": "1"})
    shown = kim.get(f"/desk/{number}/")
    wrong = _send(kim, shown, f"/desk/{number}/approve/", slug="Not A Slug")
    taken = _send(kim, shown, f"/desk/{number}/approve/", slug="mercy")
    approved = _send(kim, shown, f"/desk/{number}/approve/", slug="harbor-clinic")
    again = _send(kim, shown, f"/desk/{number}/approve/", slug="harbor-clinic")
    deliver.send_alerts(site.pipeline)
    rosa.refresh_from_db()

    assert "A supervisor approves or refuses it." in portals.text_of(for_staff)
    assert forged.status_code == 422
    assert 'value="harbor-clinic"' in shown.content.decode()
    assert (wrong.status_code, taken.status_code) == (422, 422)
    assert "Use lower-case letters" in portals.text_of(wrong)
    assert "Another provider has this short name." in portals.text_of(taken)
    assert "The provider is added" in portals.text_of(approved)
    assert "decided already" in portals.text_of(again)
    facts = providers.get_provider(site.pipeline, "harbor-clinic").facts
    assert (facts.name, facts.vfc_pin) == ("Harbor Clinic", "NCA654321")
    assert (site.pipeline.folders.root / "harbor-clinic" / "low_volume").is_dir()
    assert (rosa.role, rosa.provider) == ("provider", "harbor-clinic")
    assert before.status_code == 200
    assert requester.get("/cases/")["Location"].startswith("/accounts/login/")
    manager = site.browser_of(rosa)  # who needs a second factor from now on
    assert manager.get("/")["Location"] == "/accounts/factors/"
    assert site.installation.mail()[-1]["To"] == ROSA
    assert "Rosa" not in repr(site.audit("account-added", "provider-added"))


def test_an_onboarding_for_which_a_provider_asks_adds_an_account(site, kim):
    """It is another location's, so the account of the first one stays as it is."""
    lou = models.Account.objects.add(ROSA, models.Role.DATA_OPS)
    number = site.open_case(lou, "onboarding", file=None)["number"]

    shown = kim.get(f"/desk/{number}/")
    _send(kim, shown, f"/desk/{number}/approve/", slug="harbor-clinic")

    (account,) = models.Account.list_colleagues("harbor-clinic")
    assert (account.email, account.username) == (ROSA, f"{ROSA}.2")
    assert len(site.audit("link-queued")) == 1


def test_an_onboarding_is_refused_with_a_reason(site, rosa, kim, number):
    shown = kim.get(f"/desk/{number}/")
    empty = _send(kim, shown, f"/desk/{number}/refuse/", reason=" ")
    refused = _send(kim, shown, f"/desk/{number}/refuse/", reason="The PIN is wrong.")
    seen = portals.text_of(site.browser_of(rosa).get(f"/cases/{number}/"))

    assert empty.status_code == 422
    assert "Say why it is refused." in portals.text_of(empty)
    assert "The onboarding is refused" in portals.text_of(refused)
    assert "Help desk has refused the onboarding" in seen
    assert "The PIN is wrong." in seen
    assert "Resolved" in seen


def test_a_pin_that_is_taken_makes_no_provider(site, rosa, kim):
    asked = {"vfc_pin": "NCA123456", "file": None}
    number = site.open_case(rosa, "onboarding", **asked)["number"]
    shown = kim.get(f"/desk/{number}/")

    answer = _send(kim, shown, f"/desk/{number}/approve/", slug="harbor-clinic")

    assert "Another provider has this VFC PIN already." in portals.text_of(shown)
    assert answer.status_code == 422
    assert "so nothing was made" in portals.text_of(answer)
    with pytest.raises(providers.ProviderUnknown):
        providers.get_provider(site.pipeline, "harbor-clinic")


def test_the_case_is_shown_with_the_rows_that_were_loaded(site, lee, rosa):
    ids = site.open_case(rosa, rows=[installations.ANN])

    page = lee.get(f"/desk/{ids['number']}/")

    assert f"/desk/{ids['number']}/files/{ids['file_id']}/review/" in (
        page.content.decode()
    )
