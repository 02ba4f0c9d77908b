"""The Django application of the accounts."""

from django import apps


class AccountsConfig(apps.AppConfig):
    """Connects the audit when Django starts."""

    name = "cvms_pipeline.portal.accounts"
    label = "accounts"

    def ready(self) -> None:
        """Connect the signals."""
        from allauth.account import signals

        from cvms_pipeline.portal.accounts import languages, recording

        recording.connect()
        signals.user_logged_in.connect(languages.remember)
