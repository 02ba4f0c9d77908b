"""A crash before every single effect of sending a file by a page."""

import crash_sites
import crashing_process
import pytest
from installations import ANN, BAD, HEADER, LOW

from cvms_pipeline.use_cases.provider_actions import submit

# Python 3.12 and later warn of any fork beside a thread; the child starts none.
pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")

SENT = submit.Submission(
    upload_id="20260101-120000-abcdefgh",
    data="\r\n".join([HEADER, ANN, BAD, crash_sites.DUE]).encode(),
    file_name="sent.csv",
    lane=LOW,
    provider="mercy",
    sent_by="7c3f4f7e-5a0b-4a51-9d0e-1d7f3f1f9f10",
)


def send(site):
    submit.submit(site.pipeline, SENT)


def take_in_later(site):
    site.clock.forward(minutes=5)
    crash_sites.take_in(site)


def received(site):
    """Return what there is after the next look: uploads, their bytes, open claims."""
    kept = {}

    def read(opened):
        kept["uploads"] = opened.table(
            "SELECT file_name, sha256, sent_by FROM cvms.uploads ORDER BY 1"
        ).to_csv()
        archive = (path.read_bytes() for path in opened.home.glob("data/archive/*/2*"))
        kept["archived"] = sorted(archive)
        folders = opened.pipeline.folders.claims.glob("*")
        kept["claims"] = [path.name for path in folders if path.is_dir()]

    site.do(take_in_later, read)
    return kept


def whole(again, *steps):
    """Return the effects of steps that nothing disturbs, and what there is then."""
    with again() as site:
        _, effects = crashing_process.run(lambda: site.do(*steps), die_before=None)
        return effects, received(site)


def test_a_file_whose_sending_died_at_any_effect_is_there_once_or_can_be_sent_again(
    again,
):
    _, without = whole(again)
    effects, end = whole(again, send)
    assert {"mkdir", "open", "rename", "replace", "commit"} <= set(effects)

    outcomes = []
    for number, effect in enumerate(effects):
        where = f"before effect {number}: {effect}"
        with again() as site:
            died, _ = crashing_process.run(lambda s=site: s.do(send), die_before=number)
            assert died, where
            left = received(site)
            assert left in (without, end), where
            outcomes.append(left == end)
        with again() as site:
            crashing_process.run(lambda s=site: s.do(send), die_before=number)
            site.do(send)
            assert received(site) == end, where
    assert outcomes == sorted(outcomes)  # from one effect on, it cannot be lost
    assert set(outcomes) == {False, True}
