"""The pages of the help desk, with a hundred thousand cases stored.

What is stored, and which pages the staff open; `portal` starts the installation and
reads the times in the portal's log.
"""

import re
from collections.abc import Iterator

import sqlalchemy as sa

from benchmarks import running, uploading, visitors

_CASES = """
INSERT INTO cvms.cases (
    kind, state, priority, provider, vfc_pin, organisation, requester, requester_name,
    requester_email, assignee, assignee_name, key, opened_at, waiting_since,
    resolved_at, closed_at
)
SELECT
    (ARRAY['bulk_upload', 'onboarding', 'removal'])[1 + number % 3], state,
    1 + number % 4, CASE WHEN number % 2 = 0 THEN :provider END, 'VAC2021',
    'Organisation ' || number % 997,
    CAST(md5('requester ' || number % 5000) AS uuid), 'Bench Requester',
    'requester@example.org',
    CASE WHEN number % 4 > 0 THEN CAST(:assignee AS uuid) END, 'desk@example.org',
    'stored ' || number, at,
    CASE WHEN state IN ('new', 'in_progress') THEN at END,
    CASE WHEN state IN ('resolved', 'closed') THEN at + interval '1 day' END,
    CASE WHEN state = 'closed' THEN at + interval '2 days' END
FROM (
    SELECT
        number,
        now() - number * interval '9 minutes' AS at,
        CASE
            WHEN number % 100 < 2 THEN 'new'
            WHEN number % 100 < 4 THEN 'in_progress'
            WHEN number % 100 < 5 THEN 'waiting_for_requester'
            WHEN number % 100 < 8 THEN 'resolved'
            ELSE 'closed'
        END AS state
    FROM generate_series(1, :cases) AS number
) AS invented
"""
_ACTIVITY = """
INSERT INTO cvms.case_activity (
    number, action, written_at, author, author_name, is_staff, is_internal, text
)
SELECT
    found.number, action.name, found.opened_at + action.nth * interval '1 hour',
    found.requester, 'Bench Requester', action.is_staff, action.name = 'noted',
    repeat('What was said about this case. ', 20)
FROM cvms.cases AS found
CROSS JOIN (
    VALUES (0, 'opened', false), (1, 'noted', true), (2, 'replied', true),
    (3, 'replied', false)
) AS action (nth, name, is_staff)
"""
_TRIGGERS = ("audit_case_opened", "cases"), ("audit_case_activity", "case_activity")


def fill(installation: running.Installation, cases: int, assignee: object) -> None:
    """Store cases with four activities each; nobody is told or audited of them."""
    values = {
        "cases": cases,
        "provider": uploading.PROVIDER,
        "assignee": str(assignee),
    }
    with installation.store.begin() as conn:
        conn.exec_driver_sql("SET LOCAL statement_timeout = 0")
        for name, table in _TRIGGERS:
            conn.exec_driver_sql(f"ALTER TABLE cvms.{table} DISABLE TRIGGER {name}")
        conn.execute(sa.text(_CASES), values)
        conn.exec_driver_sql(_ACTIVITY)
        for name, table in _TRIGGERS:
            conn.exec_driver_sql(f"ALTER TABLE cvms.{table} ENABLE TRIGGER {name}")
    with installation.store.statements() as conn:
        conn.exec_driver_sql("VACUUM (ANALYZE) cvms.cases, cvms.case_activity")


def open_pages(visitor: visitors.Visitor) -> Iterator[tuple[str, int]]:
    """Open each page once; yield after each what it was, and how many answers it took.

    A form is answered by leading to a page, which is the last answer.
    """
    page = visitor.get("/desk/")
    yield "the queue", 1
    later = re.search(r'rel="next" href="([^"]+)"', page.text)
    visitor.get(f"/desk/{later[1]}" if later else "/desk/")
    yield "the queue, the second page", 1
    for what, chosen in _FILTERS.items():
        visitor.post("/desk/", page, **chosen)
        yield f"the queue, {what}", 2
    number = re.findall(r'href="(/desk/VACHCP\d+/)"', page.text)[-1]
    visitor.get(number)
    yield "a case", 1
    visitor.post("/desk/", page, number=number.split("/")[2])
    yield "a case, searched by its number", 2
    visitor.post("/desk/", page, all="yes")
    yield "the queue again", 2


_FILTERS = {
    "closed cases": {"state": "closed"},
    "of one kind, overdue": {"kind": "removal", "overdue": "yes"},
    "nobody's of one priority": {"assignee": "none", "priority": "1"},
}
