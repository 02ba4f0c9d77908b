"""A crash before every single effect of setting a password and of registering."""

import contextlib

import crashing_process
import installations
import pytest

from cvms_pipeline.store import search
from cvms_pipeline.use_cases import deliver
from cvms_pipeline.use_cases.recipients import access, registration

# Python 3.12 and later warn of any fork beside a thread; the child starts none.
pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")


def find(site):
    with site.pipeline.store.begin() as conn:
        found = search.search_recipients(conn, ["ann"]).recipients
    return found.loc[0, ["recipient_id", "email", "username"]]


def use_link(site):
    """Use the link in the invitation, if it was not used before."""
    mine, address, name = find(site)
    link = site.pipeline.links.make_link(mine, address, mine, issued_at=site.clock())
    with contextlib.suppress(access.LinkEnded):
        access.use_link(site.pipeline, link.split("/")[-2], username=name)


def pause(site):
    registration.save_draft(
        site.pipeline, find(site).iloc[0], step="detail", answers=installations.ANSWERS
    )


def register(site):
    answers = registration.clean(site.pipeline, installations.ANSWERS)
    registration.send(site.pipeline, find(site).iloc[0], answers)


def tell(site):
    site.clock.forward(minutes=2)
    deliver.send_alerts(site.pipeline)


def left(site):
    """Return what there is of Ann's registration."""
    kept = {}

    def read(opened):
        kept["is_registered"] = opened.column(
            "SELECT registered_at IS NOT NULL FROM cvms.recipients"
        )
        for name in ("registrations", "registration_drafts"):
            kept[name] = len(opened.column(f"SELECT 1 FROM cvms.{name}"))  # noqa: S608 # above
        kept["queued"] = len(
            opened.column("SELECT 1 FROM cvms.messages WHERE kind = 'recipient'")
        )
        kept["audit"] = opened.column(
            "SELECT event FROM cvms.audit WHERE event LIKE 'registration%'"
        )
        kept["told"] = len(
            opened.column(
                "SELECT 1 FROM cvms.messages WHERE kind = 'recipient'"
                " AND status = 'sent'"
            )
        )

    site.do(read)
    return kept


PAUSED = {
    "is_registered": [False], "registrations": 0, "registration_drafts": 1,
    "queued": 0, "audit": [], "told": 0,
}  # fmt: skip
DONE = {
    "is_registered": [True], "registrations": 1, "registration_drafts": 0,
    "queued": 1, "audit": ["registration-sent"], "told": 0,
}  # fmt: skip


def test_a_registration_is_there_once_or_not_at_all_wherever_it_dies(again):
    with again() as site:
        site.do(use_link, pause)
        assert left(site) == PAUSED
        _, effects = crashing_process.run(lambda: site.do(register), die_before=None)
        assert left(site) == DONE

    assert effects
    for number, effect in enumerate(effects):
        with again() as site:
            site.do(use_link, pause)
            died, _ = crashing_process.run(
                lambda s=site: s.do(register), die_before=number
            )
            assert died, f"before effect {number}: {effect}"
            assert left(site) in (PAUSED, DONE)
            # Whoever sends it again has sent it once.
            site.do(register)
            assert left(site) == DONE
            site.do(tell, tell)
            assert left(site) == {**DONE, "told": 1}


def test_a_link_is_used_once_or_not_at_all_wherever_it_dies(again):
    def is_used(site):
        kept = []
        site.do(
            lambda opened: kept.extend(
                opened.column("SELECT password_set_at IS NOT NULL FROM cvms.recipients")
            )
        )
        return kept

    with again() as site:
        _, effects = crashing_process.run(lambda: site.do(use_link), die_before=None)
        assert is_used(site) == [True]

    assert effects
    for number, effect in enumerate(effects):
        with again() as site:
            died, _ = crashing_process.run(
                lambda s=site: s.do(use_link), die_before=number
            )
            assert died, f"before effect {number}: {effect}"
            site.do(use_link)
            assert is_used(site) == [True]
