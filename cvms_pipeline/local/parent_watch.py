"""supervisord that ends with its parent: `…local.parent_watch FD CONFIGURATION`.

The parent keeps the other end of the pipe FD and never writes to it.  When that end is
closed, by the parent or because the parent has ended in any way, supervisord gets
SIGTERM and stops everything that it runs.
"""

import os
import resource
import signal
import sys
import threading

from supervisor import loggers, supervisord  # type: ignore[import-untyped]

from cvms_pipeline.local import logs


def main(pipe: str, configuration: str) -> None:
    """Run supervisord on `configuration` until the pipe is closed."""
    # Also for everything that it starts: a core holds every row that was in memory.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    threading.Thread(target=_end_with_parent, args=[int(pipe)], daemon=True).start()
    loggers.RotatingFileHandler = logs.RotatedLog
    supervisord.main(["--nodaemon", "--configuration", configuration])


def _end_with_parent(pipe: int) -> None:
    os.read(pipe, 1)  # returns when the other end is closed
    os.close(pipe)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main(*sys.argv[1:])
