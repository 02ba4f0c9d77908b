"""What Django and allauth are told about the one log-in service, if there is one."""

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cvms_pipeline.settings import portal, variables

ID = "organisation"
"""What we call the service."""

_PROVIDERS = "allauth.socialaccount.providers"
_MARKS = ("IDPSSODescriptor", "SingleSignOnService", "X509Certificate")
"""What the metadata of a SAML service have, whatever else they have."""


def get_name(chosen: portal.Portal) -> str:
    """Return what people call the service; empty if there is none."""
    return chosen.sso_name if chosen.has_single_sign_on else ""


def list_apps(chosen: portal.Portal) -> tuple[str, ...]:
    """Return Django's apps for it."""
    if not chosen.has_single_sign_on:
        return ()
    protocol = "saml" if chosen.sso_saml_metadata else "openid_connect"
    return ("allauth.socialaccount", f"{_PROVIDERS}.{protocol}")


def describe(chosen: portal.Portal, *, home: Path) -> Mapping[str, Any]:
    """Return the settings for it, none if there is none; relative paths are in `home`.

    Raises:
        SettingError: If it cannot be used.
    """
    if not chosen.has_single_sign_on:
        return {}
    _check(chosen)
    providers = (
        {"saml": {"APPS": [_describe_saml(chosen, home)]}}
        if chosen.sso_saml_metadata
        else {"openid_connect": {"APPS": [_describe_openid_connect(chosen)]}}
    )
    return {
        "SOCIALACCOUNT_ADAPTER": "cvms_pipeline.portal.single_sign_on.adapter.Adapter",
        "SOCIALACCOUNT_PROVIDERS": providers,
        "SOCIALACCOUNT_LOGIN_ON_GET": True,  # a link: the browser's policy for forms
        "SOCIALACCOUNT_STORE_TOKENS": False,
        "SOCIALACCOUNT_EMAIL_VERIFICATION": "none",
    }


def _check(chosen: portal.Portal) -> None:
    """Refuse two services, and one whose packages are missing."""
    if chosen.sso_url and chosen.sso_saml_metadata:
        raise variables.SettingError(
            "CVMS_SSO_SAML_METADATA: there can be one log-in service; leave this out,"
            " or CVMS_SSO_URL"
        )
    name = "CVMS_SSO_URL" if chosen.sso_url else "CVMS_SSO_SAML_METADATA"
    package = "oauthlib" if chosen.sso_url else "onelogin"
    if importlib.util.find_spec(package) is None:
        raise variables.SettingError(
            f"{name}: single sign-on is not installed; for example:"
            " pip install 'cvms-pipeline[sso]'"
        )


def _describe_openid_connect(chosen: portal.Portal) -> Mapping[str, Any]:
    secret = chosen.sso_client_secret
    return {
        "provider_id": ID,
        "name": chosen.sso_name,
        "client_id": chosen.sso_client_id,
        "secret": secret.get_secret_value() if secret else "",
        "settings": {"server_url": chosen.sso_url, "oauth_pkce_enabled": True},
    }


def _describe_saml(chosen: portal.Portal, home: Path) -> Mapping[str, Any]:
    """Return what `saml` needs; allauth itself reads the id alone."""
    return {
        "provider_id": ID,
        "name": chosen.sso_name,
        "client_id": ID,
        "settings": {
            "metadata": _read_metadata(home / (chosen.sso_saml_metadata or "")),
            "entity_id": chosen.sso_client_id,
            "url": chosen.url,
        },
    }


def _read_metadata(file: Path) -> str:
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise variables.SettingError(
            f"CVMS_SSO_SAML_METADATA: {file} cannot be read; for example"
            " login.example.org.xml"
        ) from None
    if missing := [mark for mark in _MARKS if mark not in text]:
        raise variables.SettingError(
            f"CVMS_SSO_SAML_METADATA: {file} has no {missing[0]}: it is not the"
            " metadata of a SAML log-in service (an identity provider)"
        )
    return text
