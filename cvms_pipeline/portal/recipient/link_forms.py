"""The forms behind the link of an invitation."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from cvms_pipeline.portal.accounts import forms as account_forms
from cvms_pipeline.portal.recipient import passwords
from cvms_pipeline.use_cases.recipients import access

_NAME = {"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}


class PasswordForm(account_forms.SetPasswordForm):
    """The username, and a new password twice."""

    field_order = ("username", "password", "again")
    use_required_attribute = False  # the summary says what is missing
    username = forms.CharField(
        label=_("Username"),
        max_length=320,
        widget=forms.TextInput(_NAME),
        help_text=_("It is in the message that the link came with."),
        error_messages={"required": _("Type your username.")},
    )

    def __init__(self, *args: Any, owner: access.Owner, **kwargs: Any) -> None:
        """Check the password for this recipient, and say what is missing."""
        account = passwords.describe_account(owner)
        super().__init__(*args, account=account, **kwargs)
        password, again = self.fields["password"], self.fields["again"]
        password.error_messages["required"] = _("Type a new password.")
        again.error_messages["required"] = _("Type the new password once more.")

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
