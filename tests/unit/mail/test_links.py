"""Set-password links: what they hold, when they end, and forgeries."""

import dataclasses
import datetime as dt
import hashlib

import itsdangerous
import pytest

from cvms_pipeline.mail import links

AT = dt.datetime(2026, 1, 5, 10, 15, 0, 123, tzinfo=dt.UTC)
LINKS = links.Links(
    read_secret=lambda: "s" * 32, base_url="https://v.example.org/", days=14
)


ADDRESS = "ann@b.org"
MESSAGE = "m-1"


def token(issued_at=AT, address=ADDRESS, link_id=MESSAGE, recipient_id="r-123"):
    link = LINKS.make_link(recipient_id, address, link_id, issued_at=issued_at)
    return link.split("/")[-2]


def old_token(*facts, salt):
    how = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
    signer = itsdangerous.URLSafeSerializer("s" * 32, salt=salt, signer_kwargs=how)
    return signer.dumps(facts)


def test_a_link_leads_to_the_portal_and_says_whose_it_is():
    link = LINKS.make_link("r-123", ADDRESS, MESSAGE, issued_at=AT)
    signed = LINKS.read(token())

    assert link.startswith("https://v.example.org/set-password/")
    assert link.endswith("/")
    assert (signed.recipient_id, signed.link_id) == ("r-123", MESSAGE)
    assert not signed.is_old_form


def test_the_same_facts_give_the_same_link():
    assert token() == token()


def test_a_link_says_its_last_second():
    assert LINKS.read(token()).expires_at == LINKS.valid_until(AT)
    assert LINKS.valid_until(AT) == dt.datetime(2026, 1, 19, 10, 15, tzinfo=dt.UTC)


# Links of the earlier forms: bound to nothing, and to the address alone.
OLD = [
    old_token("r-123", 9_999_999_999, salt="cvms.set-password"),
    old_token("r-123", 9_999_999_999, "f" * 32, salt="cvms.set-password.2"),
]


@pytest.mark.parametrize("old", OLD)
def test_a_link_of_an_earlier_form_is_known_as_one(old):
    signed = LINKS.read(old)

    assert signed.is_old_form
    assert signed.recipient_id == "r-123"
    assert not LINKS.is_bound_to(signed, ADDRESS)


FORGED = [
    "",  # nothing
    "abc",  # no signature
    token()[:-1],  # not copied whole
    "x" + token(),  # changed
    itsdangerous.URLSafeSerializer("s" * 32).dumps(["r-123", 9e9, ""]),  # no purpose
    LINKS.make_account_link("r-123", "nonce", expires_at=AT).split("/")[-2],
    "\ud800",  # half a surrogate pair
]


@pytest.mark.parametrize("forged", FORGED)
def test_a_forged_link_is_refused(forged):
    with pytest.raises(links.LinkForged):
        LINKS.read(forged)


def test_a_link_signed_with_another_secret_is_refused():
    other = dataclasses.replace(LINKS, read_secret=lambda: "t" * 32)

    with pytest.raises(links.LinkForged):
        other.read(token())


# Other addresses: nobody's, and the same in other letters.
@pytest.mark.parametrize("address", ["new@b.org", "Ann@b.org", ""])
def test_a_link_is_bound_to_its_address(address):
    assert LINKS.is_bound_to(LINKS.read(token()), ADDRESS)
    assert not LINKS.is_bound_to(LINKS.read(token()), address)


def test_links_of_other_messages_and_recipients_are_others():
    assert len({token(), token(link_id="m-2"), token(recipient_id="r-124")}) == 3


def test_a_link_does_not_show_the_address():
    payload = LINKS._signer(links._PURPOSE).load_payload(
        token().rpartition(".")[0].encode()
    )

    assert payload[:2] == ["r-123", int(LINKS.valid_until(AT).timestamp())]
    assert ADDRESS not in repr(payload)


def test_the_secret_is_not_shown():
    assert "ssss" not in repr(LINKS)
