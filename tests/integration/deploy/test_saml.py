"""Log-in by a service that speaks SAML: it signs, and the portal is a process."""

import base64
import json

import browsers
import log_in_services
import pytest
import saml_provider
import xmlsec
from lxml import etree

from benchmarks import ports
from cvms_pipeline.portal.single_sign_on import service
from cvms_pipeline.settings import portal as portal_settings
from cvms_pipeline.settings import variables

RECEIVER = "/accounts/sso/saml/"
NAME = "State log-in"


@pytest.fixture(scope="module")
def portal(postgres, tmp_path_factory):
    """The portal with the service beside it; its accounts are added."""
    home, port = tmp_path_factory.mktemp("saml"), ports.find_free()
    chosen = {
        "CVMS_SSO_SAML_METADATA": "service.xml",
        "CVMS_SSO_NAME": NAME,
        "CVMS_SSO_PROOFS": f"{saml_provider.MFA},urn:example:card",
    }
    with (
        saml_provider.running(f"http://127.0.0.1:{port}") as provider,
        postgres.database("template0") as database_url,
    ):
        (home / "service.xml").write_text(provider.write_metadata(), "utf-8")
        with log_in_services.running(database_url, home, port=port, **chosen) as made:
            made.service = provider
            yield made


def _ask(portal, start="/accounts/sso/"):
    """Return a browser that was led to the service, and the id of its request."""
    someone = portal.visit()
    return someone, saml_provider.read_request(someone.get(start).url).get("ID")


def _bring(someone, answer):
    return someone.post_from_elsewhere(RECEIVER, SAMLResponse=answer)


def _log_in(portal, name="proven", start="/accounts/sso/", **other):
    someone, request_id = _ask(portal, start)
    return someone, _bring(someone, portal.service.answer(request_id, name, **other))


def _is_out(portal, someone):
    return someone.get("/uploads/").url.startswith(f"{portal.url}/accounts/login/")


def _list_entries(portal):
    """Return the audit, the latest first."""
    return json.loads(portal.cvms("audit", "--json"))


def test_who_has_proven_a_second_factor_there_needs_none_here(portal):
    someone, page = _log_in(portal, start="/accounts/sso/?next=/team/")

    assert page.url == f"{portal.url}/team/"
    assert someone.get("/uploads/").status == 200
    entry = _list_entries(portal)[0]
    assert entry["event"] == "logged-in"
    assert entry["details"]["by"] == "single-sign-on"
    assert entry["actor"] == "portal:proven@mercy.example.org"
    stored, log = portal.tell_stored(), portal.read_log()
    assert "organisation" in stored  # how the session was begun
    for said in (saml_provider.NAME_ID, "example.org", saml_provider.MFA):
        assert said not in stored
        assert said not in log


def test_a_real_browser_takes_the_way_over_another_site(portal, tmp_path):
    page = browsers.read_page(f"{portal.url}/accounts/sso/?next=/team/", tmp_path)

    assert "proven@mercy.example.org (you)" in page


FACTORS = [
    ("factor", saml_provider.ONE_FACTOR, "/accounts/factors/log-in/"),
    ("plain", saml_provider.ONE_FACTOR, "/accounts/factors/"),
    ("plain", "urn:example:card", "/bulk/"),  # the other value of CVMS_SSO_PROOFS
]


@pytest.mark.parametrize(("name", "context", "page"), FACTORS)
def test_who_has_proven_none_proves_or_sets_up_the_one_of_the_portal(
    portal, name, context, page
):
    someone, answer = _log_in(portal, name, context=context)

    assert answer.url == f"{portal.url}{page}"
    leads_on = f"{portal.url}{'/uploads/' if page == '/bulk/' else page}"
    assert someone.get("/uploads/").url == leads_on


def _write_mail(address, *, name=saml_provider.MAIL, more=""):
    return {"attributes": saml_provider.write_attribute(name, address) + more}


BY_NAME_ID = {
    "attributes": saml_provider.write_attribute("role", "nurse"),
    "name_format": saml_provider.ADDRESS_FORMAT,
    "name_id": "proven@mercy.example.org",
}
VERIFIED = saml_provider.write_attribute("email_verified", "true")
KNOWN = [
    _write_mail("Proven@Mercy.example.org", name="email", more=VERIFIED),
    BY_NAME_ID,
]


