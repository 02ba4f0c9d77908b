"""The composition root: opens what the settings describe, for every way in.

No other module builds stores, folders and mailers from settings.
"""

import contextlib
import datetime as dt
import functools
import hashlib
import hmac
import secrets
import stat
from pathlib import Path

from cvms_pipeline import disk, errors
from cvms_pipeline.database import engine, revisions, roles
from cvms_pipeline.domain.vocabulary import programme
from cvms_pipeline.files import access, archive, incoming
from cvms_pipeline.files.portal_files import reviewed
from cvms_pipeline.mail import links, maildir, mailer, smtp
from cvms_pipeline.maintenance import retention
from cvms_pipeline.settings import loading
from cvms_pipeline.settings import programme as settings_programme
from cvms_pipeline.use_cases import pipelines

DatabaseUnreachable = engine.StoreAway
"""The database cannot be reached now; a later retry can help."""


class DatabaseOutdated(errors.PermanentError):
    """The tables are not those of this version. Run `cvms db upgrade`."""


def open_pipeline(
    chosen: loading.Settings, *, actor: str | None = None
) -> pipelines.Pipeline:
    """Return the pipeline; it connects, reads and creates nothing before it must.

    Args:
        chosen: The settings that describe it.
        actor: The name of its user in the audit; default: this process, as part of
            the service.

    Raises:
        NoDatabase: If no database is set and there is no embedded one yet.
    """
    return pipelines.Pipeline(
        store=engine.Store(
            chosen.urls.store, actor=actor or loading.get_service_actor()
        ),
        folders=_describe_folders(chosen),
        archive=archive.Archive(chosen.folders.path("archive")),
        case_files=archive.Archive(chosen.folders.path("archive")).open_cases(),
        reports=archive.Reports(chosen.folders.path("reports")),
        work=archive.Work(chosen.folders.path("work")),
        reviews=reviewed.Reviews(chosen.folders.path("reviews")),
        mailer=open_mailer(chosen.mail.smtp_url, chosen.folders.path("mail")),
        links=links.Links(
            read_secret=functools.cache(functools.partial(_read_secret_key, chosen)),
            base_url=chosen.portal.url,
            days=chosen.links.valid_days,
        ),
        sender=chosen.mail.sender,
        data_ops=chosen.mail.data_ops,
        help_desk=chosen.mail.help_desk,
        ui_url=chosen.web.ui_url,
        spot_url=chosen.links.spot_url,
        programme=_describe_programme(chosen),
        delayed_after=dt.timedelta(minutes=chosen.delays.told_minutes),
        delay_mailed_after=dt.timedelta(minutes=chosen.delays.mailed_minutes),
        invitation_delay=dt.timedelta(minutes=chosen.delays.invitation_minutes),
        answered_within=dt.timedelta(hours=chosen.delays.case_hours),
        max_bytes=chosen.processing.max_bytes,
        rejected_warning_percent=chosen.processing.rejected_warning_percent,
        now=loading.now,
        zone=chosen.processing.timezone,
    )


def _describe_programme(chosen: loading.Settings) -> programme.Programme:
    """Return the programme as recipients see it, from its settings."""
    given = chosen.programme
    english, spanish = programme.Language.ENGLISH, programme.Language.SPANISH
    groups = settings_programme.split_list(given.vaccine_groups)
    return programme.Programme(
        names={english: given.name, spanish: given.name_es},
        purposes={english: given.purpose, spanish: given.purpose_es},
        groups={english: groups, spanish: given.spanish_groups},
        group_url=given.group_url,
        location_url=chosen.links.spot_url,
        counties=settings_programme.split_list(given.counties),
    )


def open_mailer(url: str | None, folder: Path) -> mailer.Mailer:
    """Return a mailer for the mail server at `url`, or for the Maildir `folder`.

    Raises:
        MailUrlWrong: If `url` cannot be used.
    """
    return maildir.MaildirMailer(folder) if url is None else smtp.SmtpMailer(url)


def create_missing(chosen: loading.Settings) -> None:
    """Create what the services expect: the incoming folder and the key of links."""
    create_folders(chosen)
    _read_secret_key(chosen)


def create_folders(chosen: loading.Settings) -> incoming.Folders:
    """Return the incoming folder; create it if it is missing."""
    folders = _describe_folders(chosen)
    mode = 0o711 if folders.group else 0o700
    folders.root.mkdir(mode=mode, parents=True, exist_ok=True)
    return folders


