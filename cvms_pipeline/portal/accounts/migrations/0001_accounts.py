"""The table of accounts; made by `makemigrations`."""

import uuid
from typing import Any, ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """Create the table."""

    initial = True

    dependencies: ClassVar[list[tuple[str, str]]] = []

    operations: ClassVar[list[Any]] = [
        migrations.CreateModel(
            name="Account",
            fields=[
                ("password", models.CharField(max_length=128, verbose_name="password")),
                (
                    "last_login",
                    models.DateTimeField(
                        blank=True, null=True, verbose_name="last login"
                    ),
                ),
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("username", models.CharField(max_length=320, unique=True)),
                ("email", models.EmailField(max_length=254)),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("provider", "Healthcare Location Manager"),
                            ("data_ops", "Data operations"),
                        ],
                        max_length=20,
                    ),
                ),
                ("provider", models.CharField(blank=True, max_length=63)),
                ("is_read_only", models.BooleanField(default=False)),
                ("is_active", models.BooleanField(default=True)),
                ("link_nonce", models.CharField(blank=True, max_length=64)),
                ("added_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["provider"], name="accounts_ac_provide_ceab20_idx"
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("role", "provider"),
                                models.Q(("provider", ""), _negated=True),
                            ),
                            models.Q(
                                models.Q(("role", "provider"), _negated=True),
                                ("provider", ""),
                            ),
                            _connector="OR",
                        ),
                        name="accounts_provider_of_role",
                    )
                ],
            },
        ),
    ]
