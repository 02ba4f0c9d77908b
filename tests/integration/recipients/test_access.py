"""Forgot password, "This is not me", who may log in, and the messages about it."""

import letters
import pytest
from installations import ANN, BOB

from cvms_pipeline.domain.vocabulary import cases as vocabulary
from cvms_pipeline.use_cases import deliver
from cvms_pipeline.use_cases.help_desk import handling, people, reading
from cvms_pipeline.use_cases.recipients import access

ADDRESS = "ann@b.example.org"
NAME = letters.name_of()
SON = "Tim,Lee,5/6/2004,ANN@b.example.org"


def messages(site):
    return site.table(
        "SELECT addresses[1] AS address, status FROM cvms.messages"
        " WHERE kind = 'recipient'"
    )


def test_a_family_on_one_address_gets_a_message_for_each_username(site):
    letters.invite(site, [ANN, BOB, SON])
    site.clock.forward(minutes=10)

    access.ask_links(site.pipeline, f"  {ADDRESS.upper()} ")
    letters.send(site)

    mine = [m for m in site.mail() if "password" in m["Subject"]]
    texts = [each.get_body(("plain",)).get_content() for each in mine]
    assert len(texts) == 2
    for name in (NAME, "ANN@b.example.org.2.COVID19VACCINE"):
        assert sum(name in text for text in texts) == 1


# What is typed, and how many usernames it is about.
TYPED = [
    (NAME, 1),
    (NAME.lower(), 1),
    ("ann@b.example.org.2.covid19vaccine", 1),
    (ADDRESS, 2),
    ("nobody@b.example.org", 0),
    ("ann@b.example", 0),
    ("ann", 0),
    ("%", 0),
    ("", 0),
    ("a\0b", 0),
    ("é" * 400, 0),
]


@pytest.mark.parametrize(("typed", "count"), TYPED)
def test_forgot_password_takes_a_username_or_an_address(site, typed, count):
    letters.invite(site, [ANN, SON])
    site.clock.forward(minutes=10)

    access.ask_links(site.pipeline, typed)

    assert len(messages(site)) == count


def test_a_recipient_who_has_a_password_sets_another_one_with_a_link(site):
    token = letters.invite(site)
    access.use_link(site.pipeline, token, username=NAME)
    first = site.column("SELECT max(password_set_at) FROM cvms.recipients")
    site.clock.forward(minutes=10)
    access.ask_links(site.pipeline, NAME)
    letters.send(site)

    access.use_link(
        site.pipeline, letters.list_tokens(site, ADDRESS)[-1], username=NAME
    )

    assert site.column("SELECT max(password_set_at) FROM cvms.recipients") == first


def test_only_who_has_set_a_password_and_was_not_removed_may_log_in(site):
    token = letters.invite(site)
    mine = letters.get_id(site)

    assert not access.may_log_in(site.pipeline, mine)
    access.use_link(site.pipeline, token, username=NAME)
    assert access.may_log_in(site.pipeline, mine)
    site.remove("Ann")
    assert not access.may_log_in(site.pipeline, mine)
    assert not access.may_log_in(site.pipeline, "0" * 32)
    with pytest.raises(access.RecipientUnknown):
        access.get_owner(site.pipeline, mine)


def test_an_owner_sees_who_it_is_and_chooses_a_language(site):
    letters.invite(site)
    mine = letters.get_id(site)

    access.set_language(site.pipeline, mine, "es")

    owner = access.get_owner(site.pipeline, mine)
    assert (owner.first_name, owner.email, owner.language) == ("Ann", ADDRESS, "es")
    assert owner.registered_at is None
    assert ADDRESS not in repr(owner)
    assert "Ann" not in repr(owner)
    with pytest.raises(ValueError, match="fr"):
        access.set_language(site.pipeline, mine, "fr")


