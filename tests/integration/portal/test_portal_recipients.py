"""The list of loaded recipients, its search, order and pages, and one person's page."""

import logging
import re

import installations
import portals
import pytest

from cvms_pipeline.store.provider_reads import loaded_recipients
from cvms_pipeline.use_cases import deliver, history
from cvms_pipeline.use_cases.recipients import access
from tests import canaries

ROWS = [
    "Ann,Lee,1/2/1990,zoe@b.example.org",
    "Anna,O'Neil,1/2/1985,moe@b.example.org",
    "Bob,Annan,1/2/2001,bob@b.example.org",
    "Jürgen,van Dyke,1/2/1970,ann@b.example.org",
]
INVITATIONS = """
SELECT message.status || ' ' || message.addresses[1]
FROM cvms.messages AS message
INNER JOIN cvms.recipients AS recipient ON recipient.id = message.recipient_id
WHERE message.kind = 'invitation' AND first_name = '{}'
ORDER BY queued_at, message.id
"""
CANARY = "Zebulonia,Quackenbush,7/19/1931,bird@nest.example"


def names(answer):
    """Return the first names of the list, from the top."""
    found = re.findall(r'data-label="First name">([^<]*)<', answer.content.decode())
    return [name.replace("&#x27;", "'") for name in found]


def states(answer):
    """Return by first name the state in the list."""
    page = answer.content.decode()
    found = re.findall(r'data-label="Invitation"><span[^>]*>([^<]*)<', page)
    return dict(zip(names(answer), found, strict=True))


def search(browser, **typed):
    answer = browser.post("/recipients/", {"page": "recipients", **typed})
    assert answer["Location"] == "/recipients/#loaded-recipients"
    return browser.get("/recipients/")


@pytest.fixture
def browser(site):
    site.installation.bring(ROWS)
    return site.browser_of(site.add_account())


def test_who_has_loaded_nobody_reads_so(site):
    text = portals.text_of(site.browser_of(site.add_account()).get("/recipients/"))

    assert (
        "Total number of records: 0 Nobody has been loaded yet. Everybody whom your"
        " uploads load appears here."
    ) in text


def test_the_list_has_everybody_whom_the_provider_has_loaded(site, browser):
    site.installation.add_provider("other")
    site.installation.bring([installations.BOB], slug="other")

    answer = browser.get("/recipients/")

    assert "Total number of records: 4" in portals.text_of(answer)
    assert names(answer) == ["Bob", "Ann", "Anna", "Jürgen"]
    assert "Lee Ann 01/02/1990 zoe@b.example.org" in portals.text_of(answer)


# Columns, and in what order they put people.
ORDERS = [
    ("last_name", ["Bob", "Ann", "Anna", "Jürgen"]),
    ("first_name", ["Ann", "Anna", "Bob", "Jürgen"]),
    ("birth_date", ["Jürgen", "Anna", "Ann", "Bob"]),
    ("email", ["Jürgen", "Bob", "Anna", "Ann"]),
    ("loaded_at", ["Ann", "Anna", "Bob", "Jürgen"]),
]


@pytest.mark.parametrize("few", [0, 20_000])
@pytest.mark.parametrize(("sort", "expected"), ORDERS)
def test_each_column_sorts_both_ways(browser, monkeypatch, few, sort, expected):
    monkeypatch.setattr(loaded_recipients, "_FEW", few)

    up = browser.get(f"/recipients/?sort={sort}&order=ascending")
    down = browser.get(f"/recipients/?sort={sort}&order=descending")

    assert (names(up), names(down)) == (expected, expected[::-1])
    assert 'aria-sort="descending"' in down.content.decode()
    assert f"?sort={sort}&amp;order=ascending" in down.content.decode()


