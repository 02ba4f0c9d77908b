"""The queue of staff: the longest waiting first, page by page, with its counts."""

import dataclasses

import help_desks
import pytest
from help_desks import MIA, SAM

from cvms_pipeline.domain.vocabulary import cases
from cvms_pipeline.use_cases.help_desk import reading

State = cases.State

# 120 cases of Ria's, the later the longer waiting; of every five one is closed, one
# waits for Ria, one is Sam's; one in ten asks for onboarding, and is urgent.
FILL = """
INSERT INTO cvms.cases (
    kind, state, priority, vfc_pin, organisation, requester, requester_name,
    requester_email, assignee, key, opened_at, waiting_since, closed_at
)
SELECT
    CASE n % 10 WHEN 4 THEN 'onboarding' ELSE 'bulk_upload' END,
    (ARRAY['closed', 'waiting_for_requester', 'in_progress', 'new', 'new'])[n % 5 + 1],
    CASE n % 10 WHEN 4 THEN 1 ELSE 3 END, 'VAC2021', 'Elm', '{requester}', 'Ria',
    'ria@example.org', CASE n % 5 WHEN 2 THEN '{assignee}'::uuid END, n::text, now(),
    CASE WHEN n % 5 > 1 THEN now() - n * interval '1 hour' END,
    CASE WHEN n % 5 = 0 THEN now() END
FROM generate_series(0, 119) AS n
"""


@pytest.fixture
def filled(site):
    facts = {
        "requester": help_desks.RIA.account_id,
        "assignee": help_desks.SAM.account_id,
    }
    site.execute(FILL.format(**facts))
    return site


def numbers(page) -> list[int]:
    return [line.number for line in page.lines]


def walk(read) -> list[int]:
    """Return all numbers by going forward, which are those of going back."""
    page, forth = read(), []
    while True:
        forth += numbers(page)
        if not page.has_after:
            break
        page = read(after=forth[-1])
    back = numbers(page)
    while page.has_before:
        page = read(before=back[0])
        back = numbers(page) + back
    assert back == forth
    return forth


def test_the_queue_has_the_longest_waiting_first_on_whichever_page(filled):
    def read(**place):
        return reading.list_queue(filled.pipeline, reading.Wanted(**place))

    found = walk(read)

    waiting = [n for n in range(119, 0, -1) if n % 5 > 1]
    answered = [n for n in range(120) if n % 5 == 1]
    assert found == [1001 + n for n in waiting + answered]
    page = read()
    assert (len(page.lines), page.total) == (50, 96)
    assert page.counts == {
        State.NEW: 48,
        State.IN_PROGRESS: 24,
        State.WAITING: 24,
        State.RESOLVED: 0,
        State.CLOSED: 24,
    }
    assert page.lines[0].is_overdue
    assert not read(after=1001 + 24).lines[0].is_overdue


WANTED = {
    "those that are closed, the latest first": (
        {"state": State.CLOSED},
        [n for n in range(119, -1, -1) if n % 5 == 0],
    ),
    "urgent ones": (
        {"priority": cases.Priority.CRITICAL, "kind": cases.Kind.ONBOARDING},
        [n for n in range(119, -1, -1) if n % 10 == 4],
    ),
    "Sam's": ({"assignee": SAM.account_id}, list(range(117, 0, -5))),
    "nobody's that are overdue": (
        {"assignee": reading.NOBODY, "is_overdue": True, "state": State.NEW},
        [n for n in range(119, 23, -1) if n % 5 > 2],
    ),
    "a closed one by its number": ({"words": " vachcp0001006 "}, [5]),
    "by no number": ({"words": "mercy"}, []),
}


@pytest.mark.parametrize("what", WANTED)
def test_the_queue_is_filtered(filled, what):
    facts, expected = WANTED[what]

    page = reading.list_queue(filled.pipeline, reading.Wanted(**facts), limit=100)

    assert numbers(page) == [1001 + n for n in expected]
    assert page.total == len(expected)


def test_a_requester_lists_own_cases_and_those_of_the_provider_the_latest_first(filled):
    shared = help_desks.open_case(filled, MIA).number
    ria_of_mercy = dataclasses.replace(help_desks.RIA, provider="mercy")

    def read(**place):
        return reading.list_own_cases(filled.pipeline, by=ria_of_mercy, **place)

    assert walk(read) == [shared, *range(1120, 1000, -1)]
    assert numbers(reading.list_own_cases(filled.pipeline, by=MIA)) == [shared]
