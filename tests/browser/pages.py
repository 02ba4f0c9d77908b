"""Every page of the portal in every state: what `test_pages` looks at.

To add a page, add one entry for each state that looks different: its route as it is
written in docs/portal.md, who opens it, what has to be there before (`make`, which
returns the address if the route alone is not one), and what the person does on it
(`do`).  A unit test lists the routes that have no entry.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core import exceptions

from cvms_pipeline import errors
from cvms_pipeline.portal.site import limits, received_files
from cvms_pipeline.use_cases.provider_actions import withdraw
from tests.browser import visits

Make = Callable[[Any, Any], str]
"""From the site and the account: makes what the page shows, returns its address."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page in a state.

    Attributes:
        role: Who has logged in; None for nobody.
        facts: More about the account.
        status: Of the answer to `address`.
        ours: What is different in our own facts in Django's settings.
        django: What is different in Django's settings.
        fault: What is raised when a provider's uploads are listed.
        heading: Of the page, if it is another one than that of the route.
        scripted: The names of controls that do nothing without JavaScript; the page
            says so beside them.
        locale: What the browser asks for.
    """

    route: str
    state: str = "as it is"
    role: str | None = "provider"
    facts: Mapping[str, Any] = field(default_factory=dict)
    make: Make | None = None
    do: Callable[[visits.Visitor], None] | None = None
    status: int = 200
    ours: Mapping[str, Any] = field(default_factory=dict)
    django: Mapping[str, Any] = field(default_factory=dict)
    fault: Exception | None = None
    heading: str = ""
    scripted: tuple[str, ...] = ()
    locale: str = "en-US"

    def __str__(self) -> str:
        return f"{self.route} {self.state}"

    def prepare(self, site: Any) -> tuple[Any, str]:
        """Make what it needs; return the account and the address."""
        account = None
        if self.role is not None:
            account = site.add_account(role=self.role, **self.facts)
        return account, self.make(site, account) if self.make else self.route


def _press(button: str, /, **typed: str) -> Callable[[visits.Visitor], None]:
    """Return what a person does: type into the fields, and press a button."""

    def do(visitor: visits.Visitor) -> None:
        visitor.fill(**typed)
        visitor.press(button)

    return do


def _one_after_another(
    *steps: Callable[[visits.Visitor], None],
) -> Callable[[visits.Visitor], None]:
    def do(visitor: visits.Visitor) -> None:
        for step in steps:
            step(visitor)

    return do


def _make_link(site: Any, _account: Any) -> str:
    """Return the address of a link that works."""
    from cvms_pipeline.portal.accounts import administration

    invited = site.add_account("new@mercy.example.org", has_factor=False)
    link: str = administration.print_link(site.pipeline, invited)
    return "/" + link.split("/", 3)[3]


def _ask_for_code(site: Any, _account: Any) -> str:
    site.add_account("ann@mercy.example.org")
    return "/accounts/login/"


def _make_team(site: Any, account: Any) -> str:
    from cvms_pipeline.portal.accounts import administration, models

    models.Account.objects.add(
        "a.rather.long.name.of.a.colleague@department.of.mercy.example.org",
        models.Role.PROVIDER,
        provider="mercy",
    )
    off = site.add_account("off@mercy.example.org")
    administration.disable(site.pipeline, off)
    return "/team/"


def _add_key(account: Any) -> int:
    """Add a security key to an account; return its id."""
    from allauth.mfa.models import Authenticator
    from fido2 import cose, utils, webauthn

    public_key = cose.ES256.from_ctap1(b"\x04" + b"k" * 64)
    data = webauthn.AttestedCredentialData.create(b"\0" * 16, b"id" * 8, public_key)
    flags = webauthn.AuthenticatorData.FLAG.AT | webauthn.AuthenticatorData.FLAG.UP
    told = webauthn.AuthenticatorData.create(b"h" * 32, flags, 0, data)
    attestation = webauthn.AttestationObject.create("none", told, {})
    client = b'{"type": "webauthn.create", "challenge": "", "origin": ""}'
    credential = {
        "id": utils.websafe_encode(b"id" * 8),
        "rawId": utils.websafe_encode(b"id" * 8),
        "type": "public-key",
        "response": {
            "clientDataJSON": utils.websafe_encode(client),
            "attestationObject": utils.websafe_encode(attestation),
        },
    }
    facts = {"name": "The blue key", "passwordless": False, "credential": credential}
    made = Authenticator.objects.create(user=account, type="webauthn", data=facts)
    return int(made.pk)


def _with_key(path: str) -> Make:
    return lambda _site, account: path.format(_add_key(account))


def _change_password_too_often(site: Any, account: Any) -> str:
    browser = site.browser_of(account)
    for _ in range(int(limits.RATES["change_password"].split("/")[0])):
        browser.post("/accounts/password/", {"oldpassword": "a"})
    return "/accounts/password/"


def _forget_cookies(visitor: visits.Visitor) -> None:
    visitor.context.clear_cookies()


def _log_in_elsewhere(site: Any, account: Any) -> str:
    browser = site.browser(HTTP_USER_AGENT="Mozilla/5.0 (X11; a rather long name) " * 3)
    site.log_in(browser, account.username)
    return "/accounts/sessions/"


def _bring(content: Any, page: str = "", **where: Any) -> Make:
    """Return what drops and processes a file."""

    def make(site: Any, _account: Any) -> str:
        return f"/uploads/{site.installation.bring(content, **where)}/{page}"

    return make


def _receive(site: Any, _account: Any) -> str:
    return f"/uploads/{site.installation.receive(_GOOD)}/"


def _bring_several(site: Any, account: Any) -> str:
    for name in ("staff.csv", f"{'a_rather_long_name_' * 6}.csv"):
        _bring([*_GOOD, *_WRONG], file_name=name)(site, account)
    _bring(b"%PDF-1.7 no table")(site, account)
    _receive(site, account)
    return "/uploads/"


def _bring_withdrawn(site: Any, account: Any) -> str:
    """Take back an upload with rows of an earlier one."""
    first = _bring([*_GOOD, *_WRONG])(site, account)
    page = _bring(["Cy,Lee,1/2/1991,cy@b.example.org", *_WRONG[1:]])(site, account)
    withdraw.withdraw(site.pipeline, page.split("/")[2], why="the wrong file")
    assert first != page
    return page


def _bring_outstanding(site: Any, account: Any) -> str:
    for name in ("staff.csv", f"{'a_rather_long_name_' * 6}.csv"):
        _bring(_WRONG, file_name=name)(site, account)
    return "/outstanding/"


def _bring_many(site: Any, _account: Any) -> str:
    """Load more people than a page of the list has."""
    rows = [f"Ann,Person{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(60)]
    site.installation.bring(
        [f"{row},1/2/1990,{row[4:].lower()}@b.example.org" for row in rows]
    )
    return "/recipients/"


def _refuse_invitation(site: Any, account: Any) -> str:
    """Load somebody, correct the address, and have the invitation refused."""
    _bring(_GOOD)(site, account)
    _bring(["Ann,Lee,1/2/1990,a.rather.long.address@department.b.example.org"])(
        site, account
    )
    site.installation.execute(
        "UPDATE cvms.messages SET status = 'refused', sent_at = NULL,"
        " last_error = 'SMTP 550' WHERE kind = 'invitation'"
    )
    (found,) = site.installation.column("SELECT id FROM cvms.recipients")
    return f"/recipients/{found}/"


_FAR = {
    "with a sent invitation": "UPDATE cvms.messages SET status = 'sent',"
    " sent_at = now() WHERE kind = 'invitation'",
    "of somebody else": "UPDATE cvms.recipients SET denied_at = now()",
    "with a password": "UPDATE cvms.recipients SET password_set_at = now()",
    "who has registered": "UPDATE cvms.recipients SET password_set_at = now(),"
    " registered_at = now()",
}
"""What a recipient's page is like, and what makes it so."""


