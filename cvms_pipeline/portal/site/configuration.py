"""Django's settings, made from ours.

Each choice is written here once.  `set_up` is called by every process that uses Django,
before it imports a model; `settings` is for tools that want a module.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib import parse

import django
from django import conf

from cvms_pipeline import bootstrap
from cvms_pipeline.portal.single_sign_on import service
from cvms_pipeline.portal.site import limits
from cvms_pipeline.settings import loading
from cvms_pipeline.use_cases import pipelines

CONTENT_POLICY = (
    "default-src 'self'; object-src 'none'; base-uri 'none';"
    " frame-ancestors 'none'; form-action 'self'"
)
SYSTEM = "Vaccine Management System"

_PACKAGE = "cvms_pipeline.portal"
_SESSION = "-cstatement_timeout=30s -clock_timeout=10s"
_A_YEAR = 365 * 24 * 3600
_MAX_TYPED_BYTES = 1_000_000
_APPS = [
    f"{_PACKAGE}.site",
    f"{_PACKAGE}.accounts",
    f"{_PACKAGE}.provider",
    f"{_PACKAGE}.help_desk",
    f"{_PACKAGE}.recipient",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
]
_MIDDLEWARE = [
    f"{_PACKAGE}.site.middleware.trust_proxies",
    f"{_PACKAGE}.site.middleware.log_and_harden",
    "django.middleware.locale.LocaleMiddleware",
    f"{_PACKAGE}.site.received_files.refuse_large",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    f"{_PACKAGE}.accounts.languages.Languages",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    f"{_PACKAGE}.accounts.middleware.SessionLimits",
    f"{_PACKAGE}.accounts.middleware.Gate",
]
_CONTEXT = [
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
    f"{_PACKAGE}.site.context.describe_page",
]
_SILENCED = [
    "security.W005",  # HSTS for subdomains: they may be somebody else's
    "security.W021",  # HSTS preload lists: the same
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What our own code finds in Django's settings, as `settings.CVMS`.

    Attributes:
        pipeline: Serves every request, each under the name of its account.
        proxies: The addresses of the proxies whose forwarded headers are believed.
        device_cookie: The name of the cookie of a browser that was used before.
        is_second_factor_required: Of providers and data-ops.
        dagster_url: The Dagster UI as data-ops reach it.
        sso_name: What people call the service of single sign-on; empty without one.
        is_saml: Whether that service speaks SAML, and not OpenID Connect.
        sso_proofs: What that service has to say to prove a second factor.
    """

    pipeline: pipelines.Pipeline
    proxies: frozenset[str]
    device_cookie: str
    is_second_factor_required: bool
    dagster_url: str
    sso_name: str
    is_saml: bool
    sso_proofs: frozenset[str]


_TEMPLATES = {
    "BACKEND": "django.template.backends.django.DjangoTemplates",
    "APP_DIRS": True,
    "OPTIONS": {"context_processors": _CONTEXT},
}
_CACHE = {
    "BACKEND": "django.core.cache.backends.db.DatabaseCache",
    "LOCATION": "portal_cache",  # shared by all processes
}


def set_up(
    chosen: loading.Settings, pipeline: pipelines.Pipeline | None = None
) -> None:
    """Configure Django for this process; `pipeline` serves its requests, if any."""
    key = bootstrap.get_portal_key(chosen)
    described = describe(chosen, url=chosen.urls.portal, key=key, pipeline=pipeline)
    conf.settings.configure(**described)
    django.setup(set_prefix=False)


def describe(
    chosen: loading.Settings,
    *,
    url: str,
    key: str,
    pipeline: pipelines.Pipeline | None = None,
) -> dict[str, Any]:
    """Return Django's settings.

    Args:
        chosen: Our settings.
        url: The database, with the schema of the portal as search path.
        key: Signs cookies and encrypts the secrets of second factors.
        pipeline: What use cases work with; None where no request is served.
    """
    is_https = chosen.portal.url.startswith("https:")
    return {
        "SECRET_KEY": key,
        "DEBUG": False,
        "ALLOWED_HOSTS": chosen.portal.hosts,
        "INSTALLED_APPS": [*_APPS, *service.list_apps(chosen.portal)],
        "MIDDLEWARE": _MIDDLEWARE,
        "ROOT_URLCONF": f"{_PACKAGE}.site.urls",
        "TEMPLATES": [_TEMPLATES],
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "CACHES": {"default": _CACHE},
        "TIME_ZONE": str(chosen.processing.timezone),
        "USE_TZ": True,
        "LOGGING_CONFIG": None,  # `serving` decides what is logged
        "SILENCED_SYSTEM_CHECKS": _SILENCED,
        **_describe_database(url),
        **_describe_languages(is_https=is_https),
        **_describe_transport(is_https=is_https),
        **_describe_files(chosen),
        **_describe_accounts(is_https=is_https),
        **service.describe(chosen.portal, home=chosen.folders.home),
        "CVMS": Facts(
            pipeline=pipeline,  # type: ignore[arg-type]  # nobody asks without one
            proxies=chosen.portal.trusted_proxies,
            device_cookie=f"{'__Host-' if is_https else ''}cvms_device",
            is_second_factor_required=chosen.portal.is_second_factor_required,
            dagster_url=chosen.web.ui_url,
            sso_name=service.get_name(chosen.portal),
            is_saml=chosen.portal.sso_saml_metadata is not None,
            sso_proofs=frozenset(chosen.portal.sso_proofs.replace(",", " ").split()),
        ),
    }