@pytest.mark.parametrize("said", KNOWN)
def test_the_address_is_found_where_services_put_it(portal, said):
    someone, _ = _log_in(portal, **said)

    assert someone.get("/uploads/").status == 200


UNKNOWN = [
    _write_mail("stranger@elsewhere.example.org"),
    _write_mail("off@mercy.example.org"),  # disabled
    _write_mail("ann@mercy.example.org", more=VERIFIED.replace("true", "false")),
    _write_mail("ann@mercy.example.org", name="urn:example:boss"),
    BY_NAME_ID | {"name_format": saml_provider.PERSISTENT},
]


@pytest.mark.parametrize("said", UNKNOWN)
def test_who_has_no_account_is_not_logged_in(portal, said):
    someone, page = _log_in(portal, **said)

    assert page.status == 403
    assert "There is no account with the e-mail address" in page.text
    assert _is_out(portal, someone)


def test_who_has_several_accounts_chooses_one(portal):
    someone, page = _log_in(portal, "twice", start="/accounts/sso/?next=/team/")
    assert page.url == f"{portal.url}/accounts/sso/choose/"
    assert _is_out(portal, someone)

    someone.get("/accounts/sso/choose/")
    chosen = someone.post("/accounts/sso/choose/", account="twice@mercy.example.org.2")

    assert chosen.url == f"{portal.url}/team/"
    assert "twice@mercy.example.org.2 (you)" in chosen.text


def _sign_message_only(provider, request_id):
    document = provider.write(request_id)
    saml_provider.sign(document, provider.key)
    return saml_provider.pack(document)


def _sign_weakly(provider, request_id):
    document, sha1 = provider.write(request_id), xmlsec.Transform.RSA_SHA1
    assertion = saml_provider.find(document, "saml:Assertion")
    saml_provider.sign(assertion, provider.key, algorithm=sha1)
    return saml_provider.pack(document)


def _sign_by_another(provider, request_id):
    document = provider.write(request_id)
    assertion = saml_provider.find(document, "saml:Assertion")
    saml_provider.sign(assertion, saml_provider.make_key())
    return saml_provider.pack(document)


def _change_afterwards(document):
    found = saml_provider.find(document, "saml:AttributeValue")
    found.text = "ann@mercy.example.org"


def _add_doctype(provider, request_id):
    signed = base64.b64decode(provider.answer(request_id))
    entity = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>'
    return base64.b64encode(entity + signed).decode()


def _other(**parts):
    return lambda provider, request_id: provider.answer(request_id, **parts)


ELSEWHERE = "https://elsewhere.example.org/accounts/sso/saml/"
REFUSED = {
    "unsigned": lambda p, r: saml_provider.pack(p.write(r)),
    "only the message is signed": _sign_message_only,
    "signed with SHA-1": _sign_weakly,
    "signed by another key": _sign_by_another,
    "changed after it was signed": _other(after=_change_afterwards),
    "another assertion wrapped around": _other(after=saml_provider.wrap),
    "for another audience": _other(audience=saml_provider.write_audience(ELSEWHERE)),
    "for any audience": _other(audience=""),
    # Times are written when the test runs, not when it is collected.
    "expired": lambda p, r: p.answer(r, end=saml_provider.write_time(-10)),
    "not valid yet": lambda p, r: p.answer(r, begin=saml_provider.write_time(30)),
    "without an end": _other(until=""),
    "expired for its bearer": lambda p, r: p.answer(
        r, until=f' NotOnOrAfter="{saml_provider.write_time(-10)}"'
    ),
    "for another address": _other(destination=ELSEWHERE),
    "asserted for another address": lambda p, r: p.answer(
        r, recipient=f"{ELSEWHERE}?{p.receiver}"
    ),
    "of another service": _other(issuer="https://other.example.org/saml"),
    "not a success": _other(status="urn:oasis:names:tc:SAML:2.0:status:AuthnFailed"),
    "to another request": _other(response_to=' InResponseTo="_x"'),
    "asserted for another request": _other(asserted_to=' InResponseTo="_x"'),
    "asserted for no request": _other(asserted_to=""),
    "to no request at all": _other(asserted_to="", response_to=""),
    "to a request of nobody": lambda p, _: p.answer("_x"),
    "with an entity": _add_doctype,
    "no XML": lambda *_: "PHg+",
    "no base64": lambda *_: "é%",
    "nothing": lambda *_: "",
}


