"""The Django application of what all portals share."""

from django import apps


class SiteConfig(apps.AppConfig):
    """Templates, style and scripts."""

    name = "cvms_pipeline.portal.site"
    label = "site"
