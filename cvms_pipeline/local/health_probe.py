"""How the settings describe health: what is inspected, and when it is a problem.

The inspection is `maintenance.inspection`; here are only the processes of `cvms up`,
about which supervisord is asked.
"""

import datetime as dt
import functools

from cvms_pipeline.local import processes, supervisor
from cvms_pipeline.maintenance import health, inspection
from cvms_pipeline.settings import loading


def open_probe(
    settings: loading.Settings, *, has_processes: bool
) -> inspection.HealthProbe:
    """Return what takes snapshots of this installation.

    Args:
        settings: The settings.
        has_processes: Whether `cvms up` runs the processes.
    """
    folders = settings.folders
    list_processes = functools.partial(_list_processes, settings)
    return inspection.HealthProbe(
        get_url=lambda: settings.urls.store,
        folders={
            "data": folders.data,
            "incoming": folders.path("incoming"),
            "archive": folders.path("archive"),
        },
        list_processes=list_processes if has_processes else None,
        has_mail_server=settings.mail.smtp_url is not None,
        answered_within=dt.timedelta(hours=settings.delays.case_hours),
        now=loading.now,
    )


def get_limits(settings: loading.Settings) -> health.Limits:
    """Return from when on something is a problem."""
    return health.Limits(
        warning_after=dt.timedelta(minutes=settings.health.warning_minutes),
        critical_after=dt.timedelta(minutes=settings.health.critical_minutes),
        warning_free_percent=settings.health.warning_free_percent,
        critical_free_percent=settings.health.critical_free_percent,
    )


def _list_processes(settings: loading.Settings) -> list[health.Process]:
    """Return every process that `cvms up` runs, also those that do not run now."""
    facts = supervisor.list_process_facts(settings.folders.data)
    found = {each["name"]: each for each in facts}
    listed = []
    for name in processes.list_names(settings):
        fact = found.get(name, {})
        pid = fact.get("pid") or None
        process = health.Process(
            name=name,
            state=fact["statename"].lower() if fact else health.NOT_RUNNING,
            pid=pid,
            uptime_seconds=fact["now"] - fact["start"] if pid else None,
        )
        listed.append(process)
    return listed
