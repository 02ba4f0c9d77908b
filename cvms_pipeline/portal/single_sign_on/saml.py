"""SAML: what is asked of the log-in service, and which answer is believed.

python3-saml verifies signature, issuer, audience and times.  It does not demand that
the signed part names our address, an end, a request and an audience; that is done here.
allauth's own pages for SAML are not used, because they keep whole answers in the
database and take our address from the request.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any
from urllib import parse

import xmlsec
from allauth.socialaccount import adapter as allauth_adapter
from django import http, shortcuts, urls
from lxml import etree
from onelogin.saml2 import auth as saml_auth
from onelogin.saml2 import errors, idp_metadata_parser, settings, xml_utils

_FAULTS = (
    errors.OneLogin_Saml2_Error,
    errors.OneLogin_Saml2_ValidationError,
    etree.LxmlError,
    xmlsec.Error,
    ValueError,
)
_POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
_ASSERTION = "/samlp:Response/saml:Assertion"
_BEARERS = (
    f"{_ASSERTION}/saml:Subject/saml:SubjectConfirmation"
    "[@Method='urn:oasis:names:tc:SAML:2.0:cm:bearer']/saml:SubjectConfirmationData"
)
_AUDIENCES = f"{_ASSERTION}/saml:Conditions/saml:AudienceRestriction/saml:Audience"
_ADDRESS_FORMAT = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
_ADDRESS_NAMES = (
    "urn:oid:0.9.2342.19200300.100.1.3",  # mail
    "urn:oid:1.2.840.113549.1.9.1",  # emailAddress
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
    "mail",
    "email",
)
_VERIFIED_NAMES = ("email_verified", "http://schemas.auth0.com/email_verified")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the service says about somebody.

    Attributes:
        request_id: The request that it answers.
        addresses: The e-mail addresses that it asserts.
        contexts: How it has authenticated the person (AuthnContextClassRef).
    """

    request_id: str
    addresses: list[str]
    contexts: list[str]


def get_provider(request: http.HttpRequest) -> Any:
    """Return the service, as allauth knows it."""
    return allauth_adapter.get_adapter().get_provider(request, provider="saml")


def ask(request: http.HttpRequest) -> http.HttpResponseBase:
    """Lead to the service; the session remembers the request."""
    provider = get_provider(request)
    auth = _open(provider, {})
    address = auth.login(return_to="")
    provider.stash_redirect_state(
        request,
        **provider.get_redirect_from_request_kwargs(request),
        state_id=auth.get_last_request_id(),
    )
    return shortcuts.redirect(address)


def read_answer(request: http.HttpRequest) -> Answer | None:
    """Return what a signed answer says; None if it is not one for us, now."""
    auth = _open(get_provider(request), request.POST.dict())
    try:
        auth.process_response()
        if not auth.is_authenticated() or not _is_for_us(auth):
            return None
    except _FAULTS:
        return None
    return Answer(
        request_id=str(auth.get_last_response_in_response_to()),
        addresses=_list_addresses(auth),
        contexts=auth.get_last_authn_contexts(),
    )


def write_metadata(request: http.HttpRequest) -> str:
    """Return what the service has to know about us."""
    described = _describe(get_provider(request).app.settings)
    made = settings.OneLogin_Saml2_Settings(described, sp_validation_only=True)
    text: str | bytes = made.get_sp_metadata()
    return text if isinstance(text, str) else text.decode()


def _is_for_us(auth: saml_auth.OneLogin_Saml2_Auth) -> bool:
    """Return whether the assertion, which is signed, names all that bounds its use."""
    xml = xml_utils.OneLogin_Saml2_XML
    document = xml.to_etree(auth.get_last_response_xml())
    bearers, audiences = xml.query(document, _BEARERS), xml.query(document, _AUDIENCES)
    if len(bearers) != 1 or not audiences:
        return False
    (data,) = bearers
    here = auth.get_settings().get_sp_data()["assertionConsumerService"]["url"]
    asked = auth.get_last_response_in_response_to()
    return bool(
        data.get("NotOnOrAfter")
        and data.get("Recipient") == here
        and asked
        and data.get("InResponseTo") == asked
    )


def _list_addresses(auth: saml_auth.OneLogin_Saml2_Auth) -> list[str]:
    """Return the addresses of an answer; none if it calls them unverified."""
    said = auth.get_attributes()
    verified = [value for name in _VERIFIED_NAMES for value in said.get(name, [])]
    if not all(str(value).lower() in ("true", "1") for value in verified):
        return []
    found = [value for name in _ADDRESS_NAMES for value in said.get(name, [])]
    if auth.get_nameid_format() == _ADDRESS_FORMAT:
        found.append(auth.get_nameid())
    return list(dict.fromkeys(each for each in found if each))


def _open(provider: Any, posted: Mapping[str, str]) -> saml_auth.OneLogin_Saml2_Auth:
    """Return the toolkit for one request or answer."""
    facts = provider.app.settings
    parts = parse.urlsplit(facts["url"])
    received = {
        "https": "on" if parts.scheme == "https" else "off",
        "http_host": parts.netloc,
        "script_name": urls.reverse("saml_receive"),
        "get_data": {},
        "post_data": posted,
    }
    parser = idp_metadata_parser.OneLogin_Saml2_IdPMetadataParser
    theirs = parser.parse(facts["metadata"].encode())
    described = {**_describe(facts), "idp": theirs["idp"]}
    return saml_auth.OneLogin_Saml2_Auth(received, described)


def _describe(facts: Mapping[str, str]) -> dict[str, Any]:
    """Return the settings of the toolkit for our side."""
    about = f"{facts['url']}{urls.reverse('saml_metadata')}"
    here = f"{facts['url']}{urls.reverse('saml_receive')}"
    return {
        "strict": True,
        "sp": {
            "entityId": facts["entity_id"] or about,
            "assertionConsumerService": {"url": here, "binding": _POST},
        },
        "security": {
            "wantAssertionsSigned": True,
            "rejectDeprecatedAlgorithm": True,
            "wantNameId": False,
            "wantAttributeStatement": False,
            "requestedAuthnContext": False,
            "allowRepeatAttributeName": True,
            "metadataValidUntil": "",  # it is registered once, and stays true
            "metadataCacheDuration": "",
        },
    }