def _filter_by_step(visitor: visits.Visitor) -> None:
    visitor.page.locator("[name=step]").select_option("waiting")
    visitor.press("Search")


def _change_recipient(statement: str) -> Make:
    def make(site: Any, account: Any) -> str:
        _bring(_GOOD)(site, account)
        site.installation.execute(statement)
        (found,) = site.installation.column("SELECT id FROM cvms.recipients")
        return f"/recipients/{found}/"

    return make


def _refuse_address(site: Any, account: Any) -> str:
    _refuse_invitation(site, account)
    return "/recipients/to-correct/"


def _send(button: str, data: bytes) -> Callable[[visits.Visitor], None]:
    """Return what a person does: choose a file, and press a button."""

    def do(visitor: visits.Visitor) -> None:
        file = {"name": "staff.csv", "mimeType": "text/csv", "buffer": data}
        visitor.page.locator("[name=file]").set_input_files(file)
        visitor.press(button)

    return do


def _begin_review(rows: list[str], query: str = "") -> Make:
    """Return what sends a file to its review."""

    def make(site: Any, account: Any) -> str:
        from cvms_pipeline.use_cases.provider_actions import review

        shown = review.begin(
            site.pipeline,
            "\n".join([_HEADER, *rows]).encode(),
            file_name=f"{'a_rather_long_name_' * 4}.csv",
            provider="mercy",
            sent_by=str(account.pk),
        )
        assert shown.file is not None
        return f"/bulk/review/{shown.file.id}/{query}"

    return make


