"""A crash before every single effect of removing somebody and erasing the names."""

import uuid

import crashing_process
import pytest
from installations import ANN

from cvms_pipeline.maintenance import erasing, retention
from cvms_pipeline.store import search
from cvms_pipeline.store.removals import removing, requests

# Python 3.12 and later warn of any fork beside a thread; the child starts none.
pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")

STAFF, OWNER = (str(uuid.UUID(int=number)) for number in (1, 2))
LIMITS = retention.Limits(
    live_partitions=9, run_days=9, rejected_rows_days=90, removed_days=30,
    draft_days=90, archive_days=365, work_days=9, case_days=365,
)  # fmt: skip


def bring_again(site):
    """Load a duplicate of Ann, so that her name is in an error report, too."""
    for path in site.pipeline.folders.root.glob("*/*/*.csv"):
        path.unlink()  # the prepared ones
    site.bring([ANN], file_name="twice.csv")


def remove(site):
    """Ask and approve, as far as that was not done before."""
    now = site.clock()
    with site.pipeline.store.begin() as conn:
        found = search.search_recipients(conn, ["ann"]).recipients
        if found.empty:
            return
        recipient_id = str(found.loc[0, "recipient_id"])
        requests.ask(conn, 1001, recipient_id, asked_by=STAFF, now=now)
    with site.pipeline.store.begin() as conn:
        removing.remove(conn, 1001, approved_by=OWNER, now=now)


def erase(site):
    site.clock.forward(days=31)
    erasing.erase_removed(site.pipeline, LIMITS, dry_run=False)


def left(site):
    """Return what there is of Ann: her record, and the files with her name."""
    kept = {}

    def read(opened):
        kept["people"] = opened.table(
            "SELECT first_name, email, removed_at IS NULL, recipients"
            " FROM cvms.recipients INNER JOIN cvms.providers ON slug = provider"
        ).values.tolist()
        (twice,) = opened.column(
            "SELECT id FROM cvms.uploads WHERE file_name = 'twice.csv'"
        )
        kept["rows"] = opened.column(
            f"SELECT email FROM cvms.rejected_rows WHERE upload_id = '{twice}'"  # noqa: S608 # an id
        )
        kept["reports"] = [
            path.name
            for path in opened.pipeline.reports.root.rglob(f"*{twice}*/*")
            if path.is_file() and not path.name.startswith(".")
        ]

    site.do(read)
    return kept


def test_a_person_is_removed_or_not_and_erased_or_not_wherever_it_dies(again):
    with again() as site:
        site.do(bring_again)
        before = left(site)
        site.do(remove)
        removed = left(site)
        _, effects = crashing_process.run(lambda: site.do(erase), die_before=None)
        erased = left(site)
    assert before == {
        "people": [["Ann", "ann@b.example.org", True, 1]],
        "rows": ["ann@b.example.org"],
        "reports": ["BulkError.csv"],
    }
    assert removed["people"] == [["Ann", "ann@b.example.org", False, 0]]
    assert erased == {"people": [["", "", False, 0]], "rows": [""], "reports": []}

    for number, effect in enumerate(["commit", "commit"]):
        with again() as site:
            site.do(bring_again)
            died, _ = crashing_process.run(
                lambda s=site: s.do(remove), die_before=number
            )
            assert died, f"before effect {number}: {effect}"
            assert left(site) == before
            site.do(remove)
            assert left(site) == removed
    for number, effect in enumerate(effects):
        with again() as site:
            site.do(bring_again, remove)
            died, _ = crashing_process.run(
                lambda s=site: s.do(erase), die_before=number
            )
            assert died, f"before effect {number}: {effect}"
            # Names are erased with every file that holds them, or not yet.
            assert left(site)["people"] in (removed["people"], erased["people"])
            if left(site)["people"] == erased["people"]:
                assert left(site) == erased
            site.do(erase)
            assert left(site) == erased
