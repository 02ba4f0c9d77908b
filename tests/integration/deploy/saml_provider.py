"""A log-in service that speaks SAML, for tests: it signs what it is told to say.

Its one page, for browsers, logs the person `proven` in and sends the answer by itself.
"""

import base64
import contextlib
import copy
import dataclasses
import datetime as dt
import http.server
import secrets
import threading
import zlib
from collections.abc import Callable, Iterator
from typing import Any
from urllib import parse

import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

ENTITY = "https://login.example.org/saml"
MFA = "https://refeds.org/profile/mfa"
ONE_FACTOR = "urn:oasis:names:tc:SAML:2.0:ac:classes:Password"
MAIL = "urn:oid:0.9.2342.19200300.100.1.3"
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
ADDRESS_FORMAT = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
NAME_ID = "Zebulon-Canarywood-77"
"""What the service calls people; nothing of it may stay."""

_NAMES = {
    "saml": "urn:oasis:names:tc:SAML:2.0:assertion",
    "samlp": "urn:oasis:names:tc:SAML:2.0:protocol",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
}
_ANSWER = """<samlp:Response xmlns:samlp="{samlp}" xmlns:saml="{saml}" ID="_r{unique}"
 Version="2.0" IssueInstant="{now}" Destination="{destination}"{response_to}>
<saml:Issuer>{issuer}</saml:Issuer>
<samlp:Status><samlp:StatusCode Value="{status}"/></samlp:Status>
<saml:Assertion ID="_a{unique}" Version="2.0" IssueInstant="{now}">
<saml:Issuer>{issuer}</saml:Issuer>
<saml:Subject><saml:NameID Format="{name_format}">{name_id}</saml:NameID>
<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">
<saml:SubjectConfirmationData{asserted_to} Recipient="{recipient}"{until}/>
</saml:SubjectConfirmation></saml:Subject>
<saml:Conditions NotBefore="{begin}" NotOnOrAfter="{end}">{audience}</saml:Conditions>
<saml:AuthnStatement AuthnInstant="{now}"><saml:AuthnContext>
<saml:AuthnContextClassRef>{context}</saml:AuthnContextClassRef>
</saml:AuthnContext></saml:AuthnStatement>
<saml:AttributeStatement>{attributes}</saml:AttributeStatement>
</saml:Assertion></samlp:Response>"""
_METADATA = """<md:EntityDescriptor entityID="{entity}"
 xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"
 xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><md:IDPSSODescriptor
 protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">{keys}
<md:SingleSignOnService Location="{url}"
 Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"/>
</md:IDPSSODescriptor></md:EntityDescriptor>"""
_KEY = (
    '<md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{}'
    "</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
)
_FORM = """<!DOCTYPE html><title>Log in</title><form method="post" action="{action}">
<input type="hidden" name="SAMLResponse" value="{answer}"></form>
<script>document.forms[0].submit()</script>"""


@dataclasses.dataclass(kw_only=True)
class Key:
    """A key that signs, and its certificate."""

    pem: bytes
    certificate: str


def make_key() -> Key:
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "login")])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(name, name, made.public_key())
    certificate = (
        builder.serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(made, hashes.SHA256())
    )
    pem = made.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    der = certificate.public_bytes(serialization.Encoding.DER)
    return Key(pem=pem, certificate=base64.b64encode(der).decode())


def write_attribute(name: str, *values: str) -> str:
    inside = "".join(f"<saml:AttributeValue>{v}</saml:AttributeValue>" for v in values)
    return f'<saml:Attribute Name="{name}">{inside}</saml:Attribute>'


def write_audience(name: str) -> str:
    inside = f"<saml:Audience>{name}</saml:Audience>"
    return f"<saml:AudienceRestriction>{inside}</saml:AudienceRestriction>"


def write_time(minutes: float = 0) -> str:
    at = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=minutes)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def read_request(url: str) -> Any:
    """Return the request that the address of our page holds."""
    (packed,) = parse.parse_qs(parse.urlsplit(url).query)["SAMLRequest"]
    return etree.fromstring(zlib.decompress(base64.b64decode(packed), -15))


