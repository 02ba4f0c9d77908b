"""A crash before every single effect of an upload: the end is always the same."""

import collections

import crash_sites
import crashing_process
import pytest

# Python 3.12 and later warn of any fork beside a thread; the child starts none.
pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")

STEPS = {each.__name__: number for number, each in enumerate(crash_sites.WAY)}
# What each step must at least have been seen to do, or its deaths prove nothing.
EFFECTS = {
    "take_in": {"rename", "replace", "open", "unlink", "commit"},
    "load_all": {"commit"},
    "publish_all": {"rename", "replace", "mkdir", "open"},
    "notify_all": {"sendmail", "commit", "statement"},
    "invite_all": {"sendmail", "commit", "statement"},
}


def whole(again, mailbox, steps):
    """Return the effects of steps that nothing disturbs, the end, and what was sent."""
    with again() as site:
        _, effects = crashing_process.run(lambda: site.do(*steps), die_before=None)
        return effects, site.end(), sent_by(mailbox)


def sent_by(mailbox):
    """Return how often each message was received: by address, subject, Message-ID."""
    return collections.Counter(
        (message["To"], message["Subject"], message["Message-ID"])
        for message in mailbox.received
    )


def told(sent):
    """Return who was told what, each message counted once however often it came."""
    return collections.Counter((to, subject) for to, subject, _ in sent)


@pytest.mark.parametrize("step", STEPS)
def test_the_next_process_finishes_the_work_of_one_that_died_at_any_effect(
    again, mailbox, step
):
    steps = crash_sites.WAY[: STEPS[step] + 1]
    first = len(whole(again, mailbox, steps[:-1])[0])
    effects, end, sent = whole(again, mailbox, steps)
    assert EFFECTS[step] <= set(effects[first:])

    for number in range(first, len(effects)):
        where = f"before effect {number - first} of {step}: {effects[number]}"
        with again() as site:
            died, had = crashing_process.run(
                lambda s=site: s.do(*steps), die_before=number
            )

            assert died, where
            assert site.end() == end, where
            assert told(sent_by(mailbox)) == told(sent), where
            repeated = sum(sent_by(mailbox).values()) - len(sent_by(mailbox))
            assert repeated == (had[-1:] == ["sendmail"]), where
