"""Accounts of recipients; made by `makemigrations`."""

from typing import Any, ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """Add the recipient that an account stands for, and its rule."""

    dependencies: ClassVar[list[tuple[str, str]]] = [("accounts", "0003_help_desk")]

    operations: ClassVar[list[Any]] = [
        migrations.AlterField(
            model_name="account",
            name="role",
            field=models.CharField(
                choices=[
                    ("provider", "Healthcare Location Manager"),
                    ("data_ops", "Data operations"),
                    ("requester", "Requester"),
                    ("help_desk", "Help desk"),
                    ("recipient", "Recipient"),
                ],
                max_length=20,
            ),
        ),
        migrations.AddField(
            model_name="account",
            name="recipient",
            field=models.UUIDField(editable=False, null=True, unique=True),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("recipient__isnull", False), ("role", "recipient")),
                    models.Q(
                        models.Q(("role", "recipient"), _negated=True),
                        ("recipient__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="accounts_recipient_of_role",
            ),
        ),
    ]