@pytest.mark.parametrize("few", [0, 20_000])
@pytest.mark.parametrize("sort", [sort for sort, _ in ORDERS])
def test_pages_show_everybody_once_in_both_directions(browser, monkeypatch, few, sort):
    monkeypatch.setattr(loaded_recipients, "_FEW", few)
    every = names(browser.get(f"/recipients/?sort={sort}"))
    monkeypatch.setattr(loaded_recipients, "PAGE", 2)

    def turn(answer, rel):
        link = re.search(rf'rel="{rel}" href="([^"]*)#', answer.content.decode())
        return browser.get(f"/recipients/{link[1]}".replace("&amp;", "&"))

    first = browser.get(f"/recipients/?sort={sort}")
    second = turn(first, "next")
    back = turn(second, "prev")

    assert names(first) + names(second) == every
    assert names(back) == names(first)
    assert "First page" in portals.text_of(second)
    assert "First page" not in portals.text_of(back)
    assert 'rel="next"' not in second.content.decode()


# What is typed, and whom it finds.
SEARCHES = [
    ({"first_name": "ann"}, ["Ann", "Anna"]),  # the beginning, in any case
    ({"last_name": "ANN"}, ["Bob"]),
    ({"first_name": "ann", "last_name": "o’n"}, ["Anna"]),  # any apostrophe
    ({"last_name": "van dy"}, ["Jürgen"]),
    ({"first_name": "%"}, []),  # not a wildcard
    ({"first_name": "nn"}, []),  # not in the middle
    ({"first_name": "", "last_name": " "}, ["Bob", "Ann", "Anna", "Jürgen"]),
]


@pytest.mark.parametrize("cost", [0, 20])
@pytest.mark.parametrize(("typed", "expected"), SEARCHES)
def test_a_search_finds_how_names_begin(browser, monkeypatch, cost, typed, expected):
    # Without a cost of strangers, everybody's names are read.
    monkeypatch.setattr(loaded_recipients, "_COST_OF_STRANGER", cost)

    assert names(search(browser, **typed)) == expected


# How many recipients a provider has, and how many all have together.
@pytest.mark.parametrize(
    ("total", "everybody", "is_by_upload"),
    [
        (25_000, 1_000_000, True),  # 40 strangers to each of its own
        (141_421, 1_000_000, True),
        (141_422, 1_000_000, False),
        (1_000_000, 1_000_000, False),  # nobody else has anybody
        (0, 0, True),
    ],
)
def test_a_search_reads_the_shorter_of_two_indexes(total, everybody, is_by_upload):
    found = loaded_recipients._is_search_by_upload(total, everybody)

    assert found is is_by_upload


def test_a_search_finds_whom_a_later_upload_has_corrected(site, browser):
    site.installation.bring(["Ann,Lee,1/2/1990,new@b.example.org"])

    assert "new@b.example.org" in portals.text_of(search(browser, last_name="lee"))


def test_a_search_says_how_many_match_and_can_be_ended(browser):
    one = search(browser, first_name="jür")
    two = search(browser, first_name="ann")
    none = search(browser, first_name="zoe")
    every = search(browser, first_name="ann", all="yes")

    assert "1 record matches." in portals.text_of(one)
    assert 'value="jür"' in one.content.decode()
    assert "2 records match." in portals.text_of(two)
    assert "0 records match." in portals.text_of(none)
    assert "match" not in portals.text_of(every)
    assert len(names(every)) == 4


def test_a_search_with_too_many_results_reports_it(browser, monkeypatch):
    monkeypatch.setattr(loaded_recipients, "MAX_MATCHES", 1)
    monkeypatch.setattr(
        "cvms_pipeline.use_cases.provider_actions.loaded_recipients.MAX_MATCHES", 1
    )

    text = portals.text_of(search(browser, first_name="ann"))

    assert (
        "More than 1 records match, and these are 1 of them. Type more letters of a"
        " name to see fewer."
    ) in text


def test_an_address_that_was_changed_by_hand_shows_the_first_page(browser):
    for query in ("?after=x", "?before=zoe", f"?after={'0' * 32}", "?sort=password"):
        assert len(names(browser.get(f"/recipients/{query}"))) == 4


