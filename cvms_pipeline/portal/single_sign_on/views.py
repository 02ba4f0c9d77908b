"""The way to the log-in service and back; not there if none is chosen.

Django and allauth make the request and verify the answer; with SAML, `saml` does.
"""

from django import http, shortcuts
from django.conf import settings
from django.views.decorators import http as methods

from cvms_pipeline.portal.single_sign_on import service


@methods.require_GET
def start(request: http.HttpRequest) -> http.HttpResponseBase:
    """Lead to the log-in service."""
    if not settings.CVMS.sso_name:
        raise http.Http404
    if settings.CVMS.is_saml:
        from cvms_pipeline.portal.single_sign_on import saml

        return saml.ask(request)
    import requests
    from allauth.socialaccount.providers.openid_connect import views

    try:
        response: http.HttpResponseBase = views.login(request, service.ID)
    except requests.RequestException:
        page = "accounts/sso_refused.html"
        return shortcuts.render(request, page, {"reason": "away"}, status=503)
    return response


@methods.require_GET
def finish(request: http.HttpRequest, provider_id: str) -> http.HttpResponseBase:
    """Log in whom the service names, by OpenID Connect."""
    if not settings.CVMS.sso_name or settings.CVMS.is_saml:
        raise http.Http404
    from allauth.socialaccount.providers.openid_connect import views

    response: http.HttpResponseBase = views.callback(request, provider_id)
    return response


@methods.require_http_methods(["GET", "HEAD", "POST"])
def choose(request: http.HttpRequest) -> http.HttpResponseBase:
    """Let somebody with several accounts choose one; only the POST logs in."""
    if not settings.CVMS.sso_name:
        raise http.Http404
    from allauth.account.utils import perform_login

    from cvms_pipeline.portal.single_sign_on import adapter

    login = None
    if request.method == "POST":
        login = adapter.take_choice(request, request.POST.get("account", ""))
    if login is not None:
        response: http.HttpResponseBase = perform_login(
            request,
            login.user,
            redirect_url=login.get_redirect_url(request),
            signal_kwargs={"sociallogin": login},
        )
        return response
    accounts = adapter.list_choices(request)
    if not accounts:
        return shortcuts.redirect("account_login")
    return shortcuts.render(request, "accounts/sso_choose.html", {"accounts": accounts})
