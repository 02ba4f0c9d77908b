"""What the frame of every page needs to know."""

from collections.abc import Mapping
from typing import Any

from django import http
from django.conf import settings
from django.utils import translation

from cvms_pipeline.portal.accounts import languages
from cvms_pipeline.portal.site import configuration, limits


def describe_page(request: http.HttpRequest) -> Mapping[str, Any]:
    """Return names, languages, and when the dialog about the session comes."""
    return {
        "system": _name_system(request),
        "other_languages": languages.list_others(request),
        "warning_seconds": limits.WARNING_SECONDS,
        "dagster_url": settings.CVMS.dagster_url,
        "sso_name": settings.CVMS.sso_name,
    }


def _name_system(request: http.HttpRequest) -> str:
    """Return the name of the system; recipients know their programme instead."""
    account = getattr(request, "user", None)
    if getattr(account, "recipient", None) is None:
        return translation.gettext(configuration.SYSTEM)
    return languages.get_programme_name()
