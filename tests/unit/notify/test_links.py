"""Set-password links: what they hold, when they end, and forgeries."""

import datetime as dt

import itsdangerous
import pytest

from cvms_pipeline.notify import links

AT = dt.datetime(2026, 1, 5, 10, 15, 0, 123, tzinfo=dt.UTC)
LINKS = links.Links(secret="s" * 32, base_url="https://v.example.org/", days=14)


def token(issued_at=AT):
    return LINKS.link("r-123", issued_at=issued_at).rpartition("/")[2]


def test_a_link_leads_to_the_portal_and_back_to_the_recipient():
    link = LINKS.link("r-123", issued_at=AT)

    assert link.startswith("https://v.example.org/set-password/")
    assert LINKS.recipient(token(), now=AT) == "r-123"


def test_the_same_link_is_made_again():
    assert token() == token()


def test_a_link_is_valid_until_its_last_second():
    until = LINKS.valid_until(AT)

    assert until == dt.datetime(2026, 1, 19, 10, 15, tzinfo=dt.UTC)
    assert LINKS.recipient(token(), now=until - dt.timedelta(seconds=1)) == "r-123"
    with pytest.raises(links.LinkExpired, match="ask for a new one"):
        LINKS.recipient(token(), now=until)


FORGED = [
    "",  # nothing
    "abc",  # no signature
    token()[:-1],  # not copied whole
    "x" + token(),  # changed
    itsdangerous.URLSafeSerializer("s" * 32).dumps(["r-123", 9e9]),  # another purpose
    "\ud800",  # half a surrogate pair
]


@pytest.mark.parametrize("forged", FORGED)
def test_a_forged_link_is_told(forged):
    with pytest.raises(links.LinkForged):
        LINKS.recipient(forged, now=AT)


def test_another_secret_is_not_ours():
    with pytest.raises(links.LinkForged):
        links.verify("t" * 32, token(), now=AT)


def test_the_secret_is_not_shown():
    assert "ssss" not in repr(LINKS)