def test_messages_are_in_the_language_that_was_chosen_or_in_both(site):
    letters.invite(site)
    for language in (None, "es", "en"):
        if language:
            access.set_language(site.pipeline, letters.get_id(site), language)
        site.clock.forward(minutes=10)
        access.ask_links(site.pipeline, NAME)
        letters.send(site)

    sent = [
        m for m in site.mail() if m["To"] == ADDRESS and "Welcome" not in m["Subject"]
    ]
    texts = {m["Subject"]: m.get_body(("plain",)).get_content() for m in sent}
    both, english, spanish = (
        next(text for text in texts.values() if condition(text))
        for condition in (
            lambda text: "Hello" in text and "Hola" in text,
            lambda text: "Hola" not in text,
            lambda text: "Hello" not in text,
        )
    )
    assert "Your username" in english
    assert "Su nombre de usuario" in spanish
    assert both.index("Hello") < both.index("---") < both.index("Hola")


def test_this_is_not_me_stops_messages_closes_the_link_and_opens_a_case(site):
    token = letters.invite(site)
    mine = letters.get_id(site)
    site.clock.forward(minutes=10)
    access.ask_links(site.pipeline, NAME)

    access.deny_address(site.pipeline, token)

    with pytest.raises(access.LinkEnded) as ended:
        access.deny_address(site.pipeline, token)
    assert ended.value.why is access.Why.DENIED
    letters.send(site)
    assert messages(site)["status"].tolist() == ["withdrawn"]
    staff = people.Person(
        account_id="0" * 32, name="Sam", email="sam@example.org", is_staff=True
    )
    (number,) = site.column("SELECT number FROM cvms.cases")
    case = reading.get_case(site.pipeline, number, by=staff)
    assert case.kind is vocabulary.Kind.WRONG_ADDRESS
    assert (case.provider, case.recipient_id, case.line) == ("mercy", mine, 2)
    manager = people.Person(
        account_id="1" * 32, name="Mia", email="mia@example.org", provider="mercy"
    )
    assert reading.get_own_case(site.pipeline, number, by=manager).line == 2
    handling.reply_as_staff(
        site.pipeline, number, "Ask them.", by=staff, version=case.version
    )
    letters.send(site)
    told = [m["To"] for m in site.mail() if "VACHCP" in m["Subject"]]
    assert told == ["help-desk@example.org"]
    kept = site.table("SELECT * FROM cvms.cases").to_csv()
    kept += site.table("SELECT * FROM cvms.case_activity").to_csv()
    assert "@" not in kept.replace("help-desk@example.org", "")
    assert "Ann" not in kept


def test_a_corrected_address_is_denied_no_more(site):
    token = letters.invite(site)
    access.deny_address(site.pipeline, token)

    site.bring([letters.CORRECTED])
    site.clock.forward(minutes=10)
    letters.send(site)

    (fresh,) = letters.list_tokens(site, "new@b.example.org")
    assert access.check_link(site.pipeline, fresh)


def test_the_owner_is_told_that_the_password_was_changed(site):
    token = letters.invite(site)
    access.use_link(site.pipeline, token, username=NAME)

    access.tell_password_changed(site.pipeline, letters.get_id(site))

    assert deliver.send_alerts(site.pipeline) == 1
    (told,) = [m for m in site.mail() if "changed" in m["Subject"]]
    assert told["To"] == ADDRESS
    assert "/set-password/" not in told.get_body(("plain",)).get_content()


def test_the_owner_is_told_that_the_password_was_set_again_with_a_link(site):
    first = letters.invite(site)
    access.use_link(site.pipeline, first, username=NAME)
    assert deliver.send_alerts(site.pipeline) == 0
    site.clock.forward(minutes=10)
    access.ask_links(site.pipeline, NAME)
    letters.send(site)
    again = letters.list_tokens(site, ADDRESS)[-1]

    access.use_link(site.pipeline, again, username=NAME)

    letters.send(site)
    (told,) = [m for m in site.mail() if "changed" in m["Subject"]]
    assert told["To"] == ADDRESS
