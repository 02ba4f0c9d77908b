"""The way back from a log-in service that speaks SAML, and what it has to know of us.

These pages are not there without such a service.
"""

from collections.abc import Callable
from typing import Any

from allauth.core import ratelimit
from django import http, shortcuts
from django.conf import settings
from django.core import exceptions
from django.views.decorators import csrf
from django.views.decorators import http as methods

from cvms_pipeline.portal.accounts import models
from cvms_pipeline.portal.site import faults

_View = Callable[[http.HttpRequest], http.HttpResponseBase]


def _only_with_saml(view: _View) -> _View:
    def answer(request: http.HttpRequest) -> http.HttpResponseBase:
        if not settings.CVMS.is_saml:
            raise http.Http404
        return view(request)

    return answer


@csrf.csrf_exempt  # its form is the service's; the answer is signed, `finish` logs in
@methods.require_POST
@_only_with_saml
def receive(request: http.HttpRequest) -> http.HttpResponseBase:
    """Verify the answer, and lead to the page that has the session."""
    from cvms_pipeline.portal.single_sign_on import adapter, handover, saml

    if not ratelimit.consume(request, action="sso_answer"):
        return faults.too_many(request)
    answer = saml.read_answer(request)
    if answer is None:
        adapter.refuse(request, "failed")
    response = shortcuts.redirect("saml_finish")
    handover.give(response, answer)
    return response


@methods.require_GET
@_only_with_saml
def finish(request: http.HttpRequest) -> http.HttpResponseBase:
    """Log in whom the answer names, if this browser has asked for it, once."""
    from cvms_pipeline.portal.single_sign_on import adapter, handover, saml

    answer = handover.take(request)
    if answer is None:
        adapter.refuse(request, "failed")
    login = _begin_log_in(saml.get_provider(request), answer)
    try:
        login.state = login.provider.unstash_redirect_state(request, answer.request_id)
    except exceptions.PermissionDenied:  # not asked for here, or used before
        adapter.refuse(request, "failed")
    response = _finish_log_in(request, login)
    handover.forget(response)
    return response


@methods.require_safe
@_only_with_saml
def metadata(request: http.HttpRequest) -> http.HttpResponseBase:
    """Show what the service has to know about the portal."""
    from cvms_pipeline.portal.single_sign_on import saml

    kind = "application/samlmetadata+xml"
    return http.HttpResponse(saml.write_metadata(request), content_type=kind)


def _finish_log_in(request: http.HttpRequest, login: Any) -> http.HttpResponseBase:
    from allauth.socialaccount import helpers

    response: http.HttpResponseBase = helpers.complete_social_login(request, login)
    return response


def _begin_log_in(provider: Any, answer: Any) -> Any:
    """Return the log-in that allauth finishes; nothing of it is stored."""
    from allauth.account.models import EmailAddress
    from allauth.socialaccount.models import SocialAccount, SocialLogin

    account = SocialAccount(
        provider=provider.sub_id,
        uid=answer.request_id,  # nobody is known by what the service calls them
        extra_data={"contexts": answer.contexts},
    )
    addresses = [EmailAddress(email=a, verified=True) for a in answer.addresses]
    return SocialLogin(
        provider=provider,
        user=models.Account(),
        account=account,
        email_addresses=addresses,
    )