def sign(
    element: Any, key: Key, *, algorithm: Any = xmlsec.Transform.RSA_SHA256
) -> None:
    """Sign an element as services do, after its issuer."""
    node = xmlsec.template.create(
        element, xmlsec.Transform.EXCL_C14N, algorithm, ns="ds"
    )
    element.insert(1, node)
    reference = xmlsec.template.add_reference(
        node, xmlsec.Transform.SHA256, uri=f"#{element.get('ID')}"
    )
    xmlsec.template.add_transform(reference, xmlsec.Transform.ENVELOPED)
    xmlsec.template.add_transform(reference, xmlsec.Transform.EXCL_C14N)
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(key.pem, xmlsec.KeyFormat.PEM)
    context.register_id(element, "ID")
    context.sign(node)


def find(document: Any, name: str) -> Any:
    """Return the first element of a name such as `saml:Assertion`."""
    return document.find(f".//{name}", _NAMES)


@dataclasses.dataclass(kw_only=True)
class Provider:
    """The service.

    Attributes:
        portal_url: Of the portal that it logs people in to.
        url: Of its own page.
    """

    portal_url: str
    url: str
    key: Key = dataclasses.field(default_factory=make_key)

    @property
    def receiver(self) -> str:
        return f"{self.portal_url}/accounts/sso/saml/"

    def write_metadata(self) -> str:
        """Return our metadata, in which the next key is already announced."""
        keys = "".join(_KEY.format(k.certificate) for k in (make_key(), self.key))
        return _METADATA.format(entity=ENTITY, url=self.url, keys=keys)

    def write(self, request_id: str, name: str = "proven", **other: str) -> Any:
        """Return an answer that is not signed yet; `other` replaces parts of it."""
        parts = {
            "unique": secrets.token_hex(8),
            "now": write_time(),
            "begin": write_time(-1),
            "end": write_time(5),
            "until": f' NotOnOrAfter="{write_time(5)}"',
            "issuer": ENTITY,
            "status": "urn:oasis:names:tc:SAML:2.0:status:Success",
            "destination": self.receiver,
            "recipient": self.receiver,
            "response_to": f' InResponseTo="{request_id}"',
            "asserted_to": f' InResponseTo="{request_id}"',
            "audience": write_audience(f"{self.receiver}metadata/"),
            "name_format": PERSISTENT,
            "name_id": NAME_ID,
            "context": MFA,
            "attributes": write_attribute(MAIL, f"{name}@mercy.example.org"),
        }
        text = _ANSWER.format(**_NAMES, **(parts | other))
        return etree.fromstring(text.replace("\n", ""))

    def answer(
        self,
        request_id: str,
        name: str = "proven",
        *,
        before: Callable[[Any], None] = lambda _: None,
        after: Callable[[Any], None] = lambda _: None,
        **other: str,
    ) -> str:
        """Return a signed answer; `before` and `after` change it around that."""
        document = self.write(request_id, name, **other)
        before(document)
        sign(find(document, "saml:Assertion"), self.key)
        after(document)
        return pack(document)


def pack(document: Any) -> str:
    """Return an answer as it is sent."""
    return base64.b64encode(etree.tostring(document)).decode()


def wrap(document: Any) -> None:
    """Put another assertion, which is not signed, where the signed one was."""
    signed = find(document, "saml:Assertion")
    forged = copy.deepcopy(signed)
    forged.set("ID", "_forged")
    forged.remove(find(forged, "ds:Signature"))
    find(forged, "saml:AttributeValue").text = "ann@mercy.example.org"
    document.replace(signed, forged)
    extensions = etree.SubElement(document, f"{{{_NAMES['samlp']}}}Extensions")
    document.insert(1, extensions)
    extensions.append(signed)


@contextlib.contextmanager
def running(portal_url: str) -> Iterator[Provider]:
    """Let the service's page answer on a host that is another site to a browser."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = made.answer(read_request(self.path).get("ID"))
            page = _FORM.format(action=made.receiver, answer=answer).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        url = f"http://localhost:{server.server_port}/log-in"
        made = Provider(portal_url=portal_url, url=url)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()
