"""What the frame of every page needs to know."""

from collections.abc import Mapping
from typing import Any

from django import http
from django.conf import settings

from cvms_pipeline.portal.site import configuration, limits


def describe_page(request: http.HttpRequest) -> Mapping[str, Any]:
    """Return the name of the system, and when the dialog about the session comes."""
    return {
        "system": configuration.SYSTEM,
        "warning_seconds": limits.WARNING_SECONDS,
        "dagster_url": settings.CVMS.dagster_url,
        "sso_name": settings.CVMS.sso_name,
    }
