"""The settings of the web portal, and the URL and host names that follow from them."""

import urllib.parse
from pathlib import Path
from typing import Annotated

import pydantic

from cvms_pipeline.settings import groups, variables


def _demand_https(url: str | None) -> str | None:
    """Refuse plain HTTP: who answers there decides who is logged in."""
    parts = urllib.parse.urlsplit(url or "https:")
    if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "localhost"):
        raise ValueError("must start with https:")
    return url


class Portal(variables.Group):
    """The web portal: where it is, and who may use it how."""

    host: str = variables.field("CVMS_PORTAL_HOST", "127.0.0.1", example="127.0.0.1")
    """The address the portal listens on; anything but 127.0.0.1 only behind a proxy
    that speaks HTTPS."""

    chosen_port: groups.OptionalPort = variables.field(
        "CVMS_PORTAL_PORT", 8080, example="8080", ge=0, le=groups.MAX_PORT
    )
    """The port of the portal; 0 or nothing after the = is off."""

    public_url: groups.OptionalWebUrl = variables.field(
        "CVMS_PORTAL_URL", None, example="https://vaccines.example.org"
    )
    """The portal as people reach it, and where links in messages lead; default: host
    and port. With https:// its cookies are sent over HTTPS only."""

    host_names: str = variables.field(
        "CVMS_PORTAL_HOSTS", "", example="portal.internal,10.0.0.5"
    )
    """Further host names under which the portal answers, with commas between; the one
    of CVMS_PORTAL_URL and those of this machine are always among them."""

    proxies: str = variables.field(
        "CVMS_PORTAL_PROXIES", "127.0.0.1,::1", example="10.0.0.7"
    )
    """The addresses of the proxies whose X-Forwarded-For and X-Forwarded-Proto are
    believed, with commas between; those headers of anybody else are ignored."""

    is_second_factor_required: bool = variables.field(
        "CVMS_REQUIRE_SECOND_FACTOR", True, example="true"
    )
    """Whether providers and data-ops must have a second factor, such as an
    authenticator app, to use the portal."""

    sso_url: Annotated[
        groups.OptionalWebUrl, pydantic.AfterValidator(_demand_https)
    ] = variables.field(
        "CVMS_SSO_URL", None, example="https://login.example.org/realms/state"
    )
    """Single sign-on by OpenID Connect: the issuer, without /.well-known; none by
    default. Needs the extra `sso`."""

    sso_saml_metadata: Path | None = variables.field(
        "CVMS_SSO_SAML_METADATA", None, example="login.example.org.xml"
    )
    """Single sign-on by SAML in place of OpenID Connect: the file with the metadata of
    the log-in service; none by default. Needs the extra `sso`."""

    sso_name: str = variables.field(
        "CVMS_SSO_NAME", "your organisation", example="NCID"
    )
    """What people call the log-in service: the page offers "Log in with NCID"."""

    sso_client_id: str = variables.field("CVMS_SSO_CLIENT_ID", "", example="cvms")
    """The name under which the log-in service knows the portal. With SAML it is the
    entity ID; default: where the portal shows its own metadata."""

    sso_client_secret: pydantic.SecretStr | None = variables.field(
        "CVMS_SSO_CLIENT_SECRET", None, is_secret=True, example="what it gave you"
    )
    """The secret that goes with it; SAML has none."""

    sso_proofs: str = variables.field("CVMS_SSO_PROOFS", "mfa", example="mfa,hwk")
    """The values of the claims `amr` and `acr`, or in SAML of AuthnContextClassRef,
    that prove a second factor, with commas between; without one of them the portal asks
    for its own."""

    @property
    def port(self) -> int:
        """Return the port; 0 if the portal is off."""
        return self.chosen_port or 0

    @property
    def has_single_sign_on(self) -> bool:
        """Return whether a log-in service is chosen."""
        return self.sso_url is not None or self.sso_saml_metadata is not None

    @property
    def url(self) -> str:
        """Return where people find the portal, without a closing slash."""
        if self.public_url is not None:
            return self.public_url.rstrip("/")
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104  # compared, not bound
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def hosts(self) -> list[str]:
        """Return every host name, with brackets around one with colons."""
        named = [name.strip() for name in self.host_names.split(",")]
        urls = (self.url, f"http://{self.host}" if ":" not in self.host else "")
        found = [urllib.parse.urlsplit(each).hostname or "" for each in urls]
        every = ["localhost", "127.0.0.1", "::1", *found, *named]
        return sorted({f"[{e}]" if ":" in e else e for e in every if e})

    @property
    def trusted_proxies(self) -> frozenset[str]:
        """Return the addresses of the proxies whose headers are believed."""
        named = (name.strip() for name in self.proxies.split(","))
        return frozenset(name for name in named if name)
