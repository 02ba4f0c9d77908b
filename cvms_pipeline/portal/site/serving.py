"""`python -m cvms_pipeline.portal.site.serving`: the portal, served by gunicorn.

One process with threads answers; another one watches it and replaces it when it dies.
What a first review needs is imported before the process is forked, by rehearsing one.
"""

import contextlib
import ctypes
import gc
import logging
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pyarrow
from django.conf import settings
from django.core import management
from django.core.wsgi import get_wsgi_application
from gunicorn.app import base
from gunicorn.glogging import Logger

from cvms_pipeline import bootstrap
from cvms_pipeline.portal.site import configuration
from cvms_pipeline.settings import loading
from cvms_pipeline.use_cases.provider_actions import rehearsal

_THREADS = 8
_STOP_SECONDS = 5
_REQUEST_SECONDS = 60
_M_ARENA_MAX = -8  # of glibc's malloc.h
_MAX_ARENAS = 2
_KEEP_SECONDS = 75
"""How long a connection is kept for the next request: longer than browsers and proxies
keep it, so that none of them sends into one that is being closed."""


class _QuietLogger(Logger):
    """Writes no text of an error: it may quote an address with a token, or a name."""

    def exception(self, msg: Any, *args: Any, **kwargs: Any) -> None:
        """Write the kind of error alone."""
        self.error("%s", type(sys.exception()).__name__)

    def warning(self, msg: Any, *args: Any, **kwargs: Any) -> None:
        """Write of a request that cannot be read the kind of error alone."""
        error = sys.exception()
        if error is None:
            super().warning(msg, *args, **kwargs)
        else:
            super().warning("A request was refused: %s", type(error).__name__)

    def debug(self, msg: Any, *args: Any, **kwargs: Any) -> None:
        """Write nothing."""


class _Portal(base.BaseApplication):
    """gunicorn with our settings."""

    def __init__(self, chosen: loading.Settings) -> None:
        """Read no command line and no file."""
        self._chosen = chosen
        super().__init__()

    def load_config(self) -> None:
        """Set what differs from gunicorn's defaults."""
        portal = self._chosen.portal
        host = f"[{portal.host}]" if ":" in portal.host else portal.host
        options = {
            "bind": f"{host}:{portal.port}",
            "workers": 1,
            "worker_class": "gthread",
            "threads": _THREADS,
            "preload_app": True,
            "timeout": _REQUEST_SECONDS,
            "graceful_timeout": _STOP_SECONDS,
            "keepalive": _KEEP_SECONDS,
            "logger_class": _QuietLogger,
            "loglevel": "warning",
            "forwarded_allow_ips": ",".join(portal.trusted_proxies),
            "proc_name": "cvms portal",
            "post_worker_init": _connect,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Return the application; a rehearsed review imports all that one needs."""
        _limit_arenas()
        configuration.set_up(self._chosen, bootstrap.open_pipeline(self._chosen))
        management.call_command("collectstatic", interactive=False, verbosity=0)
        application = get_wsgi_application()
        from django.urls import get_resolver
        from django.utils import formats, translation

        from cvms_pipeline.portal.provider import reviewing

        _ = get_resolver().url_patterns
        for language, _name in settings.LANGUAGES:
            with translation.override(language):  # reads what is said in it
                formats.get_format("DATE_FORMAT")  # imports how it writes dates
        reviewing.rehearse()
        gc.collect()
        gc.freeze()
        return application


def _limit_arenas() -> None:
    """Let threads share what they have freed.

    The C library gives each thread a heap of its own, and each kept what its largest
    file had needed.  Elsewhere than in glibc there is no such choice.
    """
    pyarrow.set_memory_pool(pyarrow.system_memory_pool())
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _MAX_ARENAS)


def _connect(_worker: Any) -> None:
    """Open the connection that the first review needs; none survives a fork."""
    rehearsal.connect(settings.CVMS.pipeline)


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    os.umask(0o077)
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stdout
    )
    for name in ("django", "allauth"):  # their messages hold addresses
        logging.getLogger(name).addHandler(logging.NullHandler())
        logging.getLogger(name).propagate = False
    chosen = loading.load()
    _prepare_counts(chosen.folders.counts.absolute())
    _Portal(chosen).run()


def _prepare_counts(folder: Path) -> None:
    """Let prometheus_client, which is not imported yet, keep its numbers in files."""
    shutil.rmtree(folder, ignore_errors=True)  # of processes that have ended
    folder.mkdir(parents=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)


if __name__ == "__main__":
    main()