@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED)
def test_an_answer_that_is_not_signed_for_us_and_now_logs_nobody_in(portal, make):
    someone, request_id = _ask(portal)

    page = _bring(someone, make(portal.service, request_id))

    assert page.status == 403
    assert "was not finished" in page.text
    assert _is_out(portal, someone)


def test_a_refusal_is_in_the_audit_without_what_was_said(portal):
    _log_in(portal, **UNKNOWN[0])
    _bring(portal.visit(), portal.service.answer("_x"))

    for entry in _list_entries(portal)[:2]:
        assert entry["event"] == "log-in-refused"
        assert entry["details"] == {"because": "single-sign-on"}
        assert "example.org" not in json.dumps(entry)


def test_an_answer_is_worth_one_log_in_of_the_browser_that_asked(portal):
    owner, request_id = _ask(portal)
    thief, other_request = _ask(portal)
    answer = portal.service.answer(request_id)

    stolen = _bring(thief, answer)
    used = _bring(owner, answer)
    owner.get("/accounts/logout/")
    owner.post("/accounts/logout/")
    again = _bring(owner, answer)

    assert (stolen.status, used.url) == (403, f"{portal.url}/bulk/")
    assert again.status == 403
    assert _is_out(portal, owner)
    assert _is_out(portal, thief)
    _bring(thief, portal.service.answer(other_request, "plain"))
    assert not _is_out(portal, thief)  # its own answer still works


def test_the_page_that_logs_in_needs_an_answer(portal):
    someone, _ = _ask(portal)

    page = someone.get(f"{RECEIVER}finish/", Cookie="cvms_answer=forged")

    assert page.status == 403
    assert _is_out(portal, someone)


def test_nobody_connects_the_service_to_an_account(portal):
    _, page = _log_in(portal, start="/accounts/sso/?process=connect")

    assert page.status == 403


def test_answers_of_one_address_are_limited(portal):
    floods = portal.visit()
    sent = {"X-Forwarded-For": "203.0.113.9"}

    statuses = [
        floods.send(RECEIVER, b"SAMLResponse=x", **sent).status for _ in range(61)
    ]

    assert statuses == [403] * 60 + [429]


def test_the_portal_tells_the_service_what_it_has_to_know(portal):
    page = portal.visit().get(f"{RECEIVER}metadata/")

    told = etree.fromstring(page.text.encode())
    names = {"md": "urn:oasis:names:tc:SAML:2.0:metadata"}
    (ours,) = told.findall("md:SPSSODescriptor", names)
    (receiver,) = ours.findall("md:AssertionConsumerService", names)
    assert told.get("entityID") == page.url == f"{portal.url}{RECEIVER}metadata/"
    assert told.get("validUntil") is None
    assert ours.get("WantAssertionsSigned") == "true"
    assert receiver.get("Location") == f"{portal.url}{RECEIVER}"
    assert receiver.get("Binding").endswith(":HTTP-POST")


def test_pages_of_another_kind_of_service_are_not_there(portal):
    assert portal.visit().get("/accounts/sso/callback/?code=x&state=y").status == 404


UNUSABLE = [
    ({"CVMS_SSO_URL": "https://login.example.org"}, "there can be one log-in service"),
    ({"CVMS_SSO_SAML_METADATA": "missing.xml"}, "cannot be read"),
    ({"CVMS_SSO_SAML_METADATA": "other.xml"}, "has no IDPSSODescriptor"),
]


@pytest.mark.parametrize(("wrong", "text"), UNUSABLE)
def test_a_service_that_cannot_be_used_is_explained(tmp_path, wrong, text):
    (tmp_path / "other.xml").write_text("<html/>", "utf-8")
    values = {"CVMS_SSO_SAML_METADATA": "service.xml", **wrong}
    chosen = portal_settings.Portal(**values)

    with pytest.raises(variables.SettingError, match=text):
        service.describe(chosen, home=tmp_path)
