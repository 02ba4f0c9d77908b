"""Setting the password of a recipient with a link: once, whoever else tries.

The link is in the pipeline's tables and the account in the portal's.  The account is
made without a password first, then the link is used, which only one can, then the
password is written: after a crash between, the recipient asks for another link.
Nothing of one database is locked while the other one is waited for.
"""

from typing import Any

from django.contrib.auth import hashers

from cvms_pipeline.portal.accounts import administration, middleware, models
from cvms_pipeline.use_cases import pipelines
from cvms_pipeline.use_cases.recipients import access

LinkEnded = access.LinkEnded
WrongUsername = access.WrongUsername
end_log_in = administration.end_log_in


def describe_account(owner: access.Owner) -> models.Account:
    """Return the account of a recipient, as passwords are checked for it.

    It is not stored, and holds the names that no password may hold.
    """
    return models.Account(
        username=owner.username.lower(),
        email=owner.email,
        role=models.Role.RECIPIENT,
        recipient=owner.recipient_id,
        first_name=owner.first_name,
        last_name=owner.last_name,
    )


def set_password(
    pipeline: pipelines.Pipeline, token: str, username: str, password: str
) -> models.Account:
    """Set the password of the recipient for whom a link works, and use the link.

    Every earlier session of the account ends.

    Args:
        pipeline: The pipeline.
        token: The last part of the link.
        username: What was typed.
        password: One that may be a password; the caller has checked it.

    Raises:
        LinkEnded: If the link does not work, or somebody was faster; then the password
            is another one, or none.
        WrongUsername: If the link is for another username; it still works.
    """
    described = describe_account(access.check_link(pipeline, token))
    if username.strip().lower() != described.username:
        raise WrongUsername
    hashed = hashers.make_password(password)
    account = _find_or_add(described)
    try:
        access.use_link(pipeline, token, username=username)
    except LinkEnded:
        _drop_unused(account)
        raise
    _write(pipeline, account, described, hashed)
    middleware.end_sessions(account)
    return account


def _find_or_add(described: models.Account) -> models.Account:
    """Return the account of a recipient, made without a password if there is none."""
    accounts = models.Account.objects
    same = accounts.filter(username=described.username, role=models.Role.RECIPIENT)
    # Usernames are unique among recipients: another one had it before a correction.
    same.exclude(recipient=described.recipient).delete()
    facts: dict[str, Any] = {
        "username": described.username,
        "email": described.email,
        "role": models.Role.RECIPIENT,
        "password": hashers.make_password(None),
    }
    found, _ = accounts.get_or_create(recipient=described.recipient, defaults=facts)
    return found


def _drop_unused(account: models.Account) -> None:
    """Take an account away that nobody has set a password for."""
    still = models.Account.objects.filter(pk=account.pk).first()
    if still is not None and not still.has_usable_password():
        still.delete()


def _write(
    pipeline: pipelines.Pipeline,
    account: models.Account,
    described: models.Account,
    hashed: str,
) -> None:
    """Write the password; a recipient who is removed meanwhile gets no account.

    Raises:
        LinkEnded: If the recipient was removed.
    """
    account.username, account.email = described.username, described.email
    account.password = hashed
    account.save()
    if not access.may_log_in(pipeline, str(account.recipient)):
        end_log_in(str(account.recipient))
        ended = LinkEnded()
        ended.why = access.Why.REMOVED
        raise ended
