"""The settings in groups; the text below each one is its description for users.

`.env.example` shows the descriptions and the examples.  What a setting changes is
documented where it is used.  The groups of the database and the
portal are in `database` and `portal`.
"""

import ipaddress
import re
import zoneinfo
from pathlib import Path
from typing import Annotated

import pydantic

from cvms_pipeline.domain.vocabulary import upload
from cvms_pipeline.settings import variables

MAX_PORT = 65_535
_METRICS_PORT_DISTANCE = 2
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")


def _check_address(value: str) -> str:
    if not _ADDRESS.fullmatch(value):
        raise ValueError("must be one e-mail address")
    return value


def _check_optional(value: str | None) -> str | None:
    return None if value is None else _check_address(value)


def _zero_if_empty(value: object) -> object:
    return 0 if value == "" else value


_Address = Annotated[str, pydantic.AfterValidator(_check_address)]
_OptionalAddress = Annotated[str | None, pydantic.AfterValidator(_check_optional)]
OptionalPort = Annotated[int | None, pydantic.BeforeValidator(_zero_if_empty)]
OptionalWebUrl = Annotated[str | None, variables.require_url("http", "https")]
_MailUrl = Annotated[
    str | None, variables.require_url("smtp", "smtp+starttls", "smtps")
]


class Folders(variables.Group):
    """Where the folders are; the paths that properties return start at `home`."""

    home: Path = variables.field("CVMS_HOME", Path(), example="/srv/cvms")
    """The folder with dagster.yaml; relative folders start here."""

    data_dir: Path = variables.field(
        "CVMS_DATA_DIR", Path("data"), example="/var/lib/cvms"
    )
    """The folder for everything that the pipeline keeps, unless it has its own."""

    incoming_dir: Path | None = variables.field(
        "CVMS_INCOMING_DIR", None, example="/mnt/uploads"
    )
    """Where providers drop files; default: data/incoming."""

    archive_dir: Path | None = variables.field(
        "CVMS_ARCHIVE_DIR", None, example="/mnt/archive"
    )
    """Where the received bytes are kept; default: data/archive."""

    reports_dir: Path | None = variables.field(
        "CVMS_REPORTS_DIR", None, example="/mnt/reports"
    )
    """Where error reports are kept; default: data/reports."""

    provider_group: str | None = variables.field(
        "CVMS_PROVIDER_GROUP", None, example="cvms-uploaders"
    )
    """The system group that may write into the providers' folders."""

    secrets_dir: Path | None = variables.field(
        "CVMS_SECRETS_DIR", None, example="/run/secrets"
    )
    """A folder in which a file called like a variable, CVMS_SMTP_URL for example,
    holds its value, as Docker and Kubernetes mount secrets; a variable takes
    precedence over its file."""

    @property
    def data(self) -> Path:
        """Return the data folder."""
        return self.home / self.data_dir

    @property
    def run(self) -> Path:
        """Return the folder in which `local` leaves what other processes need."""
        return self.data / "run"

    @property
    def counts(self) -> Path:
        """Return where the portal keeps what it counts for the metrics."""
        return self.run / "portal_counts"

    @property
    def secrets(self) -> Path | None:
        """Return the folder of secrets, or None.

        Raises:
            SettingError: If the folder is set and does not exist.
        """
        if self.secrets_dir is None:
            return None
        found = self.home / self.secrets_dir
        if not found.is_dir():
            raise variables.SettingError(
                f"CVMS_SECRETS_DIR: there is no folder {found}; for example"
                " /run/secrets"
            )
        return found

    def path(self, name: str) -> Path:
        """Return the folder `name`: a setting's, or one in the data folder."""
        chosen: Path | None = getattr(self, f"{name}_dir", None)
        return self.home / (chosen or self.data_dir / name)


class Mail(variables.Group):
    """Through which server messages go, from whom, and to whom in data-ops."""

    smtp_url: _MailUrl = variables.field(
        "CVMS_SMTP_URL",
        None,
        is_secret=True,
        example="smtp+starttls://user:password@mail.example.org:587",
    )
    """The mail server: smtps:// with TLS from the start, smtp+starttls:// with STARTTLS
    or not at all, smtp:// with STARTTLS where it is offered; without it messages go to
    a Maildir, data/mail."""

    sender: str = variables.field(
        "CVMS_MAIL_FROM",
        "Vaccine Management System <nccvms@dhhs.nc.gov>",
        min_length=3,
        example="Vaccines <vaccines@example.org>",
    )
    """The sender of every message."""

    data_ops: _Address = variables.field(
        "CVMS_DATA_OPS_EMAIL", "data-ops@example.org", example="data-ops@example.org"
    )
    """Who gets an e-mail when a run has failed or a folder is unknown."""

    help_desk: _OptionalAddress = variables.field(
        "CVMS_HELP_DESK_EMAIL", None, example="help-desk@example.org"
    )
    """Who gets an e-mail, with number and link alone, when a case is opened or its
    requester has answered; nobody by default."""


class Links(variables.Group):
    """The links with which recipients set their passwords."""

    secret_key: pydantic.SecretStr | None = variables.field(
        "CVMS_SECRET_KEY",
        None,
        is_secret=True,
        min_length=32,
        example="at-least-32-characters-of-random-text",
    )
    """Signs the set-password links; without it one is made and kept in the data
    folder."""

    valid_days: int = variables.field("CVMS_LINK_DAYS", 14, example="14", ge=1, le=365)
    """For how many days a set-password link is valid."""

    spot_url: Annotated[str, variables.require_url("http", "https")] = variables.field(
        "CVMS_SPOT_URL", "https://myspot.nc.gov", example="https://myspot.nc.gov"
    )
    """The page in invitations on which people find a place to be vaccinated."""


