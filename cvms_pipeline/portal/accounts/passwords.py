"""Which passwords are accepted, how they are hashed, and how they are checked."""

import threading
from typing import Any

from allauth.account import auth_backends
from django.conf import settings
from django.contrib.auth import hashers
from django.contrib.auth.base_user import AbstractBaseUser
from django.core import exceptions
from django.utils.translation import gettext_lazy as _

from cvms_pipeline.portal.accounts import models
from cvms_pipeline.use_cases.recipients import access

MAX_LENGTH = 128
_MIN_LENGTH = {True: 8, False: 15}
"""The shortest password by whether a second factor is required."""

_MIN_NAME = 4
"""Shorter parts of names are in many good passwords."""

_AT_ONCE = threading.BoundedSemaphore(2)
"""How many hashes are computed at once: each takes 19 MiB and a core."""


class Hasher(hashers.Argon2PasswordHasher):
    """argon2id with the parameters that OWASP recommends."""

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        """Return the hash of a password."""
        with _AT_ONCE:
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        """Return whether the password is the one of the hash."""
        with _AT_ONCE:
            return super().verify(password, encoded)


class Backend(auth_backends.AuthenticationBackend):
    """Checks a password; a disabled account answers like one that does not exist.

    So does that of a recipient who was removed, from the next request on.
    """

    def user_can_authenticate(self, user: AbstractBaseUser | None) -> bool:
        """Return whether whoever has the right password may log in, or stay so."""
        if not super().user_can_authenticate(user):
            return False
        recipient = getattr(user, "recipient", None)
        if recipient is None:
            return True
        return access.may_log_in(settings.CVMS.pipeline, str(recipient))

    @classmethod
    def _stash_user(cls, user: AbstractBaseUser | None) -> AbstractBaseUser | None:
        return None


class LengthValidator:
    """Refuses what is too short or too long."""

    def validate(self, password: str, user: models.Account | None = None) -> None:
        """Raise a ValidationError that says how long it must be."""
        least = _MIN_LENGTH[user is None or user.needs_second_factor]
        if len(password) < least:
            raise exceptions.ValidationError(
                _("Choose a password of at least %(least)s characters."),
                params={"least": least},
            )
        if len(password) > MAX_LENGTH:
            raise exceptions.ValidationError(
                _("Choose a password of at most %(most)s characters."),
                params={"most": MAX_LENGTH},
            )

    def get_help_text(self) -> str:
        """Return the rule."""
        return f"At most {MAX_LENGTH} characters, of any kind."


class OwnNameValidator:
    """Refuses what holds the name or the address of its owner."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raise a ValidationError if it does."""
        local, _at, domain = getattr(user, "email", "").lower().partition("@")
        names = [local, *local.split("."), domain, domain.partition(".")[0]]
        names += [getattr(user, key, "").lower() for key in ("first_name", "last_name")]
        typed = password.lower()
        if any(len(name) >= _MIN_NAME and name in typed for name in names):
            raise exceptions.ValidationError(
                _("Choose a password without your name or your e-mail address in it.")
            )

    def get_help_text(self) -> str:
        """Return the rule."""
        return "Neither your name nor your e-mail address in it."
