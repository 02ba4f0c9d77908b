"""What is done to accounts: by data-ops on the command line, by colleagues in `team`.

Add, list, disable, enable, and the one-time links with which an owner sets a password:
they are made and verified in `use_cases.accounts`, and an account holds the nonce that
makes the newest one valid.  The caller has set up Django with `configuration.set_up`.
"""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from cvms_pipeline import errors
from cvms_pipeline.portal.accounts import middleware, models
from cvms_pipeline.use_cases import accounts, pipelines, providers

LinkReason = accounts.LinkReason
_DEMO_PASSWORD_BYTES = 15
LINK_ERRORS = (accounts.LinkExpired, accounts.LinkForged)


class AccountUnknown(errors.PermanentError):
    """There is no such account."""


class OwnLink(errors.PermanentError):
    """A recipient gets a link with "Forgot password", or is invited again."""


class AccountExists(errors.PermanentError):
    """There is such an account already."""


def is_migrated() -> bool:
    """Return whether the portal's tables are those of this version."""
    from django.db import connection
    from django.db.migrations import executor

    plan = executor.MigrationExecutor(connection)
    return not plan.migration_plan(plan.loader.graph.leaf_nodes())


def add_account(
    pipeline: pipelines.Pipeline,
    address: str,
    *,
    role: str,
    provider: str | None = None,
    **facts: Any,
) -> models.Account:
    """Add an account without a password; `send_link` or `print_link` follows.

    `facts` are more fields of the account, such as `is_read_only`.

    Raises:
        ProviderUnknown: If there is no such provider.
        AccountExists: If the address has an account of that role and provider.
    """
    if provider is not None:
        providers.get_provider(pipeline, provider)
    same = models.Account.objects.filter(
        email__iexact=address, role=role, provider=provider or ""
    )
    for found in same:
        raise AccountExists(
            f"{address} has this account already: {found.username}. Send its owner a"
            f" new link: cvms accounts link {found.username}"
        )
    added = models.Account.objects.add(
        address,
        models.Role(role),
        provider=provider or "",
        **facts,
    )
    _record(pipeline, accounts.Event.ACCOUNT_ADDED, added)
    return added


def send_link(
    pipeline: pipelines.Pipeline,
    account: models.Account,
    reason: LinkReason = LinkReason.INVITED,
) -> None:
    """Queue a message with a new link; after a crash the same call sends another.

    Raises:
        OwnLink: If it is the account of a recipient.
    """
    _check_link(account)
    accounts.queue_link(
        pipeline,
        account_id=str(account.pk),
        username=account.username,
        address=account.email,
        nonce=account.renew_nonce(),
        reason=reason,
    )


def print_link(pipeline: pipelines.Pipeline, account: models.Account) -> str:
    """Return a new link; the audit records it like one that is sent.

    Raises:
        OwnLink: If it is the account of a recipient.
    """
    _check_link(account)
    nonce = account.renew_nonce()
    link = accounts.make_link(pipeline, account_id=str(account.pk), nonce=nonce)
    _record(pipeline, accounts.Event.LINK_QUEUED, account, reason="printed")
    return link


def make_demo_account(
    pipeline: pipelines.Pipeline,
    address: str,
    *,
    role: str,
    provider: str = "",
    **facts: Any,
) -> tuple[models.Account, str]:
    """Return an account of the demonstration, added if it is new, and its password.

    The password is a new one each time, which ends every earlier session.
    """
    found = models.Account.objects.filter(email=address, role=role, provider=provider)
    account = found.first() or add_account(
        pipeline, address, role=role, provider=provider or None, **facts
    )
    password = secrets.token_urlsafe(_DEMO_PASSWORD_BYTES)
    account.set_password(password)
    account.is_active, account.link_nonce = True, ""
    account.save(update_fields=["password", "is_active", "link_nonce"])
    middleware.end_sessions(account)
    _record(pipeline, accounts.Event.PASSWORD_SET, account, reason="demonstration")
    return account, password


