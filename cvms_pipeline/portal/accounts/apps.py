"""The Django application of the accounts."""

from django import apps


class AccountsConfig(apps.AppConfig):
    """Connects the audit when Django starts."""

    name = "cvms_pipeline.portal.accounts"
    label = "accounts"

    def ready(self) -> None:
        """Connect the signals."""
        from cvms_pipeline.portal.accounts import recording

        recording.connect()
