"""Registration of people who ask the help desk without being a provider yet.

The answer is the same, in text, status and time, whether the address has an account or
not; only its owner is told, by mail.
"""

from collections.abc import Mapping

from allauth.core import ratelimit
from django import db, forms, http, shortcuts
from django.utils.translation import gettext_lazy as _
from django.views.decorators import http as methods

from cvms_pipeline.portal.accounts import administration, models, recording
from cvms_pipeline.portal.site import faults, pace
from cvms_pipeline.use_cases import pipelines

_OWN = (models.Role.REQUESTER, models.Role.PROVIDER)
"""The roles of accounts with which one can ask the help desk."""


class RegisterForm(forms.Form):
    """Who somebody is."""

    use_required_attribute = False  # the summary says what is missing
    first_name = forms.CharField(
        label=_("First name"),
        max_length=100,
        widget=forms.TextInput({"autocomplete": "given-name"}),
        error_messages={"required": _("Type your first name.")},
    )
    last_name = forms.CharField(
        label=_("Last name"),
        max_length=100,
        widget=forms.TextInput({"autocomplete": "family-name"}),
        error_messages={"required": _("Type your last name.")},
    )
    address = forms.EmailField(
        label=_("Business e-mail address"),
        max_length=254,
        widget=forms.EmailInput({"autocomplete": "email"}),
        help_text=_("It gets a message with a link to set your password."),
        error_messages={"required": _("Type your business e-mail address.")},
    )


@methods.require_http_methods(["GET", "HEAD", "POST"])
def register(request: http.HttpRequest) -> http.HttpResponse:
    """Ask who somebody is; a POST sends a link to the address."""
    form = RegisterForm(request.POST or None)
    if not form.is_valid():
        return faults.render_form(request, "help_desk/register.html", form)
    if not ratelimit.consume(request, action="register"):
        return faults.too_many(request)
    address = form.cleaned_data["address"].lower()
    with pace.answer_alike():
        if ratelimit.consume(request, action="account_messages", key=address):
            _send_link(recording.open_pipeline(request), address, form.cleaned_data)
    return shortcuts.redirect("registered")


@methods.require_safe
def show_registered(request: http.HttpRequest) -> http.HttpResponse:
    """Say what happens next."""
    return shortcuts.render(request, "help_desk/registered.html")


def _send_link(
    pipeline: pipelines.Pipeline, address: str, typed: Mapping[str, str]
) -> None:
    """Send a link to set a password: to a new account, or to the one that there is.

    A disabled account stays disabled, and nobody is told.
    """
    names = {name: typed[name] for name in ("first_name", "last_name")}
    known = models.Account.objects.filter(email__iexact=address, role__in=_OWN)
    account = known.filter(is_active=True).order_by("-role").first()
    reason = administration.LinkReason.INVITED
    if account is None:
        if known.exists():
            return
        account = _add(pipeline, address, names)
    elif account.has_usable_password():
        reason = administration.LinkReason.FORGOTTEN
    elif account.role == models.Role.REQUESTER:
        models.Account.objects.filter(pk=account.pk).update(**names)
    if account is not None:
        administration.send_link(pipeline, account, reason)


def _add(
    pipeline: pipelines.Pipeline, address: str, names: Mapping[str, str]
) -> models.Account | None:
    """Return a new account; None if another request has added it at this moment."""
    try:
        with db.transaction.atomic():
            return administration.add_account(
                pipeline, address, role=models.Role.REQUESTER, **names
            )
    except (administration.AccountExists, db.IntegrityError):
        return None
