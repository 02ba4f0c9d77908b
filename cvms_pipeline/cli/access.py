"""How a command gets at the store: the one that runs, or one started for it.

Which database it is, the settings say.  Nothing here knows a table.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator

from cvms_pipeline import errors
from cvms_pipeline import settings as settings_
from cvms_pipeline.local import postgres
from cvms_pipeline.store import engine

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
    with running(settings) as url:
        if not engine.is_current(url):
            if settings.database_url is not None:
                raise DatabaseOld
            engine.upgrade(url)
        with contextlib.closing(engine.Store(url)) as store:
            yield store


@contextlib.contextmanager
def running(settings: settings_.Settings) -> Iterator[str]:
    """Have the database run; yield its URL."""
    if settings.database_url is not None:
        yield settings.store_url
        return
    with postgres.running(settings.data):
        yield settings.store_url


def is_at_hand(settings: settings_.Settings) -> bool:
    """Return whether the store answers quickly and is at the newest revision.

    Nothing is started for it; a server that does not answer is not waited for.
    """
    try:
        url = settings.store_url
    except (settings_.SettingError, OSError):
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
