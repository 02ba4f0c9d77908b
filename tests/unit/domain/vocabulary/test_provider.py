import datetime as dt

import pytest

from cvms_pipeline.domain.vocabulary import provider

FACTS = {
    "slug": "mercy-hospital",
    "name": "Mercy Hospital",
    "vfc_pin": "NCA123456",
    "emails": ("staff@mercy.example.org",),
    "created_at": dt.datetime(2026, 3, 1, tzinfo=dt.UTC),
}


@pytest.mark.parametrize("pin", ["NCA000000", "NCA123456", provider.GENERIC_PIN])
def test_a_pin_is_nca_and_six_digits_or_the_generic_one(pin):
    made = provider.Provider(**{**FACTS, "vfc_pin": pin})

    assert made.vfc_pin == pin


# Facts that no provider can have.
_WRONG = [
    ("slug", "Mercy", provider.SlugInvalid),  # capital letter
    ("slug", "../etc", provider.SlugInvalid),  # a path
    ("name", " ", provider.NameInvalid),  # nothing to see
    ("name", "Mercy\nBcc: x@y.org", provider.NameInvalid),  # another header
    ("vfc_pin", "NCA12345", provider.PinInvalid),  # five digits
    ("vfc_pin", "nca123456", provider.PinInvalid),  # small letters
    ("vfc_pin", "NCA１２３４５６", provider.PinInvalid),  # digits of another script
    ("vfc_pin", "NCA123456\n", provider.PinInvalid),  # a line break
    ("emails", (), provider.EmailsInvalid),  # none
    ("emails", ("a@b.org", "staff"), provider.EmailsInvalid),  # one that is none
    ("emails", ("a@b.org\nBcc: x@y.org",), provider.EmailsInvalid),  # two in one
    ("emails", ("a@b.org,x@y.org",), provider.EmailsInvalid),  # two in one
]


@pytest.mark.parametrize(("fact", "value", "error"), _WRONG)
def test_the_error_describes_the_wrong_fact(fact, value, error):
    with pytest.raises(error):
        provider.Provider(**{**FACTS, fact: value})


# Addresses, and the message about them.
_WRONG_EMAILS = [
    ((), "A provider needs at least one contact address (--email): staff@example.org."),
    (
        ("Canary",),
        "What --email names is no e-mail address; write it like staff@example.org.",
    ),
    (
        ("a@b.org", "Canary"),
        "What --email names in place 2 is no e-mail address; write it like"
        " staff@example.org.",
    ),
]


@pytest.mark.parametrize(("emails", "text"), _WRONG_EMAILS)
def test_a_wrong_address_is_reported_with_its_option_and_position(emails, text):
    with pytest.raises(provider.EmailsInvalid) as caught:
        provider.Provider(**{**FACTS, "emails": emails})

    assert str(caught.value) == text


def test_all_wrong_facts_are_reported_at_once():
    with pytest.raises(provider.ProviderInvalid) as caught:
        provider.Provider(**{**FACTS, "slug": "A", "vfc_pin": "1", "emails": ("b",)})

    lines = str(caught.value).splitlines()
    assert [line[:12] for line in lines] == [
        "The slug mus",
        "The VFC PIN ",
        "What --email",
    ]


def test_every_wrong_fact_can_be_caught_as_the_same_error():
    with pytest.raises(provider.ProviderInvalid, match="NCA"):
        provider.Provider(**{**FACTS, "vfc_pin": ""})
