"""The page with the addresses that invitations do not reach, over all uploads."""

import re

import installations
import portals
import pytest

from cvms_pipeline.portal.provider import recipients
from tests import canaries

ANN, BOB = installations.ANN, installations.BOB
REFUSE = """
UPDATE cvms.messages
SET status = 'refused', last_error = 'SMTP 550', sent_at = NULL,
    details = details || '{{"provider": "{1}"}}'
WHERE kind = 'invitation' AND addresses = ARRAY['{0}']
"""
PAGE = "/recipients/to-correct/"


def refuse(site, *addresses, provider="mercy"):
    """Let a mail server have refused the invitations to these addresses for good."""
    for address in addresses:
        site.installation.execute(REFUSE.format(address, provider))


def rows(browser):
    """Return the rows of the table, each as the words of its cells."""
    page = browser.get(PAGE).content.decode()
    body = page.partition("<tbody>")[2].partition("</tbody>")[0]
    cells = [
        re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in body.split("</tr>")
    ]
    return [[re.sub("<[^>]*>", "", cell) for cell in row] for row in cells if row]


@pytest.fixture
def browser(site):
    return site.browser_of(site.add_account())


def test_without_any_the_page_says_so(site, browser):
    site.installation.bring([ANN])

    text = portals.text_of(browser.get(PAGE))

    assert "No address is to be corrected" in text


def test_refused_invitations_of_all_uploads_are_listed_the_latest_first(site, browser):
    first = site.installation.bring([ANN, BOB])
    site.installation.clock.forward(minutes=1)
    second = site.installation.bring(["Eve,Poe,3/4/1980,eve@b.example.org"])
    refuse(site, "ann@b.example.org", "eve@b.example.org")

    why = "the mail server knows no such mailbox, or accepts no mail for it (SMTP 550)"
    assert rows(browser) == [
        ["Poe, Eve", "eve@b.example.org", why, second, "2"],
        ["Lee, Ann", "ann@b.example.org", why, first, "2"],
    ]


def test_another_provider_s_addresses_are_not_listed(site, browser):
    site.installation.add_provider("other")
    site.installation.bring([ANN], slug="other")
    refuse(site, "ann@b.example.org", provider="other")

    assert rows(browser) == []


def test_an_address_that_was_corrected_is_not_listed_until_the_new_one_is_refused(
    site, browser
):
    site.installation.bring([ANN, BOB])
    refuse(site, "ann@b.example.org")
    site.installation.clock.forward(minutes=1)
    second = site.installation.bring([BOB, "Ann,Lee,1/2/1990,new@b.example.org"])

    assert rows(browser) == []
    refuse(site, "new@b.example.org")
    ((_, address, _, upload, line),) = rows(browser)
    assert (address, upload, line) == ("new@b.example.org", second, "3")


def test_an_address_is_listed_that_somebody_says_is_not_theirs(site, browser):
    upload = site.installation.bring([ANN, BOB])
    site.installation.execute(
        "UPDATE cvms.recipients SET denied_at = now() WHERE first_name = 'Bob'"
    )

    why = "somebody who got the invitation has said that it is not them"
    assert rows(browser) == [["Lee, Bob", "bob@b.example.org", why, upload, "3"]]
    site.installation.bring(["Bob,Lee,3/4/1991,right@b.example.org"])
    assert rows(browser) == []


def test_who_has_a_password_is_not_listed(site, browser):
    site.installation.bring([ANN, BOB])
    refuse(site, "ann@b.example.org")
    site.installation.execute(
        "UPDATE cvms.recipients SET password_set_at = now(), denied_at = now()"
    )

    assert rows(browser) == []


def test_a_refused_address_that_came_back_is_not_listed_while_it_is_tried(
    site, browser
):
    site.installation.bring([ANN])
    refuse(site, "ann@b.example.org")
    for address in ("new@b.example.org", "ann@b.example.org"):
        site.installation.clock.forward(minutes=1)
        site.installation.bring([f"Ann,Lee,1/2/1990,{address}"])

    assert rows(browser) == []


def test_who_was_sent_the_invitation_again_or_removed_is_not_listed(site, browser):
    site.installation.bring([ANN, BOB])
    refuse(site, "ann@b.example.org", "bob@b.example.org")
    (ann,) = site.installation.column(
        "SELECT id FROM cvms.recipients WHERE first_name = 'Ann'"
    )

    browser.post(f"/recipients/{ann}/resend/")
    assert [row[0] for row in rows(browser)] == ["Lee, Bob"]
    site.installation.remove("Bob")
    assert rows(browser) == []


def test_a_long_list_says_that_there_are_more(site, browser, monkeypatch):
    site.installation.bring([ANN, BOB])
    refuse(site, "ann@b.example.org", "bob@b.example.org")
    monkeypatch.setattr(recipients, "_MAX_TO_CORRECT", 1)

    text = portals.text_of(browser.get(PAGE))

    assert len(rows(browser)) == 1
    assert "These are the latest 1." in text


def test_the_list_is_linked_and_its_reading_is_recorded_without_names(site, browser):
    upload = site.installation.bring(["Zebulonia,Canarywood,1/2/1990,z@nest.example"])
    refuse(site, "z@nest.example")

    for path in ("/recipients/", f"/uploads/{upload}/"):
        assert f'href="{PAGE}"' in browser.get(path).content.decode()
    before = len(site.audit("recipients-read"))
    page = browser.get(PAGE)

    (entry,) = site.audit("recipients-read")[before:]
    assert entry["recipients"] == 1
    assert canaries.find(page.content)
    outside = re.findall(r'<title>[^<]*|(?:href|action)="[^"]*"', page.content.decode())
    assert canaries.find("\n".join(outside)) == []
