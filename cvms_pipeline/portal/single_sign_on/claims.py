"""What the log-in service says about somebody: who it is, and how sure that is."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings


def prove_second_factor(facts: Mapping[str, Any]) -> bool:
    """Return whether a log-in came with the proof of a second factor.

    Only what is signed counts: the ID token of OpenID Connect, whose issuer and
    audience are verified, or the assertion of SAML.

    Args:
        facts: What allauth passes on with a log-in: `sociallogin` in case of single
            sign-on.
    """
    login = facts.get("sociallogin")
    if login is None:
        return False
    said = login.account.extra_data
    if settings.CVMS.is_saml:
        return bool(settings.CVMS.sso_proofs.intersection(said["contexts"]))
    token = said.get("id_token") or {}
    ways = token.get("amr") or []
    proofs = {token.get("acr"), *([ways] if isinstance(ways, str) else ways)}
    return bool(proofs & settings.CVMS.sso_proofs)


def list_verified_addresses(login: Any) -> list[str]:
    """Return the e-mail addresses that the service has verified."""
    return [each.email for each in login.email_addresses if each.verified]
