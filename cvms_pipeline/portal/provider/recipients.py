"""The pages about loaded recipients: the list with its search, and one person.

The words of a search stay on the server, in the session: no address, title or log has
a name.  `describe_list` serves every page that contains the list.
"""

import dataclasses
import uuid
from collections.abc import Mapping, Sequence
from typing import Any
from urllib import parse

from allauth.core import ratelimit
from django import forms, http, shortcuts
from django.contrib import messages
from django.views.decorators import http as methods

from cvms_pipeline.portal.accounts import recording, roles
from cvms_pipeline.portal.provider import shown_steps
from cvms_pipeline.portal.site import faults
from cvms_pipeline.use_cases.provider_actions import loaded_recipients

_SEARCH = "recipients_search"
_RECIPIENTS = "recipients"
_PAGES = (_RECIPIENTS, "bulk", "bulk_high")
"""The pages that contain the list, to which a search returns."""

_MAX_TO_CORRECT = 200
"""How many addresses to correct are on their page."""

_TITLES = {
    "last_name": "Last name",
    "first_name": "First name",
    "birth_date": "Date of birth",
    "email": "E-mail",
    "loaded_at": "Loaded",
}


class SearchForm(forms.Form):
    """How the names begin of those who are looked for, and how far they are."""

    last_name = forms.CharField(
        required=False, max_length=200, label="Last name begins with"
    )
    first_name = forms.CharField(
        required=False, max_length=200, label="First name begins with"
    )
    step = forms.ChoiceField(
        required=False, label="Invitation", choices=shown_steps.list_choices
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """A column of the list, and the link that sorts by it."""

    title: str
    order: str  # as `aria-sort` says it; empty if the list is sorted by another
    link: str


@methods.require_http_methods(["GET", "HEAD", "POST"])
def list_recipients(request: http.HttpRequest) -> http.HttpResponse:
    """Show the list; a POST remembers what is searched for."""
    if request.method != "POST":
        context = describe_list(request)
        return shortcuts.render(request, "provider/recipients.html", context)
    page = request.POST.get("page")
    form = SearchForm({} if "all" in request.POST else request.POST)
    if form.is_valid():
        request.session[_SEARCH] = form.cleaned_data
    target = shortcuts.resolve_url(page if page in _PAGES else _RECIPIENTS)
    return shortcuts.redirect(f"{target}#loaded-recipients")


def describe_list(request: http.HttpRequest) -> Mapping[str, Any]:
    """Return what `provider/recipient_list.html` shows, for whoever is logged in."""
    searched = dict(request.session.get(_SEARCH, {}))
    step = searched.pop("step", "")
    asked = request.GET
    sort = asked.get("sort")
    wanted = loaded_recipients.Wanted(
        provider=roles.get_account(request).provider,
        sort=sort if sort in _TITLES else "last_name",
        is_descending=asked.get("order") == "descending",
        after=_read_id(asked.get("after")),
        before=_read_id(asked.get("before")),
        step=loaded_recipients.Step(step) if step else None,
        **searched,
    )
    page = loaded_recipients.list_recipients(recording.open_pipeline(request), wanted)
    first = _make_link(wanted)
    return {
        "records": page,
        "rows": [(each, *shown_steps.describe(each.step)) for each in page.recipients],
        "max_matches": loaded_recipients.MAX_MATCHES,
        "search": SearchForm(initial={**searched, "step": step}),
        "is_search": any((step, *searched.values())),
        "columns": _describe_columns(wanted),
        "first": first if page.has_earlier else "",
        "earlier": f"{first}&before={page.recipients[0].id}"
        if page.has_earlier
        else "",
        "later": f"{first}&after={page.recipients[-1].id}" if page.has_later else "",
    }


@methods.require_safe
def list_to_correct(request: http.HttpRequest) -> http.HttpResponse:
    """Show the addresses of all uploads that do not reach anybody."""
    provider = roles.get_account(request).provider
    found = loaded_recipients.list_addresses_to_correct(
        recording.open_pipeline(request), provider, limit=_MAX_TO_CORRECT
    )
    addresses = [(each, shown_steps.describe_why(each.error)) for each in found]
    context = {"addresses": addresses, "limit": _MAX_TO_CORRECT}
    return shortcuts.render(request, "provider/to_correct.html", context)


@methods.require_safe
def show_recipient(
    request: http.HttpRequest, recipient_id: uuid.UUID
) -> http.HttpResponse:
    """Show what is known of one recipient."""
    provider = roles.get_account(request).provider
    try:
        found = loaded_recipients.get_recipient(
            recording.open_pipeline(request), str(recipient_id), provider=provider
        )
    except loaded_recipients.RecipientUnknown:
        raise http.Http404 from None
    state, look = shown_steps.describe(found.step)
    step, error = found.step, found.invitation and found.invitation.last_error
    context = {
        "recipient": found,
        "state": state,
        "look": look,
        "why": shown_steps.describe_why(error) if error and step == "refused" else "",
        "is_denied": step == "denied",
        "can_resend": step in ("sent", "refused", "withdrawn"),
    }
    return shortcuts.render(request, "provider/recipient.html", context)


@methods.require_POST
def resend(request: http.HttpRequest, recipient_id: uuid.UUID) -> http.HttpResponse:
    """Send an invitation again: as it is if it was refused, with a new link if not."""
    key = str(recipient_id)
    if not (
        ratelimit.consume(request, action="resend")
        and ratelimit.consume(request, action="invitation", key=key)
    ):
        return faults.too_many(request)
    provider = roles.get_account(request).provider
    try:
        loaded_recipients.resend_invitation(
            recording.open_pipeline(request), str(recipient_id), provider=provider
        )
    except loaded_recipients.RecipientUnknown:
        raise http.Http404 from None
    except (loaded_recipients.NotToBeSent, loaded_recipients.NotRefused):
        messages.info(request, "Nothing was sent: the page says how far the person is.")
    else:
        messages.success(request, "The invitation is sent again.")
    return shortcuts.redirect("recipient", recipient_id)


def _read_id(text: str | None) -> str | None:
    """Return the id of a recipient in an address; None if it is none."""
    try:
        return str(uuid.UUID(text or ""))
    except ValueError:
        return None


def _describe_columns(wanted: loaded_recipients.Wanted) -> Sequence[_Column]:
    """Return the columns; another click on the present order turns it round."""
    columns = []
    for sort, title in _TITLES.items():
        is_current = sort == wanted.sort
        turned = dataclasses.replace(
            wanted, sort=sort, is_descending=is_current and not wanted.is_descending
        )
        order = "descending" if wanted.is_descending else "ascending"
        columns.append(
            _Column(
                title=title,
                order=order if is_current else "",
                link=_make_link(turned),
            )
        )
    return columns


def _make_link(wanted: loaded_recipients.Wanted) -> str:
    """Return the first page in an order, below the address of the present page."""
    order = "descending" if wanted.is_descending else "ascending"
    return f"?{parse.urlencode({'sort': wanted.sort, 'order': order})}"