def person_of(site, name="Ann"):
    query = f"SELECT id FROM cvms.recipients WHERE first_name = '{name}'"  # noqa: S608 # a name of a test
    (found,) = site.installation.column(query)
    return f"/recipients/{found}/"


def test_a_recipient_has_where_it_was_loaded_and_its_invitation(site, browser):
    text = portals.text_of(browser.get(person_of(site)))

    (upload,) = site.installation.column("SELECT id FROM cvms.uploads")
    assert (
        "Ann Lee Date of birth 01/02/1990 E-mail zoe@b.example.org Username"
        " zoe@b.example.org.COVID19VACCINE"
    ) in text
    assert f"by line 2 of upload {upload}" in text
    assert "Invitation Waiting to be sent" in text
    assert "Send the invitation again" not in text


# What is in the tables, and what the page says of it.
STATES = [
    (
        "UPDATE cvms.messages SET status = 'sent', sent_at = now()"
        " WHERE kind = 'invitation'",
        "Invitation Sent",
    ),
    (
        "UPDATE cvms.messages SET status = 'withdrawn' WHERE kind = 'invitation'",
        "Invitation Not sent",
    ),
    (
        "UPDATE cvms.recipients SET registered_at = now(), password_set_at = now()",
        "Invitation Registered This person set a password on",
    ),
    ("UPDATE cvms.recipients SET password_set_at = now()", "Invitation Password set"),
    (
        "UPDATE cvms.recipients SET denied_at = now()",
        "Somebody who got the invitation has said that it is not them.",
    ),
]


@pytest.mark.parametrize(("statement", "words"), STATES)
def test_the_state_of_an_invitation_is_in_words(site, browser, statement, words):
    site.installation.execute(statement)

    assert words in portals.text_of(browser.get(person_of(site)))


def refuse(site):
    site.installation.execute(
        "UPDATE cvms.messages SET status = 'refused', last_error = 'SMTP 550'"
        " WHERE kind = 'invitation'"
    )


def test_a_refused_invitation_can_be_sent_again(site, browser):
    refuse(site)
    page = person_of(site)

    before = portals.text_of(browser.get(page))
    answer = browser.post(f"{page}resend/", follow=True)

    assert "Refused by the mail server" in before
    assert (
        "The mail server's answer means: the mail server knows no such mailbox, or"
        " accepts no mail for it (SMTP 550). If the address is wrong, correct it in an"
        " upload of this row, and a new invitation goes to the new address. If it is"
        " right, send the invitation again." in before
    )
    after = portals.text_of(answer)
    assert "The invitation is sent again." in after
    assert "Waiting to be sent" in after
    waiting = site.installation.column(
        "SELECT addresses[1] FROM cvms.messages"
        " WHERE kind = 'invitation' AND status = 'waiting'"
    )
    assert waiting == ["zoe@b.example.org"]
    (entry,) = site.audit("messages-resent")
    assert entry["actor"] == "portal:ann@mercy.example.org"


def send(site):
    site.installation.execute(
        "UPDATE cvms.messages SET status = 'sent', sent_at = now()"
        " WHERE kind = 'invitation'"
    )


def list_invitations(site, name="Ann"):
    """Return status and address of somebody's invitations, the earliest first."""
    found = site.installation.column(INVITATIONS.format(name))
    return [tuple(each.split(" ")) for each in found]


def test_a_sent_invitation_is_written_anew_once(site, browser):
    send(site)
    site.installation.clock.forward(minutes=1)
    page = person_of(site)

    before = portals.text_of(browser.get(page))
    once = portals.text_of(browser.post(f"{page}resend/", follow=True))
    twice = portals.text_of(browser.post(f"{page}resend/", follow=True))

    assert "Then only the link in the newest message works." in before
    assert "The invitation is sent again." in once
    assert "Waiting to be sent" in once
    assert "Nothing was sent" in twice
    address = "zoe@b.example.org"
    assert list_invitations(site) == [("sent", address), ("waiting", address)]
    (entry,) = site.audit("messages-resent")
    assert entry["actor"] == "portal:ann@mercy.example.org"


