"""How far recipients are is counted as it happens: by upload, provider and day."""

import datetime as dt

import installations
import pytest

from cvms_pipeline.use_cases import deliver, funnel, history

ANN, BOB = installations.ANN, installations.BOB
EVE = "Eve,Poe,5/6/1980,eve@b.example.org"
OTHER = "Una,Roe,7/8/1970,una@b.example.org"


@pytest.fixture
def site(tmp_path, database_url, monkeypatch):
    opened = installations.opened(tmp_path, database_url, monkeypatch)
    with opened.pipeline:
        yield opened


def mark(site, name, *steps):
    for step in steps:
        site.execute(
            f"UPDATE cvms.recipients SET {step} = now() WHERE first_name = '{name}'"  # noqa: S608 # of a test
        )


def read(site, provider="mercy"):
    """Return a provider's loaded, invited, with a password, registered, denied."""
    found = {
        each.provider: each for each in funnel.read_funnel(site.pipeline).providers
    }
    counts = found[provider]
    names = ("loaded", "invited", "passwords_set", "registered", "denied")
    return tuple(getattr(counts, name) for name in names)


def test_each_step_counts_once_and_for_its_own_upload_and_provider(site):
    first = site.bring([ANN, BOB])
    second = site.bring([EVE])
    site.add_provider("other")
    site.bring([OTHER], slug="other")
    deliver.send_invitations(site.pipeline, first)

    assert read(site) == (3, 2, 0, 0, 0)
    mark(site, "Ann", "password_set_at", "password_set_at")
    mark(site, "Eve", "password_set_at", "registered_at", "registered_at")
    mark(site, "Bob", "denied_at")
    assert read(site) == (3, 3, 2, 1, 1)
    assert read(site, "other") == (1, 0, 0, 0, 0)
    uploads = [history.get_upload(site.pipeline, each) for each in (first, second)]
    assert [(u.passwords_set, u.registered) for u in uploads] == [(1, 0), (1, 1)]


def test_who_is_removed_counts_for_the_upload_and_not_for_the_provider(site):
    upload = site.bring([ANN, BOB])
    mark(site, "Ann", "password_set_at", "registered_at")
    mark(site, "Bob", "password_set_at")

    site.remove("Ann")

    assert read(site) == (1, 1, 1, 0, 0)
    found = history.get_upload(site.pipeline, upload)
    assert (found.passwords_set, found.registered) == (2, 1)


# What becomes of Ann's invitation, and whether she counts as invited.
INVITATIONS = [
    ("status = 'waiting'", False),
    ("status = 'refused', last_error = 'SMTP 550'", False),
    ("status = 'sent', sent_at = now()", True),
    ("""status = 'waiting', details = '{"again": true}'""", True),  # it was sent before
]


@pytest.mark.parametrize(("state", "is_invited"), INVITATIONS)
def test_invited_is_to_whom_an_invitation_was_sent(site, state, is_invited):
    site.bring([ANN])
    site.execute(f"UPDATE cvms.messages SET {state} WHERE kind = 'invitation'")  # noqa: S608 # of a test

    assert read(site)[1] == int(is_invited)


def test_a_corrected_person_is_invited_once_the_new_address_is(site):
    first = site.bring([ANN])
    deliver.send_invitations(site.pipeline, first)
    second = site.bring(["Ann,Lee,1/2/1990,new@b.example.org"])

    assert read(site)[:2] == (1, 0)
    deliver.send_invitations(site.pipeline, second)
    assert read(site)[:2] == (1, 1)


def test_what_happened_today_is_counted_apart(site):
    site.bring([ANN, BOB])
    mark(site, "Ann", "password_set_at", "registered_at")
    site.execute(
        "UPDATE cvms.recipients SET registered_at = now() - interval '2 days'"
        " WHERE first_name = 'Ann'"
    )

    (counts,) = funnel.read_funnel(site.pipeline).providers

    today = (counts.loaded_since, counts.passwords_since, counts.registered_since)
    assert today == (2, 1, 0)
    site.clock.forward(days=2)
    (later,) = funnel.read_funnel(site.pipeline).providers
    assert (later.loaded, later.loaded_since, later.passwords_since) == (2, 0, 0)
    assert funnel.read_funnel(site.pipeline).day > dt.date(2020, 1, 1)
