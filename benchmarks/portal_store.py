"""What is stored before the portal is measured: uploads, recipients, accounts.

What is measured is `portal`.
"""

import uuid
from dataclasses import dataclass

import sqlalchemy as sa

from benchmarks import filling, logging_in, running, uploading, visitors
from cvms_pipeline.settings import loading

_SMALLER = "smaller"
PROVIDERS = (uploading.PROVIDER, _SMALLER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is stored, how often each thing is done, and by how many at once."""

    recipients: int
    of_smaller: int
    uploads: int
    rounds: int
    reviews: int
    users: int
    together_seconds: float
    idle_seconds: float
    cases: int
    recipients_with_password: int
    log_in_seconds: float
    refused_each: int


_UPLOADS = """
INSERT INTO cvms.uploads (
    id, folder, provider, lane, file_name, sha256, size, status, rows, loaded, updated,
    rejected, reasons, received_at, requested_at, started_at, decided_at, finished_at
)
SELECT
    CASE WHEN number < :of_recipients THEN 'stored-' ELSE 'history-' END || number,
    :provider, :provider, 'low_volume', 'staff ' || number || '.csv', md5('' || number),
    900, 'completed_with_errors', 10, 9,
    CASE WHEN number < :of_recipients THEN 0 ELSE 9 END, 1,
    '{"birth-date-invalid": 1}', at, at, at,
    at + interval '1 second', at + interval '1 second'
FROM (
    SELECT number, now() - number * interval '10 minutes' AS at
    FROM generate_series(0, :last) AS number
) AS invented
"""

_WITH_PASSWORD = """
UPDATE cvms.recipients
SET password_set_at = now()
WHERE id IN (
    SELECT id FROM cvms.recipients WHERE password_set_at IS NULL LIMIT :count
)
RETURNING id, lower(username) AS username, email
"""
_COUNT = "UPDATE cvms.providers SET recipients = :number WHERE slug = :slug"


def fill(installation: running.Installation, size: Size) -> None:
    """Store the uploads, as long decided, and the recipients that they have loaded."""
    of_first = size.recipients - size.of_smaller
    values = {
        "provider": uploading.PROVIDER,
        "of_recipients": of_first // 5_000,
        "last": max(size.uploads, of_first // 5_000) - 1,
    }
    shares = {uploading.PROVIDER: of_first, _SMALLER: size.of_smaller}
    stored = 0
    with installation.store.begin() as conn:
        conn.exec_driver_sql("SET LOCAL statement_timeout = 0")
        conn.execute(sa.text(_UPLOADS), values)
        for provider, count in shares.items():
            wanted = stored + count
            filling.fill(conn, stored=stored, wanted=wanted, provider=provider)
            conn.execute(sa.text(_COUNT), {"number": count, "slug": provider})
            stored = wanted
    with installation.store.statements() as conn:
        filling.settle(conn)
        conn.exec_driver_sql("VACUUM (ANALYZE) cvms.uploads")


def make_visitors(
    installation: running.Installation, count: int
) -> list[visitors.Visitor]:
    """Add accounts with one password, as `cvms accounts` cannot: it sets none.

    The last one is of the smaller provider.
    """
    from cvms_pipeline.portal.site import configuration

    data, environment = installation.data, installation.environment
    port = environment["CVMS_PORTAL_PORT"]
    chosen = loading.load(home=running.ROOT, data_dir=data, portal_port=port)
    configuration.set_up(chosen)
    from django.contrib.auth import hashers

    from cvms_pipeline.portal.accounts import models

    password = hashers.make_password(visitors.PASSWORD)
    names = [f"user{nth}@example.org" for nth in range(count + 1)]
    providers = [uploading.PROVIDER] * count + [_SMALLER]
    models.Account.objects.bulk_create(
        models.Account(
            username=name,
            email=name,
            role=models.Role.PROVIDER,
            provider=provider,
            password=password,
        )
        for name, provider in zip(names, providers, strict=True)
    )
    url = f"http://127.0.0.1:{port}"
    return [visitors.Visitor(url=url, username=name) for name in names]


def make_staff(installation: running.Installation) -> tuple[visitors.Visitor, object]:
    """Return somebody of the help desk, and the id of the account."""
    from django.contrib.auth import hashers

    from cvms_pipeline.portal.accounts import models

    account = models.Account.objects.create(
        username="desk@example.org",
        email="desk@example.org",
        role=models.Role.HELP_DESK,
        is_supervisor=True,
        password=hashers.make_password(visitors.PASSWORD),
    )
    url = f"http://127.0.0.1:{installation.environment['CVMS_PORTAL_PORT']}"
    return visitors.Visitor(url=url, username=account.username), account.pk


def make_recipients(installation: running.Installation, count: int) -> list[str]:
    """Return the usernames of so many loaded recipients, who have a password now."""
    from django.contrib.auth import hashers

    from cvms_pipeline.portal.accounts import models

    with installation.store.begin() as conn:
        chosen = conn.execute(sa.text(_WITH_PASSWORD), {"count": count}).all()
    password = hashers.make_password(visitors.PASSWORD)
    models.Account.objects.bulk_create(
        models.Account(
            username=each.username,
            email=each.email,
            role=models.Role.RECIPIENT,
            recipient=each.id,
            password=password,
        )
        for each in chosen
    )
    return [each.username for each in chosen]


def make_refused(installation: running.Installation, each: int) -> logging_in.Groups:
    """Return usernames whose log-in is refused, by why; `each` of every kind.

    Whoever is known has typed a wrong password, all others the right one.
    """
    from django.contrib.auth import hashers

    from cvms_pipeline.portal.accounts import models

    password = hashers.make_password(visitors.PASSWORD)
    groups = {
        why: [f"{why}{nth}@example.org.covid19vaccine" for nth in range(each)]
        for why in ("unknown", "removed", "disabled")
    }
    models.Account.objects.bulk_create(
        models.Account(
            username=name,
            email=name.removesuffix(".covid19vaccine"),
            role=models.Role.RECIPIENT,
            recipient=uuid.uuid4(),  # whom there is not, any more
            is_active=why != "disabled",
            password=password,
        )
        for why in ("removed", "disabled")
        for name in groups[why]
    )
    refused = {why: (names, visitors.PASSWORD) for why, names in groups.items()}
    known = make_recipients(installation, each)
    return {"known": (known, "a password that nobody has chosen"), **refused}
