"""Makes Dagster's and Celery's own tables, once, before anything else opens them.

Two processes that open a fresh Dagster home at the same time can break it; so
`cvms up` runs `python -m cvms_pipeline.defs.prepare` first.  It works as the role that
owns the tables; the services' own may make none.
"""

import dagster as dg

from cvms_pipeline import settings


def main() -> None:
    """Open the instance, the broker and the result backend once each."""
    settings.work_as_owner()
    from cvms_pipeline.defs import worker  # now, because it reads the settings

    with dg.DagsterInstance.get() as instance:
        instance.get_runs_count()
        instance.upgrade()
    with worker.app.connection_for_write() as connection:
        connection.default_channel.queue_declare(
            worker.app.conf.task_default_queue, passive=False
        )
    worker.app.backend.get_state("none")


if __name__ == "__main__":
    main()
