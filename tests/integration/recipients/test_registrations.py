"""Pausing, sending and changing a registration, and what is left when it ends."""

import dataclasses

import letters
import pytest
from installations import ANSWERS

from cvms_pipeline.maintenance import erasing, retention
from cvms_pipeline.use_cases import deliver
from cvms_pipeline.use_cases.recipients import access, registration

LIMITS = retention.Limits(
    live_partitions=9, run_days=9, rejected_rows_days=90, removed_days=30,
    draft_days=90, archive_days=365, work_days=9, case_days=365,
)  # fmt: skip


@pytest.fixture
def mine(site) -> str:
    """Ann, who has set her password."""
    token = letters.invite(site)
    return access.use_link(site.pipeline, token, username=letters.name_of())


def answers(site, **changes):
    return registration.clean(site.pipeline, {**ANSWERS, **changes})


def told(site):
    deliver.send_alerts(site.pipeline)
    return [m["To"] for m in site.mail() if "registration is complete" in m["Subject"]]


def test_a_registration_is_sent_once_and_can_be_changed(site, mine):
    sent = answers(site)

    assert registration.send(site.pipeline, mine, sent) is True
    first = access.get_owner(site.pipeline, mine).registered_at
    assert first is not None
    assert registration.send(site.pipeline, mine, sent) is False
    assert site.column("SELECT changed_at FROM cvms.registrations") == [None]
    changed = dataclasses.replace(sent, city="Raleigh")
    site.clock.forward(minutes=1)
    assert registration.send(site.pipeline, mine, changed) is False

    assert registration.get_answers(site.pipeline, mine) == changed
    assert access.get_owner(site.pipeline, mine).registered_at == first
    assert told(site) == ["ann@b.example.org"]
    noted = site.column(
        "SELECT event FROM cvms.audit WHERE event LIKE 'registration%' ORDER BY id"
    )
    assert noted == ["registration-sent", "registration-changed"]
    assert "Durham" not in site.table("SELECT * FROM cvms.audit").to_csv()


def test_a_pause_keeps_what_was_typed_until_it_is_sent(site, mine):
    registration.save_draft(
        site.pipeline,
        mine,
        step="detail",
        answers={
            "phone": "no number",
            "races": ["white"],
            "other": 1,
            "city": "x" * 999,
        },
    )
    draft = registration.get_draft(site.pipeline, mine)

    assert draft.step == registration.Step.DETAIL
    assert draft.answers == {
        "phone": "no number",
        "races": ["white"],
        "city": "x" * 200,
    }
    assert "no number" not in repr(draft)
    registration.send(site.pipeline, mine, answers(site))
    assert registration.get_draft(site.pipeline, mine) is None


def test_a_draft_is_dropped_when_its_owner_says_so(site, mine):
    registration.save_draft(site.pipeline, mine, step="detail", answers=ANSWERS)
    registration.drop_draft(site.pipeline, mine)

    assert registration.get_draft(site.pipeline, mine) is None


def test_wrong_answers_are_named_and_not_repeated(site):
    with pytest.raises(registration.AnswersInvalid) as raised:
        answers(site, phone="12 canary", city="")

    assert raised.value.faults == {"phone": "no-phone", "city": "missing"}
    assert "canary" not in f"{raised.value} {raised.value!r}"


def test_nobody_registers_who_was_removed(site, mine):
    sent = answers(site)
    site.remove("Ann")

    with pytest.raises(registration.RecipientUnknown):
        registration.send(site.pipeline, mine, sent)
    with pytest.raises(registration.RecipientUnknown):
        registration.save_draft(site.pipeline, mine, step="detail", answers=ANSWERS)
    assert site.column("SELECT 1 FROM cvms.registration_drafts") == []


def test_answers_and_drafts_are_erased_with_a_removed_person(site, mine):
    registration.send(site.pipeline, mine, answers(site))
    registration.save_draft(site.pipeline, mine, step="detail", answers=ANSWERS)
    told(site)
    site.remove("Ann")
    site.clock.forward(days=31)

    erasing.erase_removed(site.pipeline, LIMITS, dry_run=False)

    assert site.column("SELECT 1 FROM cvms.registrations") == []
    assert site.column("SELECT 1 FROM cvms.registration_drafts") == []
    kept = site.table("SELECT * FROM cvms.messages WHERE recipient_id IS NOT NULL")
    assert "ann@" not in kept.to_csv()


def test_a_paused_registration_is_kept_for_its_days(site, mine):
    registration.save_draft(site.pipeline, mine, step="detail", answers=ANSWERS)
    site.clock.forward(days=89)
    (found,) = erasing.drop_drafts(site.pipeline, LIMITS, dry_run=False)
    assert (found.found, found.removed) == (0, 0)
    site.clock.forward(days=2)

    for dry_run, removed in ((True, 0), (False, 1)):
        (found,) = erasing.drop_drafts(site.pipeline, LIMITS, dry_run=dry_run)
        assert (found.found, found.removed) == (1, removed)
    assert registration.get_draft(site.pipeline, mine) is None
