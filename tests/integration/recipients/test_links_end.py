"""Each way in which a link of a recipient ends, and that nothing else ends it."""

import hashlib

import itsdangerous
import letters
import pytest

from cvms_pipeline.domain.vocabulary import audit_events
from cvms_pipeline.use_cases import compose, deliver
from cvms_pipeline.use_cases.recipients import access, mails

Why = access.Why
ANN = "ann@b.example.org"
NAME = letters.name_of()


def why(site, token) -> Why | None:
    """Return why a link does not work, or None if it does."""
    try:
        access.check_link(site.pipeline, token)
    except access.LinkEnded as ended:
        return ended.why
    return None


def sign(site, *facts, salt):
    how = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
    signer = itsdangerous.URLSafeSerializer(
        site.pipeline.links.read_secret(), salt=salt, signer_kwargs=how
    )
    return signer.dumps(facts)


def test_looking_at_a_link_changes_nothing_however_often(site):
    token = letters.invite(site)
    before = site.everything()

    for _ in range(3):
        assert access.check_link(site.pipeline, token).recipient_id == letters.get_id(
            site
        )

    assert site.everything() == before


def test_a_link_ends_when_it_is_used(site):
    token = letters.invite(site)

    used = access.use_link(site.pipeline, token, username=f" {NAME.lower()} ")

    assert used == letters.get_id(site)
    assert why(site, token) is Why.USED
    with pytest.raises(access.LinkEnded):
        access.use_link(site.pipeline, token, username=NAME)


def test_a_wrong_username_burns_no_link(site):
    token = letters.invite(site)

    with pytest.raises(access.WrongUsername):
        access.use_link(
            site.pipeline, token, username=letters.name_of("bob@b.example.org")
        )

    assert why(site, token) is None


def test_a_link_ends_when_a_newer_one_goes_out_and_not_before(site):
    first = letters.invite(site)
    site.clock.forward(minutes=10)
    access.ask_links(site.pipeline, ANN)

    assert why(site, first) is None
    letters.send(site)

    assert why(site, first) is Why.REPLACED
    second = letters.list_tokens(site, ANN)[-1]
    assert why(site, second) is None
    # The same again, for a link that was asked for.
    site.clock.forward(minutes=10)
    access.ask_links(site.pipeline, ANN)
    letters.send(site)
    assert why(site, second) is Why.REPLACED
    third = letters.list_tokens(site, ANN)[-1]
    assert access.use_link(site.pipeline, third, username=NAME)


def test_a_message_that_is_repeated_after_a_crash_carries_a_link_that_works(site):
    token = letters.invite(site)
    site.clock.forward(minutes=10)
    access.ask_links(site.pipeline, ANN)
    letters.send(site)
    site.execute(
        "UPDATE cvms.messages SET status = 'waiting', sent_at = NULL"
        " WHERE kind = 'recipient'"
    )
    site.clock.forward(minutes=10)
    letters.send(site)

    *_, last = letters.list_tokens(site, ANN)
    assert why(site, token) is Why.REPLACED
    assert why(site, last) is None


def test_a_link_ends_when_its_address_is_corrected_even_if_it_is_corrected_back(site):
    token = letters.invite(site)
    site.bring([letters.CORRECTED])

    assert why(site, token) is Why.CORRECTED
    site.bring([letters.PEOPLE[0]])
    assert why(site, token) is Why.REPLACED
    site.clock.forward(minutes=10)
    letters.send(site)
    assert why(site, letters.list_tokens(site, ANN)[-1]) is None


def test_a_link_ends_when_its_recipient_is_removed(site):
    token = letters.invite(site)
    site.remove("Ann")

    assert why(site, token) is Why.REMOVED


def test_a_link_ends_when_its_days_are_over(site):
    token = letters.invite(site)
    site.clock.forward(days=14)

    assert why(site, token) is Why.TOO_OLD


@pytest.mark.parametrize(
    ("salt", "bound"),
    [("cvms.set-password", []), ("cvms.set-password.2", ["0" * 32])],
)
def test_links_that_were_made_before_are_dead_and_another_can_be_asked_for(
    site, salt, bound
):
    letters.invite(site)
    old = sign(site, letters.get_id(site), 9_999_999_999, *bound, salt=salt)

    assert why(site, old) is Why.OLD_FORM
    site.clock.forward(minutes=10)
    access.ask_links(site.pipeline, ANN)
    letters.send(site)
    assert why(site, letters.list_tokens(site, ANN)[-1]) is None


def test_a_forged_link_is_none(site):
    token = letters.invite(site)

    for forged in ("", "x" + token, token[:-2], "\ud800", "\0"):
        assert why(site, forged) is Why.FORGED


