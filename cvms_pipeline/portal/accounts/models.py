"""The accounts of the portal, in the schema `portal`.

An account points by value to what it stands for: a provider's slug, a recipient's id.
Names are those of people who have registered by themselves; a recipient's are where the
recipient is.  Sessions, second factors and limits are in the tables of Django and
allauth.
"""

import secrets
import uuid
from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.auth import base_user
from django.db import models
from django.db.models import functions

from cvms_pipeline.use_cases.help_desk import people


class Role(models.TextChoices):
    """What an account may see."""

    PROVIDER = "provider", "Healthcare Location Manager"
    DATA_OPS = "data_ops", "Data operations"
    REQUESTER = "requester", "Requester"
    HELP_DESK = "help_desk", "Help desk"
    RECIPIENT = "recipient", "Recipient"


_WITHOUT_FACTOR = (Role.REQUESTER, Role.RECIPIENT)
"""Of whom no second factor is required; they may have one."""


class _Accounts(base_user.BaseUserManager["Account"]):
    def add(
        self,
        address: str,
        role: Role,
        *,
        provider: str = "",
        **facts: Any,
    ) -> "Account":
        """Add an account without a password; its username is the address.

        Where the address is a username already, because one person has several
        accounts, a number follows it: `ann@example.org.2`.  `facts` are more fields.
        """
        account = self.model(
            username=self._choose_username(address.lower()),
            email=address,
            role=role,
            provider=provider,
            **facts,
        )
        account.set_unusable_password()
        account.save(force_insert=True)
        return account

    def _choose_username(self, address: str) -> str:
        taken = set(
            self.filter(username__startswith=address).values_list("username", flat=True)
        )
        names = [address, *(f"{address}.{n}" for n in range(2, len(taken) + 2))]
        return next(name for name in names if name not in taken)


class Account(base_user.AbstractBaseUser):
    """Somebody who can log in.

    Attributes:
        username: What is typed to log in; in lower case.
        email: Where messages go.
        provider: The slug of the provider that a Healthcare Location Manager is from.
        recipient: The id of the recipient whose account it is; None for others.
        is_read_only: Whether somebody of data-ops may only look at Dagster.
        is_supervisor: Whether somebody of the help desk may approve what needs two.
        first_name: Of whoever has registered; empty for accounts that were added.
        last_name: The same.
        is_active: Whether the account may be used; else it is disabled.
        link_nonce: What makes the newest link to set a password valid; empty if none.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    username = models.CharField(max_length=320, unique=True)
    email = models.EmailField(max_length=254)
    role = models.CharField(max_length=20, choices=Role.choices)
    provider = models.CharField(max_length=63, blank=True)
    recipient = models.UUIDField(null=True, unique=True, editable=False)
    is_read_only = models.BooleanField(default=False)
    is_supervisor = models.BooleanField(default=False)
    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, blank=True)
    is_active = models.BooleanField(default=True)
    link_nonce = models.CharField(max_length=64, blank=True)
    added_at = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"

    objects: ClassVar[_Accounts] = _Accounts()

    class Meta:
        """Colleagues are listed by provider."""

        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["provider"])]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                name="accounts_provider_of_role",
                condition=models.Q(role=Role.PROVIDER) & ~models.Q(provider="")
                | ~models.Q(role=Role.PROVIDER) & models.Q(provider=""),
            ),
            models.CheckConstraint(
                name="accounts_recipient_of_role",
                condition=models.Q(role=Role.RECIPIENT, recipient__isnull=False)
                | ~models.Q(role=Role.RECIPIENT) & models.Q(recipient__isnull=True),
            ),
            models.CheckConstraint(
                name="accounts_supervisor_of_role",
                condition=models.Q(role=Role.HELP_DESK) | models.Q(is_supervisor=False),
            ),
            models.UniqueConstraint(
                functions.Lower("email"),
                name="accounts_one_requester_of_an_address",
                condition=models.Q(role=Role.REQUESTER),
            ),
        ]

    def __str__(self) -> str:
        """Return the username."""
        return self.username

    @property
    def name(self) -> str:
        """Return how pages call its owner: by name, or by username without one."""
        return f"{self.first_name} {self.last_name}".strip() or self.username

    @property
    def needs_second_factor(self) -> bool:
        """Return whether a second factor is required of this account."""
        is_required = bool(settings.CVMS.is_second_factor_required)
        return is_required and self.role not in _WITHOUT_FACTOR

    @property
    def actor(self) -> str:
        """Return how the audit names its owner: a recipient by id alone."""
        return f"recipient/{self.recipient}" if self.recipient else self.username

    @property
    def state(self) -> str:
        """Return in one word whether the account can be used."""
        if not self.is_active:
            return "disabled"
        return "active" if self.has_usable_password() else "invited"

    @property
    def person(self) -> people.Person:
        """Return the owner, as use cases of the help desk know people."""
        return people.Person(
            account_id=str(self.pk),
            name=self.name,
            email=self.email,
            provider=self.provider,
            is_staff=self.role == Role.HELP_DESK,
            is_supervisor=self.is_supervisor,
        )

    def renew_nonce(self) -> str:
        """Store a new nonce, which ends every earlier link, and return it."""
        self.link_nonce = secrets.token_hex(16)
        self.save(update_fields=["link_nonce"])
        return self.link_nonce

    @classmethod
    def find_nonce(cls, account_id: str) -> str | None:
        """Return the nonce of an account that may be used, or None."""
        found = cls.objects.filter(pk=account_id, is_active=True)
        return found.values_list("link_nonce", flat=True).first() or None

    def set_password_by_link(self, password: str) -> bool:
        """Set the password if no other request has used the link meanwhile."""
        self.set_password(password)
        mine = type(self).objects.filter(
            pk=self.pk, link_nonce=self.link_nonce, is_active=True
        )
        return mine.update(password=self.password, link_nonce="") == 1

    def has_perm(self, _permission: str, _thing: Any = None) -> bool:
        """Return False: what an account may do is decided by its role alone."""
        return False

    @classmethod
    def list_colleagues(cls, provider: str) -> "models.QuerySet[Self]":
        """Return the accounts of a provider, in order of username."""
        return cls.objects.filter(role=Role.PROVIDER, provider=provider).order_by(  # type: ignore[return-value]  # the manager's model is this class
            "username"
        )

    @classmethod
    def list_staff(cls) -> list[tuple[str, str]]:
        """Return the ids and usernames of the staff of the help desk."""
        found = cls.objects.filter(role=Role.HELP_DESK, is_active=True)
        names = found.order_by("username").values_list("pk", "username")
        return [(str(pk), username) for pk, username in names]