def _describe_folders(chosen: loading.Settings) -> incoming.Folders:
    return incoming.Folders(
        root=chosen.folders.path("incoming"),
        settle_seconds=chosen.processing.settle_seconds,
        unfinished_seconds=chosen.processing.unfinished_seconds,
        max_bytes=chosen.processing.max_bytes,
        group=chosen.folders.provider_group,
    )


def migrate(chosen: loading.Settings) -> None:
    """Migrate the pipeline's tables to this version, as the role that owns them.

    Raises:
        DatabaseUnreachable: If the database cannot be reached.
    """
    revisions.upgrade(chosen.urls.owner, get_service_role(chosen))


def is_migrated(chosen: loading.Settings, *, as_owner: bool = False) -> bool:
    """Return whether the tables are those of this version.

    Args:
        chosen: The settings.
        as_owner: Whether to ask as the role that owns the tables, and to return True
            only if the role of the services has access to them, too.

    Raises:
        DatabaseUnreachable: If the database cannot be reached.
    """
    if as_owner:
        return revisions.is_current(chosen.urls.owner, get_service_role(chosen))
    return revisions.is_current(chosen.urls.store)


def get_service_role(chosen: loading.Settings) -> roles.Service | None:
    """Return the role of the services; on the embedded server, one that we create."""
    return roles.Service.from_url(
        chosen.urls.store, is_ours=chosen.database.is_embedded
    )


def check_permissions(chosen: loading.Settings) -> None:
    """Check that no other user of this machine can read personal data or a secret.

    Raises:
        OpenToOthers: Names each path that is open, and the command that closes it.
    """
    private = ("archive", "reports", "work", "reviews", "mail", "dagster", "logs")
    # Where a group drops files, its members must be able to pass the incoming folder.
    is_shared = chosen.folders.provider_group is not None
    access.check_closed(
        {
            chosen.folders.data: stat.S_IWOTH,
            **{chosen.folders.path(name): stat.S_IRWXO for name in private},
            chosen.folders.path("incoming"): (
                stat.S_IROTH | stat.S_IWOTH if is_shared else stat.S_IRWXO
            ),
            chosen.folders.run: stat.S_IRWXG | stat.S_IRWXO,
            **dict.fromkeys(_secret_files(chosen), stat.S_IRWXO),
        }
    )


def _secret_files(chosen: loading.Settings) -> list[Path]:
    """Return our own files with secrets; mounted ones are the platform's concern."""
    names = ("secret_key", "database_url", "owner_url")
    env_file = chosen.folders.home / ".env"
    own = [env_file] if loading.has_secret(env_file) else []
    return [*own, *(chosen.folders.run / name for name in names)]


def get_portal_key(chosen: loading.Settings) -> str:
    """Return the key with which the portal signs its cookies: not the one of links."""
    key = _read_secret_key(chosen).encode()
    return hmac.new(key, b"cvms.portal", hashlib.sha256).hexdigest()


def get_retention_limits(chosen: loading.Settings) -> retention.Limits:
    """Return the limits of retention."""
    return retention.Limits(
        live_partitions=chosen.retention.live_partitions,
        run_days=chosen.retention.run_days,
        rejected_rows_days=chosen.retention.rejected_rows_days,
        removed_days=chosen.retention.removed_days,
        draft_days=chosen.retention.draft_days,
        archive_days=chosen.retention.archive_days,
        case_days=chosen.retention.case_days,
        work_days=chosen.retention.work_days,
    )


def _read_secret_key(chosen: loading.Settings) -> str:
    """Return the key that signs links: the setting's, or one created once."""
    if chosen.links.secret_key is not None:
        return chosen.links.secret_key.get_secret_value()
    path = chosen.folders.run / "secret_key"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        _create_secret_key(path)
    return path.read_text("ascii")


def _create_secret_key(path: Path) -> None:
    """Write a new random key, unless another process has been faster."""
    secret = secrets.token_urlsafe(48).encode("ascii")
    with (
        disk.write_beside(path, secret) as temporary,
        # A link never replaces a file, so every process reads the same key.
        contextlib.suppress(FileExistsError),
    ):
        path.hardlink_to(temporary)