class Web(variables.Group):
    """Where the Dagster UI and the metrics are."""

    dagster_url: OptionalWebUrl = variables.field(
        "CVMS_DAGSTER_URL", None, example="https://dagster.example.org"
    )
    """The Dagster UI as data-ops reach it; default: host and port. Besides the names of
    this machine, the UI answers under no other host name."""

    host: str = variables.field("CVMS_HOST", "127.0.0.1", example="127.0.0.1")
    """The address the Dagster UI listens on; it has no log-in."""

    port: int = variables.field("CVMS_PORT", 3000, example="3000", ge=1, le=MAX_PORT)
    """The port of the Dagster UI."""

    is_read_only: bool = variables.field("CVMS_READ_ONLY", False, example="true")
    """Whether the Dagster UI only shows, and refuses every change."""

    metrics_host: ipaddress.IPv4Address = variables.field(
        "CVMS_METRICS_HOST", ipaddress.IPv4Address("127.0.0.1"), example="127.0.0.1"
    )
    """The address of the metrics; anything but 127.0.0.1 only where nobody else reaches
    it, such as the network of containers."""

    chosen_metrics_port: OptionalPort = variables.field(
        "CVMS_METRICS_PORT", None, example="3002", ge=0, le=MAX_PORT
    )
    """The port of the metrics for Prometheus; 0 or nothing after the = is off; default:
    two above the UI's port, so 3002."""

    @property
    def ui_url(self) -> str:
        """Return where data-ops find the Dagster UI, without a closing slash."""
        return (self.dagster_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def metrics_port(self) -> int:
        """Return the port of the metrics; 0 if they are off."""
        if self.chosen_metrics_port is not None:
            return self.chosen_metrics_port
        above = self.port + _METRICS_PORT_DISTANCE
        return above if above <= MAX_PORT else self.port - _METRICS_PORT_DISTANCE


class Processing(variables.Group):
    """How uploads are received and processed."""

    workers: int = variables.field("CVMS_WORKERS", 3, example="4", ge=1, le=256)
    """How many uploads are worked on at the same time."""

    timezone: zoneinfo.ZoneInfo = variables.field(
        "CVMS_TIMEZONE",
        zoneinfo.ZoneInfo("America/New_York"),
        example="America/New_York",
    )
    """The time zone whose calendar decides what `today` is for birth dates."""

    settle_seconds: float = variables.field(
        "CVMS_SETTLE_SECONDS", 2.0, example="5", ge=0, le=3600
    )
    """How long a file must be unchanged where the system cannot tell whether a writer
    still has it open."""

    unfinished_seconds: float = variables.field(
        "CVMS_UNFINISHED_SECONDS", 10.0, example="10", ge=0, le=3600
    )
    """How long a file must be unchanged that seems unfinished: it has no row yet, its
    last line has no line break, or it has grown after its writer had closed it."""

    max_bytes: int = variables.field(
        "CVMS_MAX_BYTES", upload.MAX_BYTES, example="10000000", ge=1
    )
    """The largest upload that is read, in bytes."""

    rejected_warning_percent: float = variables.field(
        "CVMS_REJECTED_WARNING_PERCENT", 20.0, example="20", ge=0, le=100
    )
    """Above this share of rejected rows a check warns data-ops."""


class Retention(variables.Group):
    """How much of what has finished is kept; the history of uploads is permanent."""

    live_partitions: int = variables.field(
        "CVMS_LIVE_PARTITIONS", 5_000, example="5000", ge=1, le=10_000
    )
    """How many uploads Dagster shows; beyond that the oldest finished ones go, with
    their runs. `cvms upload` still knows them."""

    run_days: int = variables.field("CVMS_RUN_DAYS", 30, example="30", ge=1, le=3650)
    """How many days runs are kept that belong to no shown upload."""

    rejected_rows_days: int = variables.field(
        "CVMS_REJECTED_ROWS_DAYS", 90, example="90", ge=1, le=3650
    )
    """How many days after an upload has finished its rejected rows and its error report
    are kept; their numbers and reasons stay."""

    removed_days: int = variables.field(
        "CVMS_REMOVED_DAYS", 30, example="30", ge=1, le=3650
    )
    """How many days after a recipient was removed the names, the birth date and the
    addresses are erased; a record without them stays."""

    draft_days: int = variables.field(
        "CVMS_DRAFT_DAYS", 90, example="90", ge=1, le=3650
    )
    """How many days a registration that was paused is kept for its recipient."""

    archive_days: int = variables.field(
        "CVMS_ARCHIVE_DAYS", 365, example="365", ge=1, le=3650
    )
    """How many days after an upload has finished the received file is kept, in the
    archive or in quarantine."""

    case_days: int = variables.field(
        "CVMS_CASE_DAYS", 365, example="365", ge=1, le=3650
    )
    """How many days after a case was closed its texts, names and files are kept; its
    number, kind, states and times stay."""

    work_days: int = variables.field("CVMS_WORK_DAYS", 7, example="7", ge=1, le=3650)
    """How many days the rows of an interrupted run are kept."""