def _send_records(*, is_done: bool) -> Make:
    """Return what lets a reviewed file become an upload, loaded or not yet.

    One row was loaded meanwhile, so that it is named.
    """

    def make(site: Any, account: Any) -> str:
        from cvms_pipeline.use_cases.provider_actions import review

        review_id = _begin_review([*_GOOD, *_WRONG])(site, account).split("/")[3]
        if is_done:
            site.installation.bring(_GOOD)
        seen = {"2": "loads", "3": "rejected", "4": "rejected"}
        facts = {"provider": "mercy", "sent_by": str(account.pk), "seen": seen}
        review.create(site.pipeline, review_id, **facts)
        if is_done:
            site.installation.process(review_id)
        return f"/bulk/sent/{review_id}/"

    return make


def _bring_several_people(site: Any, account: Any) -> str:
    _bring_many(site, account)
    return "/bulk/"


_HEADER = "First name,Last name,Date of birth,Email"
_REVIEW = "/bulk/review/<str:review_id>/"
_SENT = "/bulk/sent/<str:upload_id>/"
_GOOD = ["Ann,Lee,1/2/1990,ann@b.example.org"]
_SWAPPED = ["Lee,Ann,1/2/1990,lee@b.example.org"]
_WRONG = [
    "Cy,,13/41/1991,cy@b.example.org",
    f"{'Wolfeschlegelsteinhausen' * 3},Lee,1/2/1990,not an address",
]
_WRONG_CODE = _press("Confirm", code="000000")
_NEW = {"has_factor": False}

