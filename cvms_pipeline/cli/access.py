"""How a command gets at the store: the one that runs, or one started for it.

Which database it is, the settings say.  Nothing here knows a table.
"""

import contextlib
import os
import pwd
import threading
from collections.abc import Callable, Iterator

from cvms_pipeline import errors
from cvms_pipeline import settings as settings_
from cvms_pipeline.local import postgres
from cvms_pipeline.store import engine, roles

_PATIENCE_SECONDS = 2.0


class DatabaseOld(errors.PermanentError):
    """The tables are not those of this version. Run `cvms db upgrade`."""


@contextlib.contextmanager
def opened(settings: settings_.Settings) -> Iterator[engine.Store]:
    """Open the store, with the embedded server running for as long as it takes.

    The embedded database is brought to the newest revision; a database of the
    user's own is not touched.

    Raises:
        DatabaseOld: If the user's own database is not at the newest revision.
        StoreAway: If it cannot be reached.
    """
    with running(settings) as owner_url:
        if settings.database_url is not None:
            if not engine.is_current(settings.store_url):
                raise DatabaseOld
        elif not engine.is_current(owner_url, service(settings)):
            engine.upgrade(owner_url, service(settings))
        with contextlib.closing(
            engine.Store(settings.store_url, actor=actor())
        ) as store:
            yield store


def actor() -> str:
    """Return as whom the audit names the user of a command: the system's user."""
    try:
        return f"user:{pwd.getpwuid(os.getuid()).pw_name}"
    except KeyError:  # in a container, a number need not have a name
        return f"user:{os.getuid()}"


@contextlib.contextmanager
def running(settings: settings_.Settings) -> Iterator[str]:
    """Have the database run; yield its URL as the role that owns the tables.

    Raises:
        StoreAway: With what is to be done, if the user's own cannot be reached.
    """
    if settings.database_url is not None:
        try:
            yield settings.owner_url
        except engine.StoreAway as away:
            remedy = f"Start it, or check {settings_.PREFIX}DATABASE_URL."
            raise engine.StoreAway(f"{away} {remedy}") from None
        return
    with postgres.running(settings.data):
        yield settings.owner_url


def service(settings: settings_.Settings) -> roles.Service | None:
    """Return the role that the services have; of the embedded server it is ours."""
    return roles.of_url(settings.store_url, is_ours=settings.database_url is None)


def is_at_hand(settings: settings_.Settings) -> bool:
    """Return whether the store answers quickly and is at the newest revision.

    Nothing is started for it; a server that does not answer is not waited for.
    """
    try:
        url = settings.store_url
    except (errors.CvmsError, OSError):
        return False
    return _in_time(lambda: engine.is_current(url))


def _in_time(ask: Callable[[], bool]) -> bool:
    answers: list[bool] = []

    def answer() -> None:
        with contextlib.suppress(errors.CvmsError):
            answers.append(ask())

    asking = threading.Thread(target=answer, daemon=True)
    asking.start()
    asking.join(_PATIENCE_SECONDS)
    return any(answers)
