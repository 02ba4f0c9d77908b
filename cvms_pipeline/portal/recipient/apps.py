"""The Django application of the recipient portal."""

from django import apps


class RecipientConfig(apps.AppConfig):
    """Templates of the pages for recipients."""

    name = "cvms_pipeline.portal.recipient"
    label = "recipient"
