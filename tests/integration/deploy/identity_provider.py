"""`python identity_provider.py PORT FOLDER REDIRECT_URI`: a log-in service for tests.

allauth's own OpenID provider, on SQLite.  The usernames of its people say what is known
of them: whether their address is verified, and whether they prove a second factor.
"""

import sys
from pathlib import Path
from typing import Any
from wsgiref import simple_server

import django
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django import conf
from django.core import management, wsgi
from django.urls import include, path

PASSWORD = "what they type there"
CLIENT = "cvms"
SECRET = "what-the-service-has-given"
PEOPLE = {
    "proven": ("proven@mercy.example.org", True, ["pwd", "mfa"]),
    "plain": ("plain@mercy.example.org", True, ["pwd"]),
    "factor": ("factor@mercy.example.org", True, ["pwd"]),
    "unverified": ("ann@mercy.example.org", False, ["mfa"]),
    "stranger": ("stranger@elsewhere.example.org", True, ["mfa"]),
    "off": ("off@mercy.example.org", True, ["mfa"]),
    "twice": ("twice@mercy.example.org", True, ["mfa"]),
}
"""Username: address, whether it is verified, how somebody was authenticated."""


def _make_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def _configure(folder: Path) -> None:
    conf.settings.configure(
        SECRET_KEY="a key of a service that lives for a test",
        ALLOWED_HOSTS=["127.0.0.1"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": str(folder / "idp.sqlite"),
            }
        },
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
            "allauth",
            "allauth.account",
            "allauth.idp.oidc",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
            "allauth.account.middleware.AccountMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
        ROOT_URLCONF=__name__,
        AUTHENTICATION_BACKENDS=["allauth.account.auth_backends.AuthenticationBackend"],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        IDP_OIDC_PRIVATE_KEY=_make_key(),
        IDP_OIDC_ADAPTER=f"{__name__}.Adapter",
        SESSION_COOKIE_NAME="idp_session",  # cookies know no ports
        CSRF_COOKIE_NAME="idp_csrf",
    )
    django.setup()


def _add_people(redirect_uri: str) -> None:
    from allauth.account.models import EmailAddress
    from allauth.idp.oidc.models import Client
    from django.contrib.auth.models import User

    for name, (address, is_verified, _) in PEOPLE.items():
        user = User.objects.create_user(name, address, PASSWORD)
        EmailAddress.objects.create(
            user=user, email=address, verified=is_verified, primary=True
        )
    client = Client(id=CLIENT, name="Portal", skip_consent=True)
    client.set_scopes(["openid", "profile", "email"])
    client.set_redirect_uris([redirect_uri])
    client.set_secret(SECRET)
    client.save()


def __getattr__(name: str) -> Any:
    """Make what needs Django's settings: the addresses, and the adapter."""
    if name == "urlpatterns":
        return [
            path("", include("allauth.idp.urls")),
            path("accounts/", include("allauth.account.urls")),
        ]
    if name != "Adapter":
        raise AttributeError(name)
    from allauth.idp.oidc import adapter

    class Adapter(adapter.DefaultOIDCAdapter):
        def get_claims(self, purpose, user, client, scopes, **facts):
            claims = super().get_claims(purpose, user, client, scopes, **facts)
            return {**claims, "amr": PEOPLE[user.username][2]}

    return Adapter


def main() -> None:
    port, folder, redirect_uri = sys.argv[1:]
    sys.modules["identity_provider"] = sys.modules[__name__]
    _configure(Path(folder))
    management.call_command("migrate", verbosity=0)
    _add_people(redirect_uri)
    application = wsgi.get_wsgi_application()
    simple_server.make_server("127.0.0.1", int(port), application).serve_forever()


if __name__ == "__main__":
    main()
