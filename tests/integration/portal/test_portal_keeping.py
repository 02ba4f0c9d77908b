"""What is kept of accounts: in a backup, after a restore, and how long sessions are."""

import contextlib
import datetime as dt
import uuid

import pytest
import sqlalchemy as sa
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from cvms_pipeline.database import dumps, engine
from cvms_pipeline.local.postgres import programs
from cvms_pipeline.maintenance import retention
from cvms_pipeline.portal.accounts import administration, models

SESSIONS = ["django_session", "usersessions_usersession", "portal_cache"]


def _count_ended(site):
    found = retention.remove_leftovers(site.pipeline, dry_run=False)
    return {
        each.what: each.removed
        for each in found
        if "portal" in each.what and each.removed
    }


def _make_session(ends_at):
    key = uuid.uuid4().hex
    Session.objects.create(session_key=key, session_data="x", expire_date=ends_at)
    return key


def test_retention_removes_sessions_and_counts_that_ended_a_day_ago(site):
    ann = site.add_account()
    browser = site.browser_of(ann)
    assert browser.get("/uploads/").status_code == 200
    now = timezone.now()
    old = _make_session(now - dt.timedelta(days=2))
    fresh = _make_session(now - dt.timedelta(hours=2))
    facts = UserSession.objects.create(
        user=ann, ip="192.0.2.1", session_key="gone", user_agent="x"
    )
    UserSession.objects.filter(pk=facts.pk).update(
        created_at=now - dt.timedelta(days=2)
    )
    cache.set("attempts", 1)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE portal_cache SET expires = now() - interval '2 days'"
            " WHERE cache_key LIKE '%attempts'"
        )

    removed = _count_ended(site)

    assert removed == {
        "Sessions of the portal that have ended": 1,
        "Facts about sessions of the portal that have ended": 1,
        "Counted attempts in the portal that no longer matter": 1,
    }
    left = set(Session.objects.values_list("session_key", flat=True))
    assert (old in left, fresh in left) == (False, True)
    assert browser.get("/uploads/").status_code == 200


def _add_requester(site, address, *, days_ago, password=None):
    account = models.Account.objects.add(address, models.Role.REQUESTER)
    if password is not None:
        account.set_password(password)
    account.added_at = timezone.now() - dt.timedelta(days=days_ago)
    account.save()
    return account


def test_retention_removes_accounts_that_requesters_have_never_used(site):
    days = site.pipeline.links.days + 8
    unused = _add_requester(site, "unused@example.org", days_ago=days)
    kept = [
        _add_requester(site, "fresh@example.org", days_ago=days - 2),
        _add_requester(site, "used@example.org", days_ago=days, password="x"),
        _add_requester(site, "asked@example.org", days_ago=days),
        _add_requester(site, "again@example.org", days_ago=days),
        _add_requester(site, "logged-in@example.org", days_ago=days),
        site.add_account(),
    ]
    site.open_case(kept[2])
    administration.send_link(site.pipeline, kept[3])
    models.Account.objects.filter(pk=kept[4].pk).update(last_login=timezone.now())
    models.Account.objects.filter(pk=kept[5].pk).update(
        password="!", added_at=unused.added_at
    )

    results = retention.remove_leftovers(site.pipeline, dry_run=False)

    assert (results[-1].found, results[-1].removed) == (1, 1)
    assert set(models.Account.objects.all()) == set(kept)
    assert retention.remove_leftovers(site.pipeline, dry_run=True)[-1].found == 0


@pytest.fixture
def restored(site, portal_url, postgres, tmp_path):
    """Another database, to which a backup of one with a logged-in account is loaded."""
    site.log_in(site.browser(), site.add_account().username)
    path = tmp_path / "database.dump"
    with dumps.open_snapshot(site.pipeline.store) as snapshot:
        program = programs.find_program("pg_dump", snapshot.server)
        dumps.dump(portal_url, snapshot, program, path)
    program = programs.find_program("pg_restore", snapshot.server)
    with (
        postgres.database("template0") as url,
        contextlib.closing(engine.Store(url)) as store,
    ):
        dumps.load(store, url, program, path)
        with store.begin() as conn:
            yield conn


def test_a_restore_has_the_accounts_and_their_factors_but_no_session(restored):
    accounts = restored.execute(
        sa.text("SELECT username, password FROM portal.accounts_account")
    ).all()
    factors = restored.scalar(sa.text("SELECT count(*) FROM portal.mfa_authenticator"))

    ann = models.Account.objects.get()
    assert [tuple(each) for each in accounts] == [(ann.username, ann.password)]
    assert factors == Authenticator.objects.count() == 2
    assert Session.objects.count() > 0
    for table in SESSIONS:
        query = sa.text(f"SELECT count(*) FROM portal.{table}")  # noqa: S608 # ours
        assert restored.scalar(query) == 0
