"""`python -m cvms_pipeline.local.leash FD CONF`: supervisord, tied to its parent.

The parent keeps the other end of the pipe FD and never writes.  When that end is
closed, because the parent asks for it or is gone, however it went, supervisord
gets SIGTERM and stops all it runs.
"""

import os
import resource
import signal
import sys
import threading

from supervisor import supervisord  # type: ignore[import-untyped]

from cvms_pipeline.local import restarts


def main(pipe: str, configuration: str) -> None:
    """Run supervisord on `configuration` until the pipe is closed."""
    restarts.limit()
    # For all that it starts: a core has every row that was in memory.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    threading.Thread(target=_follow, args=[int(pipe)], daemon=True).start()
    supervisord.main(["--nodaemon", "--configuration", configuration])


def _follow(pipe: int) -> None:
    os.read(pipe, 1)  # returns when nobody can write any more
    os.close(pipe)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main(*sys.argv[1:])
