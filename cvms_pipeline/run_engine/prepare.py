"""Creates Dagster's and Celery's own tables, once, before anything else opens them.

Two processes that open a new Dagster home at the same time can break it; so `cvms up`
runs `python -m cvms_pipeline.run_engine.prepare` first.  It works as the role that owns
the tables; the role of the services may not create any.
"""

import os
import sys

from cvms_pipeline.settings import loading


def main() -> None:
    """Open the instance, the broker and the result backend once each, as the owner."""
    chosen = loading.load()
    if chosen.urls.store != chosen.urls.owner:
        _start_again_as_owner(chosen.urls.owner)
    # Only now, because these imports take a second.
    import dagster as dg

    from cvms_pipeline.run_engine import worker

    app = worker.build_app(chosen)
    with dg.DagsterInstance.get() as instance:
        instance.get_runs_count()
        instance.upgrade()
    with app.connection_for_write() as connection:
        connection.default_channel.queue_declare(
            app.conf.task_default_queue, passive=False
        )
    app.backend.get_state("none")


def _start_again_as_owner(owner_url: str) -> None:
    """Replace this process by one with the owner's URL in its environment.

    The classes that `dagster.yaml` names read it there: they take no argument from us.
    """
    command = [sys.executable, "-m", "cvms_pipeline.run_engine.prepare"]
    os.execve(command[0], command, {**os.environ, "CVMS_DATABASE_URL": owner_url})  # noqa: S606  # the command is fixed


if __name__ == "__main__":
    main()