PAGES = [
    Page(route="/accounts/login/", role=None),
    Page(
        route="/accounts/login/",
        state="with a wrong password",
        role=None,
        do=_press("Log in", login="ann@mercy.example.org", password="a wrong one"),
    ),
    Page(
        route="/accounts/login/",
        state="with empty fields",
        role=None,
        do=_press("Log in"),
    ),
    Page(
        route="/accounts/login/",
        state="after a log-out",
        do=lambda visitor: visitor.press("Log out"),
        make=lambda *_: "/uploads/",
    ),
    Page(
        route="/accounts/login/",
        state="in Spanish",
        role=None,
        locale="es-US",
        heading="Iniciar sesión",
        do=_press("Iniciar sesión", login="ann@mercy.example.org", password="a b"),
    ),
    Page(route="/accounts/logout/"),
    Page(route="/accounts/forgot/", role=None),
    Page(
        route="/accounts/forgot/",
        state="with nothing typed",
        role=None,
        do=_press("Send the link"),
    ),
    Page(route="/accounts/forgot/sent/", role=None),
    Page(route="/accounts/set-password/", state="by no link", role=None, status=410),
    Page(
        route="/accounts/set-password/", state="by a link", role=None, make=_make_link
    ),
    Page(
        route="/accounts/set-password/",
        state="with a bad password",
        role=None,
        make=_make_link,
        do=_press("Set the password", password="short", again="other"),
    ),
    Page(route="/accounts/password/"),
    Page(
        route="/accounts/password/",
        state="with wrong passwords",
        do=_press(
            "Change the password", oldpassword="a", password1="short", password2="other"
        ),
    ),
    Page(route="/accounts/confirm/"),
    Page(
        route="/accounts/confirm/",
        state="with a wrong password",
        do=_press("Confirm", password="a wrong one"),
    ),
    Page(
        route="/accounts/factors/",
        make=_with_key("/accounts/factors/"),
    ),
    Page(route="/accounts/factors/", state="without a second factor", facts=_NEW),
    Page(
        route="/accounts/factors/log-in/",
        role=None,
        make=_ask_for_code,
        do=_press(
            "Log in", login="ann@mercy.example.org", password="four blue horses 7"
        ),
    ),
    Page(
        route="/accounts/factors/log-in/",
        state="with a wrong code",
        role=None,
        make=_ask_for_code,
        do=_one_after_another(
            _press(
                "Log in", login="ann@mercy.example.org", password="four blue horses 7"
            ),
            _press("Log in", code="000000"),
        ),
    ),
    Page(route="/accounts/factors/confirm/"),
    Page(route="/accounts/factors/confirm/", state="with a wrong code", do=_WRONG_CODE),
    Page(route="/accounts/factors/app/", facts=_NEW),
    Page(
        route="/accounts/factors/app/",
        state="with a wrong code",
        facts=_NEW,
        do=_press("Set it up", code="000000"),
    ),
    Page(route="/accounts/factors/app/remove/"),
    Page(route="/accounts/factors/codes/"),
    Page(route="/accounts/factors/codes/new/"),
    Page(route="/accounts/factors/keys/", state="without a key"),
    Page(route="/accounts/factors/keys/", make=_with_key("/accounts/factors/keys/")),
    Page(route="/accounts/factors/keys/add/", scripted=("Add the key",)),
    Page(
        route="/accounts/factors/keys/confirm/",
        make=_with_key("/accounts/factors/keys/confirm/"),
        scripted=("Use a security key",),
    ),
    Page(
        route="/accounts/factors/keys/<int:pk>/remove/",
        make=_with_key("/accounts/factors/keys/{}/remove/"),
    ),
    Page(
        route="/accounts/factors/keys/<int:pk>/edit/",
        make=_with_key("/accounts/factors/keys/{}/edit/"),
    ),
    Page(
        route="/accounts/factors/keys/<int:pk>/edit/",
        state="with no name",
        make=_with_key("/accounts/factors/keys/{}/edit/"),
        do=_press("Save", name=""),
    ),
    Page(route="/accounts/sessions/"),
    Page(
        route="/accounts/sessions/",
        state="with another session",
        make=_log_in_elsewhere,
    ),
    Page(route="/", role="data_ops"),
    Page(
        route="/",
        state="for looking only",
        role="data_ops",
        facts={"is_read_only": True},
    ),
    Page(route="/gate/dagster/", role=None, status=401),
    Page(route="/gate/dagster/", state="for a provider", status=403),
    Page(route="/team/", make=_make_team),
    Page(
        route="/team/",
        state="with a wrong address",
        make=_make_team,
        do=_press("Invite", address="not an address"),
    ),
    Page(
        route="/team/",
        state="after an invitation",
        do=_press("Invite", address="bob@mercy.example.org"),
    ),
    Page(route="/bulk/", state="without any"),
    Page(route="/bulk/", make=_bring_several_people),
    Page(route="/bulk/", state="without a file", do=_press("Review file")),
    Page(route="/bulk/", state="with a PDF", do=_send("Review file", b"%PDF-1.7")),
    Page(route="/bulk/high-volume/"),
    Page(
        route="/bulk/high-volume/",
        state="with an empty file",
        do=_send("Submit file", b""),
    ),
    Page(route=_REVIEW, make=_begin_review([*_GOOD, *_GOOD, *_WRONG, *_SWAPPED])),
    Page(route=_REVIEW, state="without problems", make=_begin_review(_GOOD)),
    Page(
        route=_REVIEW,
        state="only with problems",
        make=_begin_review([*_GOOD, *_WRONG], "?only=problems"),
    ),
    Page(
        route=_REVIEW,
        state="of too many rows",
        make=_begin_review([f"A,B,1/2/1990,{n}@b.org" for n in range(101)]),
    ),
    Page(route=_REVIEW, state="removed", make=lambda *_: "/bulk/review/x/", status=404),
    Page(route=_SENT, state="waiting", make=_send_records(is_done=False)),
    Page(route=_SENT, make=_send_records(is_done=True)),
    Page(route="/uploads/", state="without any"),
    Page(route="/uploads/", make=_bring_several),
    Page(
        route="/uploads/",
        state="with a filter that nothing matches",
        make=_bring_several,
        do=_press("Filter", file_name="nothing"),
    ),
    Page(route="/uploads/<str:upload_id>/", state="waiting", make=_receive),
    Page(route="/uploads/<str:upload_id>/", state="loaded", make=_bring(_GOOD)),
    Page(
        route="/uploads/<str:upload_id>/",
        state="with rejected rows",
        make=_bring([*_GOOD, *_WRONG]),
    ),
    Page(
        route="/uploads/<str:upload_id>/",
        state="refused",
        make=_bring(b"%PDF-1.7 no table", file_name=f"{'a_rather_long_name_' * 6}.csv"),
    ),
    Page(
        route="/uploads/<str:upload_id>/correct/",
        make=_bring([*_GOOD, *_WRONG], page="correct/"),
    ),
    Page(
        route="/uploads/<str:upload_id>/correct/",
        state="with nothing corrected",
        make=_bring([*_GOOD, *_WRONG], page="correct/"),
        do=_press("Load the corrected rows"),
    ),
    Page(
        route="/uploads/<str:upload_id>/correct/",
        state="with nothing left",
        make=_bring(_GOOD, page="correct/"),
    ),
    Page(
        route="/uploads/<str:upload_id>/withdraw/",
        make=_bring([*_GOOD, *_WRONG], page="withdraw/"),
    ),
    Page(
        route="/uploads/<str:upload_id>/withdraw/",
        state="without a word",
        make=_bring([*_GOOD, *_WRONG], page="withdraw/"),
        do=_press("Withdraw this upload"),
    ),
    Page(route="/uploads/<str:upload_id>/", state="withdrawn", make=_bring_withdrawn),
    Page(route="/outstanding/", state="without any"),
    Page(route="/outstanding/", make=_bring_outstanding),
    Page(
        route="/uploads/<str:upload_id>/receipt/",
        make=_bring([*_GOOD, *_WRONG], page="receipt/"),
    ),
    Page(
        route="/uploads/<str:upload_id>/receipt/",
        state="of a refused file",
        make=_bring(b"%PDF-1.7 no table", page="receipt/"),
    ),
    Page(route="/recipients/", state="without any"),
    Page(route="/recipients/", make=_bring_many),
    Page(
        route="/recipients/",
        state="after a search",
        make=_bring_many,
        do=_press("Search", last_name="personb"),
    ),
    Page(route="/recipients/to-correct/", state="without any"),
    Page(route="/recipients/to-correct/", make=_refuse_address),
    Page(
        route="/recipients/<uuid:recipient_id>/",
        state="with a refused invitation",
        make=_refuse_invitation,
    ),
    *(
        Page(
            route="/recipients/<uuid:recipient_id>/",
            state=state,
            make=_change_recipient(statement),
        )
        for state, statement in _FAR.items()
    ),
    Page(
        route="/recipients/",
        state="filtered by how far they are",
        make=_bring_many,
        do=_filter_by_step,
    ),
    Page(
        route="/accounts/sso/saml/finish/",
        state="by nobody's answer",
        role=None,
        ours={"is_saml": True, "sso_name": "the State of North Carolina"},
        status=403,
    ),
    Page(
        route="/accounts/login/",
        state="with more fields than fit",
        role=None,
        make=lambda *_: f"/accounts/login/?{'a&' * 1001}",
        status=400,
    ),
    Page(
        route="/team/",
        state="without the cookies it was opened with",
        heading="This page was open for too long",
        do=_one_after_another(
            _forget_cookies, _press("Invite", address="bob@mercy.example.org")
        ),
    ),
    Page(
        route="/bulk/",
        state="with a file that is too large",
        do=_send("Review file", b"too large"),
        heading="The file is too large",
        django={"FILE_UPLOAD_MAX_MEMORY_SIZE": -received_files.FIELDS_BYTES},
    ),
    Page(
        route="/accounts/password/",
        state="too often",
        heading="Too many attempts",
        make=_change_password_too_often,
        do=_press(
            "Change the password", oldpassword="a", password1="short", password2="other"
        ),
    ),
    Page(
        route="/uploads/",
        state="that may not be seen",
        fault=exceptions.PermissionDenied(),
        status=403,
    ),
    Page(route="/uploads/", state="with a fault", fault=ValueError(), status=500),
    Page(
        route="/uploads/",
        state="while the database is away",
        fault=errors.TransientError(),
        status=503,
    ),
    Page(route="/nothing/", state="nobody logged in", role=None, status=404),
    Page(route="/nothing/", state="not found", status=404),
]

