"""What limits guesses and mails counts for all portals: two processes, one database."""

import contextlib

import log_in_services
import pytest
import sqlalchemy as sa

from benchmarks import ports
from cvms_pipeline.portal.site import limits

LOCKED = "There were too many attempts."


@pytest.fixture(scope="module")
def portals(postgres, tmp_path_factory):
    """Two portals as on two machines: each has a home, both have one database."""
    shared = {"CVMS_SECRET_KEY": "shared-by-every-machine-of-the-test"}
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(postgres.database("template0"))
        made = []
        for name in ("one", "two"):
            home, port = tmp_path_factory.mktemp(name), ports.find_free()
            environment = log_in_services.describe(url, home, port=port, **shared)
            if not made:
                log_in_services.prepare(environment)
            made.append(stack.enter_context(log_in_services.serving(environment)))
        yield url, made


def _guess(portal, number):
    """Try a password in a browser that nobody knows; return what the page says."""
    someone = portal.visit()
    someone.get("/accounts/login/")
    typed = {"login": "ann@mercy.example.org", "password": f"wrong {number}"}
    return someone.post("/accounts/login/", **typed).text


def test_refused_log_ins_are_counted_together(portals):
    _, both = portals
    allowed = int(limits.RATES["login_failed"].split(",")[1].split("/")[0])

    said = [_guess(both[number % 2], number) for number in range(allowed)]

    assert [text for text in said if LOCKED in text] == []
    assert LOCKED in _guess(both[0], "again")
    assert LOCKED in _guess(both[1], "again")


def test_links_that_are_mailed_are_counted_together(portals):
    url, both = portals
    allowed = int(limits.ACCOUNT_MESSAGES.split("/")[0])

    for number in range(allowed + 2):
        someone = both[number % 2].visit()
        someone.get("/accounts/forgot/")
        page = someone.post("/accounts/forgot/", username="ann@mercy.example.org")
        assert page.url.endswith("/accounts/forgot/sent/")  # alike, mailed or not

    engine = sa.create_engine(url)
    with engine.connect() as connection:
        query = "SELECT count(*) FROM cvms.messages WHERE kind = 'account'"
        mailed = connection.scalar(sa.text(query))
    engine.dispose()
    assert mailed == allowed
