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


def token(issued_at=AT, address=ADDRESS):
    link = LINKS.make_link("r-123", address, issued_at=issued_at)
    return link.rpartition("/")[2]


def verify(read, now=AT, address=ADDRESS, made=LINKS):
    """Return whose link it is, while the recipient has `address`."""
    return made.verify(read, find_address={"r-123": address}.get, now=now)


def test_a_link_leads_to_the_portal_and_back_to_the_recipient():
    link = LINKS.make_link("r-123", ADDRESS, issued_at=AT)

    assert link.startswith("https://v.example.org/set-password/")
    assert verify(token()) == "r-123"


def test_the_same_facts_give_the_same_link():
    assert token() == token()


def test_a_link_is_valid_until_its_last_second():
    until = LINKS.valid_until(AT)

    assert until == dt.datetime(2026, 1, 19, 10, 15, tzinfo=dt.UTC)
    assert verify(token(), until - dt.timedelta(seconds=1)) == "r-123"
    with pytest.raises(links.LinkExpired, match="ask for a new one"):
        verify(token(), until)


FORGED = [
    "",  # nothing
    "abc",  # no signature
    token()[:-1],  # not copied whole
    "x" + token(),  # changed
    itsdangerous.URLSafeSerializer("s" * 32).dumps(["r-123", 9e9, ""]),  # no purpose
    itsdangerous.URLSafeSerializer(  # of the form that was bound to no address
        "s" * 32,
        salt="cvms.set-password",
        signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
    ).dumps(["r-123", 9_999_999_999]),
    "\ud800",  # half a surrogate pair
]


@pytest.mark.parametrize("forged", FORGED)
def test_a_forged_link_is_refused(forged):
    with pytest.raises(links.LinkForged):
        verify(forged)


def test_a_link_signed_with_another_secret_is_refused():
    other = dataclasses.replace(LINKS, read_secret=lambda: "t" * 32)

    with pytest.raises(links.LinkForged):
        verify(token(), made=other)


# What became of the address that the link was sent to.
ADDRESSES = ["new@b.org", "Ann@b.org", None]


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_link_dies_when_its_address_is_corrected_or_the_recipient_is_gone(address):
    with pytest.raises(links.LinkExpired):
        verify(token(), address=address)

    assert verify(token(address="new@b.org"), address="new@b.org") == "r-123"


def test_a_link_of_one_recipient_is_none_of_another_with_the_same_address():
    link = LINKS.make_link("r-124", ADDRESS, issued_at=AT)

    assert link.rpartition("/")[2] != token()
    with pytest.raises(links.LinkExpired):
        verify(link.rpartition("/")[2])


def test_a_link_does_not_show_the_address():
    payload = LINKS._signer(links._PURPOSE).load_payload(
        token().rpartition(".")[0].encode()
    )

    assert payload[:2] == ["r-123", int(LINKS.valid_until(AT).timestamp())]
    assert ADDRESS not in repr(payload)


def test_the_secret_is_not_shown():
    assert "ssss" not in repr(LINKS)