def _describe_database(url: str) -> Mapping[str, Any]:
    found = parse.urlsplit(url)
    query = dict(parse.parse_qsl(found.query))
    options = f"{query.pop('options', '')} {_SESSION}"
    return {
        "DATABASES": {
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": parse.unquote(found.path[1:]),
                "USER": parse.unquote(found.username or ""),
                "PASSWORD": parse.unquote(found.password or ""),
                "HOST": found.hostname or query.pop("host", ""),
                "PORT": found.port or query.pop("port", ""),
                "OPTIONS": {
                    **query,
                    "options": options,
                    "application_name": "cvms portal",
                    "connect_timeout": 10,
                },
                "CONN_MAX_AGE": 600,
                "CONN_HEALTH_CHECKS": True,
            }
        }
    }


def _describe_languages(*, is_https: bool) -> Mapping[str, Any]:
    """Return which languages there are; each is named in itself."""
    return {
        "LANGUAGE_CODE": "en",
        "LANGUAGES": [("en", "English"), ("es", "Español")],
        "LOCALE_PATHS": [str(Path(__file__).parents[1] / "locale")],
        "LANGUAGE_COOKIE_NAME": f"{'__Host-' if is_https else ''}cvms_language",
        "LANGUAGE_COOKIE_AGE": _A_YEAR,
        "LANGUAGE_COOKIE_SECURE": is_https,
        "LANGUAGE_COOKIE_HTTPONLY": True,
        "LANGUAGE_COOKIE_SAMESITE": "Lax",
    }


def _describe_transport(*, is_https: bool) -> Mapping[str, Any]:
    """Return what depends on HTTPS: cookies, redirects, headers."""
    prefix = "__Host-" if is_https else ""
    return {
        "SESSION_COOKIE_NAME": f"{prefix}cvms_session",
        "CSRF_COOKIE_NAME": f"{prefix}cvms_csrf",
        "SESSION_COOKIE_SECURE": is_https,
        "CSRF_COOKIE_SECURE": is_https,
        "CSRF_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "CSRF_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_AGE": limits.IDLE_SECONDS,
        "CSRF_FAILURE_VIEW": f"{_PACKAGE}.site.faults.csrf_failure",
        "SECURE_SSL_REDIRECT": is_https,
        "SECURE_REDIRECT_EXEMPT": [r"^-/healthy$", r"^gate/"],
        "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https"),
        "SECURE_HSTS_SECONDS": _A_YEAR if is_https else 0,
        "SECURE_CONTENT_TYPE_NOSNIFF": True,
        # With `no-referrer`, browsers take the origin from our own forms, too, and
        # Django refuses them. Other sites get no referrer by this one either.
        "SECURE_REFERRER_POLICY": "same-origin",
        "SECURE_CROSS_ORIGIN_OPENER_POLICY": "same-origin",
        "X_FRAME_OPTIONS": "DENY",
    }


def _describe_files(chosen: loading.Settings) -> Mapping[str, Any]:
    """Return where files are: style and scripts, and what is being uploaded."""
    storage = "whitenoise.storage.CompressedManifestStaticFilesStorage"
    return {
        "STATIC_URL": "/static/",
        "STATIC_ROOT": str(chosen.folders.run.absolute() / "static"),
        "STORAGES": {
            "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
            "staticfiles": {"BACKEND": storage},
        },
        "FILE_UPLOAD_HANDLERS": [f"{_PACKAGE}.site.received_files.BoundedHandler"],
        "FILE_UPLOAD_MAX_MEMORY_SIZE": chosen.processing.max_bytes + 1,
        "DATA_UPLOAD_MAX_MEMORY_SIZE": _MAX_TYPED_BYTES,
        "DATA_UPLOAD_MAX_NUMBER_FIELDS": 1_000,
    }


def _describe_accounts(*, is_https: bool) -> Mapping[str, Any]:
    accounts = f"{_PACKAGE}.accounts"
    return {
        "AUTH_USER_MODEL": "accounts.Account",
        "AUTHENTICATION_BACKENDS": [f"{accounts}.passwords.Backend"],
        "PASSWORD_HASHERS": [f"{accounts}.passwords.Hasher"],
        "AUTH_PASSWORD_VALIDATORS": [
            {"NAME": f"{accounts}.passwords.LengthValidator"},
            {"NAME": f"{accounts}.passwords.OwnNameValidator"},
            {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
        ],
        "LOGIN_URL": "account_login",
        "LOGIN_REDIRECT_URL": "home",
        "ACCOUNT_ADAPTER": f"{accounts}.adapters.AccountAdapter",
        "ACCOUNT_LOGIN_METHODS": {"username"},
        "ACCOUNT_SIGNUP_FIELDS": ["username*", "password1*"],
        "ACCOUNT_EMAIL_VERIFICATION": "none",
        "ACCOUNT_UNIQUE_EMAIL": False,
        "ACCOUNT_PRESERVE_USERNAME_CASING": False,
        "ACCOUNT_SESSION_REMEMBER": True,
        "ACCOUNT_SESSION_COOKIE_AGE": limits.IDLE_SECONDS,
        "ACCOUNT_REAUTHENTICATION_METHODS": {"password", "mfa"},
        "ACCOUNT_RATE_LIMITS": limits.RATES,
        "ACCOUNT_FORMS": {"login": f"{accounts}.forms.LoginForm"},
        "MFA_ADAPTER": f"{accounts}.adapters.SecondFactorAdapter",
        "MFA_SUPPORTED_TYPES": ["totp", "webauthn", "recovery_codes"],
        "MFA_TOTP_ISSUER": SYSTEM,
        "MFA_TOTP_TOLERANCE": 1,  # a clock may be half a minute wrong
        "MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN": not is_https,
    }
