"""Django is set up once in a process; its database is another one in each test."""

import contextlib
import dataclasses
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import installations
import pytest
from django import conf, db, test
from django.core import management

from cvms_pipeline.portal.site import configuration
from cvms_pipeline.settings import loading

_KEY = "the portal's key in tests, as long as it has to be"
_HOME = tempfile.TemporaryDirectory(prefix="cvms-portal-")


def _set_up() -> None:
    """Configure Django before test modules import what needs it."""
    import django

    if conf.settings.configured:  # the browser tier imports these fixtures, too
        return
    chosen = loading.load(home=_HOME.name, database_url="postgresql:///none")
    described = configuration.describe(chosen, url="postgresql:///none", key=_KEY)
    conf.settings.configure(**described)
    django.setup(set_prefix=False)


_set_up()


@pytest.fixture(scope="session")
def portal_template(postgres: Any, template: str) -> str:
    """A database with the portal's tables, to be cloned."""
    postgres.execute(f"CREATE DATABASE portal TEMPLATE {template}")
    _connect(loading.load(home=_HOME.name, database_url=postgres.url("portal")))
    management.call_command("migrate", verbosity=0)
    management.call_command("collectstatic", interactive=False, verbosity=0)
    db.connections.close_all()
    with contextlib.suppress(RuntimeError):  # it was done for the other tier
        test.utils.setup_test_environment()
    return "portal"


def _connect(chosen: loading.Settings, pipeline: Any = None) -> Any:
    """Let Django use this database; return our own facts for its settings."""
    described = configuration.describe(
        chosen, url=chosen.urls.portal, key=_KEY, pipeline=pipeline
    )
    db.connections["default"].close()
    db.connections["default"].settings_dict.update(described["DATABASES"]["default"])
    return described["CVMS"]


@pytest.fixture
def portal_url(postgres: Any, portal_template: str) -> Iterator[str]:
    """The URL of a database of the test's own."""
    with postgres.database(portal_template) as url:
        yield url
        db.connections.close_all()


@pytest.fixture
def site(
    portal_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    """The portal of an installation with the provider `mercy`."""
    import portals

    made = installations.opened(tmp_path / "home", portal_url, monkeypatch)
    facts = _connect(loading.load(), made.pipeline)
    with test.override_settings(CVMS=facts), made.pipeline:
        yield portals.Site(installation=made)


@pytest.fixture
def settings_(site: Any) -> Iterator[Any]:
    """Change our own facts in Django's settings, until the test ends."""
    with contextlib.ExitStack() as stack:

        def change(**facts: Any) -> None:
            changed = dataclasses.replace(conf.settings.CVMS, **facts)
            stack.enter_context(test.override_settings(CVMS=changed))

        yield change


@pytest.fixture(autouse=True, scope="session")
def _cheap_hashes() -> None:
    """Let a hash of a password cost little; that each log-in computes one is tested."""
    from cvms_pipeline.portal.accounts import passwords

    passwords.Hasher.time_cost, passwords.Hasher.memory_cost = 1, 64