def test_an_invitation_that_is_sent_again_is_delivered_and_counts_once(site, browser):
    (upload,) = site.installation.column("SELECT id FROM cvms.uploads")
    deliver.send_invitations(site.pipeline, upload)
    site.installation.clock.forward(minutes=1)
    browser.post(f"{person_of(site)}resend/")
    found = history.get_upload(site.pipeline, upload)
    waiting = history.count_invitations(site.pipeline, found)

    sent = deliver.send_invitations(site.pipeline, upload)

    assert waiting == {"sent": 3, "waiting": 1}
    assert sent.sent == 1
    assert history.count_invitations(site.pipeline, found) == {"sent": 4}
    mails = [m for m in site.installation.mail() if m["To"] == "zoe@b.example.org"]
    assert len(mails) == 2
    assert len({m["Message-ID"] for m in mails}) == 2


def find_tokens(site, address):
    """Return the tokens of the links that were mailed to an address, in their order."""
    mails = [m for m in site.installation.mail() if m["To"] == address]
    texts = [m.get_body(("plain",)).get_content() for m in mails]
    return [re.search(r"/set-password/([^/\s]+)/", text)[1] for text in texts]


def test_the_link_of_the_earlier_invitation_is_dead_once_the_other_is_sent(
    site, browser
):
    (upload,) = site.installation.column("SELECT id FROM cvms.uploads")
    deliver.send_invitations(site.pipeline, upload)
    (first,) = find_tokens(site, "zoe@b.example.org")
    site.installation.clock.forward(minutes=1)

    browser.post(f"{person_of(site)}resend/")
    access.check_link(site.pipeline, first)  # the other one waits
    deliver.send_invitations(site.pipeline, upload)

    (newest,) = set(find_tokens(site, "zoe@b.example.org")) - {first}
    access.check_link(site.pipeline, newest)
    with pytest.raises(access.LinkEnded) as ended:
        access.check_link(site.pipeline, first)
    assert ended.value.why is access.Why.REPLACED


# What is in the tables of those to whom nothing is sent again.
NOT_AGAIN = [
    "UPDATE cvms.messages SET attempts = 0",  # it waits
    "UPDATE cvms.recipients SET password_set_at = now()",
    "UPDATE cvms.recipients SET denied_at = now()",
    "DELETE FROM cvms.messages",
]


@pytest.mark.parametrize("statement", NOT_AGAIN)
def test_what_is_not_to_be_sent_is_not_sent_again(site, browser, statement):
    if "attempts" not in statement:
        send(site)
    site.installation.execute(statement)
    before = list_invitations(site)
    page = person_of(site)

    shown = portals.text_of(browser.get(page))
    answer = browser.post(f"{page}resend/", follow=True)

    assert "Send the invitation again" not in shown
    assert "Nothing was sent: the page says how far the person is." in portals.text_of(
        answer
    )
    assert site.audit("messages-resent") == []
    assert list_invitations(site) == before


def test_sending_again_is_limited_by_recipient_and_by_account(site, browser):
    pages = [person_of(site, name) for name in ("Ann", "Anna", "Bob", "Jürgen")]

    answers = [browser.post(f"{pages[0]}resend/").status_code for _ in range(6)]
    every = [browser.post(f"{pages[1]}resend/").status_code for _ in range(26)]

    assert answers == [302] * 5 + [429]
    assert every[:5] == [302] * 5
    assert browser.post(f"{pages[2]}resend/").status_code == 429


