"""The table of Django's cache, as `createcachetable` makes it: limits count in it."""

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    """Create the table and the index that finds what has expired."""

    dependencies: ClassVar[list[tuple[str, str]]] = [("accounts", "0001_accounts")]
    operations: ClassVar[list[migrations.RunSQL]] = [
        migrations.RunSQL(
            "CREATE TABLE portal_cache ("
            " cache_key varchar(255) PRIMARY KEY,"
            " value text NOT NULL,"
            " expires timestamptz NOT NULL);"
            " CREATE INDEX portal_cache_expires ON portal_cache (expires)",
            "DROP TABLE portal_cache",
        )
    ]