def test_a_new_link_goes_to_the_address_on_file_alone(site):
    letters.invite(site)
    site.bring([letters.CORRECTED])
    site.clock.forward(minutes=10)

    letters.send(site)
    site.clock.forward(minutes=10)
    access.ask_links(site.pipeline, ANN)
    access.ask_links(site.pipeline, "new@b.example.org")
    letters.send(site)

    assert len(letters.list_tokens(site, ANN)) == 1
    assert why(site, letters.list_tokens(site, "new@b.example.org")[-1]) is None


def test_nobody_who_was_removed_or_denied_gets_a_link(site):
    token = letters.invite(site)
    access.deny_address(site.pipeline, token)
    gone = site.remove("Bob")
    site.clock.forward(minutes=10)

    access.ask_links(site.pipeline, ANN)
    access.ask_links(site.pipeline, "bob@b.example.org")
    access.ask_links(site.pipeline, f"removed:{gone}")

    assert site.column("SELECT 1 FROM cvms.messages WHERE kind = 'recipient'") == []


def test_an_invitation_that_waits_is_not_sent_to_who_has_a_password(site):
    token = letters.invite(site)
    site.execute(
        "UPDATE cvms.messages SET status = 'waiting', sent_at = NULL"
        " WHERE kind = 'invitation'"
    )
    access.use_link(site.pipeline, token, username=NAME)
    site.clock.forward(minutes=10)
    letters.send(site)

    states = site.column(
        "SELECT status FROM cvms.messages WHERE kind = 'invitation' ORDER BY addresses"
    )
    assert states == ["withdrawn", "sent"]


def test_a_withdrawn_correction_makes_the_link_at_the_old_address_work_again(site):
    token = letters.invite(site)
    upload_id = site.bring([letters.CORRECTED])
    assert why(site, token) is Why.CORRECTED
    site.execute(f"SELECT cvms.withdraw('{upload_id}', 'by mistake', now())")

    assert why(site, token) is None


def test_a_link_that_is_shown_to_staff_is_none(site):
    letters.invite(site)
    site.clock.forward(minutes=10)
    access.ask_links(site.pipeline, ANN)
    letters.send(site)
    sent = site.column(
        "SELECT id::text FROM cvms.messages WHERE recipient_id IS NOT NULL"
    )
    assert len(sent) == 3

    for message_id in sent:
        _, shown = compose.show_message(site.pipeline, message_id)
        assert "/set-password/" not in shown.text
        assert "(the link is not shown)" in shown.text
    assert why(site, letters.list_tokens(site, ANN)[-1]) is None


def test_no_table_holds_a_link(site):
    token = letters.invite(site)
    site.clock.forward(minutes=10)
    access.ask_links(site.pipeline, ANN)
    letters.send(site)
    tokens = {token, *letters.list_tokens(site, ANN)}

    names = site.column(
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
        " WHERE schemaname IN ('cvms', 'dagster', 'celery', 'portal')"
    )
    for name in names:
        rows = site.table(f"SELECT each::text FROM {name} AS each").to_csv()  # noqa: S608 # names above
        assert not [each for each in tokens if each[:40] in rows or each in rows], name


def test_the_audit_says_what_happened_without_an_address(site):
    token = letters.invite(site)
    site.clock.forward(minutes=10)
    access.ask_links(site.pipeline, ANN)
    access.use_link(site.pipeline, token, username=NAME)

    events = audit_events.Event
    noted = site.table(
        "SELECT event, provider, details::text FROM cvms.audit"
        " WHERE event IN ('link-queued', 'password-set') ORDER BY id"
    )
    assert noted["event"].tolist() == [events.LINK_QUEUED, events.PASSWORD_SET]
    assert set(noted["provider"]) == {"mercy"}
    assert "@" not in noted.to_csv()


def test_links_that_wait_are_sent_once_however_often_they_are_asked_for(site):
    letters.invite(site)
    for _ in range(3):
        site.clock.forward(minutes=10)
        access.ask_links(site.pipeline, ANN)
    assert deliver.send_alerts(site.pipeline) == 1


def test_a_second_link_in_the_same_minutes_is_not_sent(site):
    letters.invite(site)
    minutes = 60 * mails._LINK_MINUTES
    site.clock.forward(seconds=minutes - site.clock().timestamp() % minutes)

    for _ in range(2):
        access.ask_links(site.pipeline, ANN)
        deliver.send_alerts(site.pipeline)

    assert len(letters.list_tokens(site, ANN)) == 2  # with the invitation
