"""All addresses of the portal."""

from django import http
from django.urls import include, path
from django.views.decorators import http as methods

from cvms_pipeline.portal.accounts import roles


@methods.require_safe
def _answer_healthy(_request: http.HttpRequest) -> http.HttpResponse:
    """Answer a health check, without the database."""
    return http.HttpResponse("ok", content_type="text/plain")


_FAULTS = "cvms_pipeline.portal.site.faults"
handler400 = f"{_FAULTS}.bad_request"
handler403 = f"{_FAULTS}.forbidden"
handler404 = f"{_FAULTS}.not_found"
handler429 = f"{_FAULTS}.too_many"
handler500 = f"{_FAULTS}.server_error"

urlpatterns = [
    path("-/healthy", roles.open_to(_answer_healthy, is_for_all=True), name="healthy"),
    path("", include("cvms_pipeline.portal.accounts.urls")),
    path("", include("cvms_pipeline.portal.provider.urls")),
    path("", include("cvms_pipeline.portal.help_desk.urls")),
    path("", include("cvms_pipeline.portal.recipient.urls")),
]