# What is in the tables, how the list shows it, and by which choice it finds the person.
STEPS = [
    ("UPDATE cvms.messages SET attempts = 0", "Waiting to be sent", "waiting"),
    (
        "UPDATE cvms.messages SET status = 'sent', sent_at = now() {whose}",
        *("Sent", "sent"),
    ),
    (
        "UPDATE cvms.messages SET status = 'refused', last_error = 'SMTP 550',"
        """ details = '{{"provider": "mercy"}}' {whose}""",
        *("Refused by the mail server", "refused"),
    ),
    ("UPDATE cvms.recipients SET denied_at = now() {one}", "Wrong person", "denied"),
    (
        "UPDATE cvms.recipients SET password_set_at = now() {one}",
        *("Password set", "password-set"),
    ),
    (
        "UPDATE cvms.recipients SET password_set_at = now(), registered_at = now()"
        " {one}",
        *("Registered", "registered"),
    ),
]


@pytest.mark.parametrize("few", [0, 20_000])
@pytest.mark.parametrize(("statement", "words", "step"), STEPS)
def test_the_list_shows_and_finds_how_far_everybody_is(
    site, browser, monkeypatch, statement, words, step, few
):
    monkeypatch.setattr(loaded_recipients, "_FEW", few)
    monkeypatch.setattr(loaded_recipients, "_COST_OF_STRANGER", few)
    one = "WHERE first_name = 'Jürgen'"
    ids = f"SELECT id FROM cvms.recipients {one}"  # noqa: S608 # of a test
    whose = f"WHERE recipient_id IN ({ids})"
    site.installation.execute(statement.format(one=one, whose=whose))

    everybody = states(browser.get("/recipients/"))
    found = search(browser, step=step)

    expected = {"Ann": "Waiting to be sent", "Jürgen": words}
    assert everybody == {**dict.fromkeys(everybody, "Waiting to be sent"), **expected}
    is_one = step != "waiting"
    assert names(found) == (["Jürgen"] if is_one else list(everybody))
    others = search(browser, step="waiting")
    assert ("Jürgen" in names(others)) is not is_one


def test_a_state_and_a_name_are_searched_together(site, browser):
    site.installation.execute("UPDATE cvms.recipients SET password_set_at = now()")

    found = search(browser, step="password-set", last_name="lee")

    assert names(found) == ["Ann"]
    assert "1 record matches." in portals.text_of(found)
    assert 'value="password-set" selected' in found.content.decode()
    assert names(search(browser, step="nonsense")) == ["Ann"]  # it changes nothing


def test_a_corrected_address_is_listed_with_the_upload_that_corrected_it(site, browser):
    second = site.installation.bring(["Ann,Lee,1/2/1990,new@b.example.org"])

    text = portals.text_of(browser.get(person_of(site)))

    assert (
        f"from zoe@b.example.org to new@b.example.org, by line 2 of upload {second}"
    ) in text
    assert "E-mail new@b.example.org" in text


def test_who_was_removed_is_not_found(site, browser):
    page = person_of(site)
    site.installation.remove("Ann")

    assert names(browser.get("/recipients/")) == ["Bob", "Anna", "Jürgen"]
    assert browser.get(page).status_code == 404
    assert browser.post(f"{page}resend/").status_code == 404


def test_reading_recipients_is_recorded_without_names(site, browser):
    search(browser, first_name="ann")
    browser.get(person_of(site))

    shown, opened = site.audit("recipients-read")

    assert shown == {
        "event": "recipients-read",
        "actor": "portal:ann@mercy.example.org",
        "recipients": 2,
    }
    assert opened["recipient"] in person_of(site)


def test_no_name_is_in_an_address_a_title_or_a_log(site, caplog):
    caplog.set_level(logging.DEBUG)
    site.installation.bring([CANARY])
    browser = site.browser_of(site.add_account())

    answers = [
        browser.post("/recipients/", {"first_name": "Zebulonia"}, follow=True),
        browser.get(person_of(site, "Zebulonia")),
    ]

    ours = [r.getMessage() for r in caplog.records if r.name == "cvms.portal"]
    assert len(ours) == 3
    assert canaries.find("\n".join(ours)) == []
    for answer in answers:
        page = answer.content.decode()
        outside = re.findall(r'<title>[^<]*|(?:href|action)="[^"]*"', page)
        assert "Zebulonia" in portals.text_of(answer)
        assert canaries.find("\n".join(outside)) == []