NO_PAGES = {
    "/accounts/sso/": "leads to the log-in service, if there is one",
    "/accounts/sso/callback/": "leads on from there",
    "/accounts/sso/saml/": "takes the form of a log-in service, and leads on",
    "/accounts/sso/saml/metadata/": "XML, for the log-in service",
    "/accounts/sso/choose/": "is there only with a log-in service",
    "/-/healthy": "one word, for programs",
    "/accounts/set-password/<str:token>/": "leads on to /accounts/set-password/",
    "/accounts/factors/codes/download/": "a file",
    "/language/": "takes a POST, and leads back to the page",
    "/session/": "JSON, for the dialog",
    "/team/<uuid:account_id>/": "takes a POST, and leads back to /team/",
    "/uploads/<str:upload_id>/BulkError.csv": "a file",
    "/uploads/<str:upload_id>/live/": "the upload's page, which asks for it by itself",
    "/bulk/template.csv": "a file",
    "/bulk/review/<str:review_id>/create/": "takes a POST, and leads to the alert",
    "/bulk/review/<str:review_id>/cancel/": "takes a POST, and leads to /bulk/",
    "/bulk/review/<str:review_id>/high-volume/": "takes a POST, leads to the upload",
    "/bulk/sent/<str:upload_id>/live/": "the alert, which asks for it by itself",
    "/recipients/<uuid:recipient_id>/resend/": "takes a POST, and leads back",
}
"""Routes of docs/portal.md that show nothing in a browser, and why."""
