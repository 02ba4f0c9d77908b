"""Accounts of requesters and of the help desk; made by `makemigrations`."""

from typing import Any, ClassVar

from django.db import migrations, models
from django.db.models import functions


class Migration(migrations.Migration):
    """Add their columns and rules."""

    dependencies: ClassVar[list[tuple[str, str]]] = [("accounts", "0002_cache")]

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
                ],
                max_length=20,
            ),
        ),
        migrations.AddField(
            model_name="account",
            name="is_supervisor",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="account",
            name="first_name",
            field=models.CharField(blank=True, default="", max_length=100),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="account",
            name="last_name",
            field=models.CharField(blank=True, default="", max_length=100),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("role", "help_desk"), ("is_supervisor", False), _connector="OR"
                ),
                name="accounts_supervisor_of_role",
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.UniqueConstraint(
                functions.Lower("email"),
                condition=models.Q(("role", "requester")),
                name="accounts_one_requester_of_an_address",
            ),
        ),
    ]
