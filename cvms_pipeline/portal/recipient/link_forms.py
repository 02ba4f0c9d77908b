"""The forms behind the link of an invitation."""

from typing import Any

from django import forms
from django.contrib.auth import password_validation
from django.utils.translation import gettext_lazy as _

from cvms_pipeline.portal.accounts import forms as account_forms
from cvms_pipeline.portal.accounts import models
from cvms_pipeline.use_cases.recipients import access

_NAME = {"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
_NEW = {"autocomplete": "new-password"}


class PasswordForm(forms.Form):
    """The username, and a new password twice."""

    use_required_attribute = False  # the summary says what is missing
    username = forms.CharField(
        label=_("Username"),
        max_length=320,
        widget=forms.TextInput(_NAME),
        help_text=_("It is in the message that the link came with."),
        error_messages={"required": _("Type your username.")},
    )
    password = forms.CharField(
        label=_("New password"),
        strip=False,
        widget=forms.PasswordInput(_NEW),
        error_messages={"required": _("Type a new password.")},
    )
    again = forms.CharField(
        label=_("The same once more"),
        strip=False,
        widget=forms.PasswordInput(_NEW),
        error_messages={"required": _("Type the new password once more.")},
    )

    def __init__(self, *args: Any, owner: access.Owner, **kwargs: Any) -> None:
        """Check the password for this recipient."""
        super().__init__(*args, **kwargs)
        self._account = models.Account(
            email=owner.email,
            first_name=owner.first_name,
            last_name=owner.last_name,
            role=models.Role.RECIPIENT,
        )
        rules = account_forms.describe_rules(self._account)
        self.fields["password"].help_text = rules

    def clean_password(self) -> str:
        """Return the password, if it may be one."""
        password: str = self.cleaned_data["password"]
        password_validation.validate_password(password, self._account)
        return password

    def clean(self) -> None:
        """Check that both are the same."""
        typed = self.cleaned_data
        if len({typed.get("password"), typed.get("again")} - {None}) > 1:
            self.add_error("again", _("Type the same password in both fields."))

    def refuse_username(self) -> None:
        """Say that the link is not for this username."""
        text = _(
            "This is not the username that the link is for. Copy it from the message."
        )
        self.add_error("username", text)


class NotMeForm(forms.Form):
    """The address at which a message came that was meant for somebody else."""

    use_required_attribute = False
    address = forms.CharField(
        label=_("The e-mail address at which you got the message"),
        max_length=320,
        widget=forms.EmailInput({"autocomplete": "email"}),
        error_messages={"required": _("Type the e-mail address.")},
    )

    def __init__(self, *args: Any, owner: access.Owner, **kwargs: Any) -> None:
        """Ask for the address of this recipient."""
        super().__init__(*args, **kwargs)
        self._known = {owner.email.lower(), owner.username.lower()}

    def clean_address(self) -> str:
        """Return the address, if the message went there."""
        typed: str = self.cleaned_data["address"].strip()
        if typed.lower() not in self._known:
            raise forms.ValidationError(
                _("The message did not go to this address. See what it was sent to.")
            )
        return typed
