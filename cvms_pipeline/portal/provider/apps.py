"""The Django application of the provider's pages."""

from django import apps


class ProviderConfig(apps.AppConfig):
    """Templates and pages."""

    name = "cvms_pipeline.portal.provider"
    label = "provider"
