"""What is stored before the portal is measured: uploads, recipients, accounts.

What is measured is `portal`.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from benchmarks import filling, running, uploading, visitors
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


def make_refused(each: int) -> dict[str, list[str]]:
    """Return usernames whose log-in is refused, by why; `each` of every kind."""
    from django.contrib.auth import hashers

    from cvms_pipeline.portal.accounts import models

    password = hashers.make_password(visitors.PASSWORD)
    groups = {
        why: [f"{why}{nth}@example.org" for nth in range(each)]
        for why in ("known", "unknown", "disabled", "invited")
    }
    for why in ("known", "disabled", "invited"):
        models.Account.objects.bulk_create(
            models.Account(
                username=name,
                email=name,
                role=models.Role.REQUESTER,
                is_active=why != "disabled",
                password="!" if why == "invited" else password,
            )
            for name in groups[why]
        )
    return groups
