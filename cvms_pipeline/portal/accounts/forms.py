"""The forms of the accounts that are ours; those of second factors are allauth's."""

from typing import Any

from allauth.account import forms as allauth_forms
from django import forms
from django.contrib.auth import password_validation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cvms_pipeline.portal.accounts import models, passwords

_CURRENT = {"autocomplete": "current-password"}
_NEW = {"autocomplete": "new-password"}


class LoginForm(allauth_forms.LoginForm):
    """Username and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Use our words."""
        super().__init__(*args, **kwargs)
        login, password = self.fields["login"], self.fields["password"]
        login.help_text = _(
            "Usually your e-mail address; for recipients, the username in the"
            " invitation."
        )
        login.widget.attrs = {"autocomplete": "username", "autocapitalize": "none"}
        password.widget.attrs = _CURRENT
        password.help_text = ""
        password.max_length = passwords.MAX_LENGTH


class ForgotForm(forms.Form):
    """The username of whoever has forgotten the password."""

    username = forms.CharField(
        max_length=320,
        widget=forms.TextInput({"autocomplete": "username", "autocapitalize": "none"}),
        label=_("Username or e-mail address"),
        error_messages={"required": _("Type your username or your e-mail address.")},
    )


class SetPasswordForm(forms.Form):
    """A new password, twice."""

    password = forms.CharField(
        label=_("New password"), strip=False, widget=forms.PasswordInput(_NEW)
    )
    again = forms.CharField(
        label=_("The same once more"), strip=False, widget=forms.PasswordInput(_NEW)
    )

    def __init__(self, *args: Any, account: models.Account, **kwargs: Any) -> None:
        """Check the password for this account."""
        super().__init__(*args, **kwargs)
        self._account = account
        self.fields["password"].help_text = describe_rules(account)

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


class InviteForm(forms.Form):
    """The address of a colleague."""

    address = forms.EmailField(
        label="E-mail address of your colleague",
        max_length=254,
        widget=forms.EmailInput({"autocomplete": "off"}),
    )


def describe_rules(account: models.Account) -> str:
    """Return in a sentence which passwords an account may have."""
    least = 8 if account.needs_second_factor else 15
    text = gettext(
        "At least %(least)s characters, of any kind. Not your name, your e-mail address"
        " or a common password."
    )
    return text % {"least": least}
