"""Opening the pipeline that the settings describe, for whichever way in asks.

The one place where settings meet stores, folders and mailers.
"""

import contextlib
import os
import secrets
from pathlib import Path

from cvms_pipeline import secret_settings, settings
from cvms_pipeline.files import archive, incoming, permissions, reports, work
from cvms_pipeline.ingest import pipeline, retention
from cvms_pipeline.notify import links, mailer
from cvms_pipeline.store import engine


def open_pipeline(chosen: settings.Settings) -> pipeline.Pipeline:
    """Return the pipeline; connections are made when they are first needed.

    Raises:
        NoDatabase: If there is none to open.
    """
    return pipeline.Pipeline(
        store=engine.Store(chosen.store_url, actor=settings.service_actor()),
        folders=open_folders(chosen),
        archive=archive.Archive(chosen.folder("archive")),
        reports=reports.Reports(chosen.folder("reports")),
        work=work.Work(chosen.folder("work")),
        mailer=mailer.for_url(chosen.smtp_url, chosen.folder("mail")),
        links=links.Links(
            secret=secret_key(chosen),
            base_url=chosen.portal_url,
            days=chosen.link_days,
        ),
        sender=chosen.mail_from,
        data_ops=chosen.data_ops_email,
        ui_url=chosen.ui_url,
        max_bytes=chosen.max_bytes,
        rejected_warning_percent=chosen.rejected_warning_percent,
        now=settings.now,
        zone=chosen.timezone,
    )


def open_folders(chosen: settings.Settings) -> incoming.Folders:
    """Return the incoming folder, which is made where it is missing."""
    root = chosen.folder("incoming")
    root.mkdir(
        mode=0o711 if chosen.provider_group else 0o700, parents=True, exist_ok=True
    )
    return incoming.Folders(
        root=root,
        settle_seconds=chosen.settle_seconds,
        max_bytes=chosen.max_bytes,
        group=chosen.provider_group,
    )


def check_permissions(chosen: settings.Settings) -> None:
    """Check that nobody else on this machine gets at personal data or a secret.

    Raises:
        OpenToOthers: Says what is open, and how to close it.
    """
    kept = ("archive", "reports", "work", "mail", "dagster", "logs")
    is_shared = chosen.provider_group is not None
    permissions.check(
        [
            _rule(chosen.data, permissions.NO_WRITING_OTHERS),
            *(_rule(chosen.folder(name), permissions.NO_OTHERS) for name in kept),
            _rule(
                chosen.folder("incoming"),
                permissions.NO_READING_OTHERS if is_shared else permissions.NO_OTHERS,
            ),
            _rule(chosen.run_folder, permissions.NOBODY_ELSE),
            *(_rule(file, permissions.NO_OTHERS) for file in _secret_files(chosen)),
        ]
    )


def _rule(path: Path, forbidden: int) -> permissions.Rule:
    return permissions.Rule(path=path, forbidden=forbidden)


def _secret_files(chosen: settings.Settings) -> list[Path]:
    """Return the files with secrets; what is mounted for us is not ours to judge."""
    names = ("secret_key", "database_url", "owner_url")
    env_file = chosen.home / ".env"
    own = [env_file] if secret_settings.are_in(env_file) else []
    return [*own, *(chosen.run_folder / name for name in names)]


def limits(chosen: settings.Settings) -> retention.Limits:
    """Return how much retention leaves."""
    return retention.Limits(
        live_partitions=chosen.live_partitions,
        run_days=chosen.run_days,
        rejected_rows_days=chosen.rejected_rows_days,
        archive_days=chosen.archive_days,
        work_days=chosen.work_days,
    )


def secret_key(chosen: settings.Settings) -> str:
    """Return the key that signs links: the setting's, or one made once and kept."""
    if chosen.secret_key is not None:
        return chosen.secret_key.get_secret_value()
    path = chosen.data / "run" / "secret_key"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        _keep_new_secret(path)
    return path.read_text("ascii")


def _keep_new_secret(path: Path) -> None:
    """Write a fresh secret whole, unless another process has been faster."""
    own = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(
        os.open(own, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w"
    ) as file:
        file.write(secrets.token_urlsafe(48))
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(own)
    own.unlink()
