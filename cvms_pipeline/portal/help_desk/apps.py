"""The Django application of the help desk: its requesters' pages and its staff's."""

from django import apps


class HelpDeskConfig(apps.AppConfig):
    """Templates and pages."""

    name = "cvms_pipeline.portal.help_desk"
    label = "help_desk"