def add_first_manager(
    pipeline: pipelines.Pipeline, slug: str, *, asked_by: str, address: str
) -> None:
    """Let whoever has asked for it be the first manager of a new provider.

    The account of a requester becomes the provider's: with its username, its password
    and its cases, and from now on with a second factor.  Where somebody else has asked,
    an account is added for the address.  Called again, it does what is missing.
    """
    managers = models.Account.list_colleagues(slug)
    asker = models.Account.objects.filter(pk=asked_by).first()
    if asker is not None and asker.role == models.Role.REQUESTER:
        asker.role, asker.provider = models.Role.PROVIDER, slug
        asker.save(update_fields=["role", "provider"])
        middleware.end_sessions(asker)
        _record(pipeline, accounts.Event.ACCOUNT_ADDED, asker, reason="onboarding")
    elif asker is None or asker.provider != slug:
        found = managers.filter(email__iexact=address).first()
        account = found or add_account(
            pipeline, address, role=models.Role.PROVIDER, provider=slug
        )
        if not account.has_usable_password():
            send_link(pipeline, account)


def find_by_link(pipeline: pipelines.Pipeline, token: str) -> models.Account:
    """Return the account for which a link was made, if the link is valid.

    Raises:
        LinkExpired, LinkForged: If it is not.
    """
    account_id = accounts.verify_link(
        pipeline, token, find_nonce=models.Account.find_nonce
    )
    return models.Account.objects.get(pk=account_id)


def list_accounts(
    provider: str | None = None, *, role: str | None = None, limit: int | None = None
) -> Sequence[Mapping[str, Any]]:
    """Return the facts of accounts by username: of all but recipients, or as chosen.

    Args:
        provider: Only the accounts of this provider.
        role: Only those of this role; recipients only so.
        limit: At most so many.
    """
    found = models.Account.objects.order_by("username")
    if provider is not None:
        found = found.filter(provider=provider)
    if role is None:
        found = found.exclude(role=models.Role.RECIPIENT)
    else:
        found = found.filter(role=role)
    return [
        {
            "username": each.username,
            "address": each.email,
            "role": each.role,
            "provider": each.provider or None,
            "is_read_only": each.is_read_only,
            "is_supervisor": each.is_supervisor,
            "state": each.state,
            "last_login_at": each.last_login,
        }
        for each in found[:limit]
    ]


def end_log_in(recipient_id: str) -> None:
    """Take the account of a recipient away, with its sessions and second factors."""
    for account in models.Account.objects.filter(recipient=recipient_id):
        middleware.end_sessions(account)
        account.delete()


def find_account(username: str) -> models.Account:
    """Return the account.

    Raises:
        AccountUnknown: If there is none.
    """
    found = models.Account.objects.filter(username=username.lower()).first()
    if found is None:
        raise AccountUnknown(
            f"There is no account {username!r}. See `cvms accounts list`."
        )
    return found


def disable(pipeline: pipelines.Pipeline, account: models.Account) -> None:
    """Disable an account; its sessions and links end at once."""
    account.is_active = False
    account.link_nonce = ""
    account.save(update_fields=["is_active", "link_nonce"])
    middleware.end_sessions(account)
    _record(pipeline, accounts.Event.ACCOUNT_DISABLED, account)


def enable(pipeline: pipelines.Pipeline, account: models.Account) -> None:
    """Let the owner of a disabled account log in again."""
    account.is_active = True
    account.save(update_fields=["is_active"])
    _record(pipeline, accounts.Event.ACCOUNT_ENABLED, account)


def end_sessions(pipeline: pipelines.Pipeline, account: models.Account) -> int:
    """End all sessions of an account; return how many there were."""
    count = middleware.end_sessions(account)
    _record(pipeline, accounts.Event.SESSIONS_ENDED, account, sessions=count)
    return count


def _check_link(account: models.Account) -> None:
    if account.role == models.Role.RECIPIENT:
        raise OwnLink


def _record(
    pipeline: pipelines.Pipeline,
    event: accounts.Event,
    account: models.Account,
    **details: object,
) -> None:
    accounts.record(
        pipeline,
        event,
        account_id=str(account.pk),
        provider=account.provider or None,
        details=details,
    )
