"""Indexes with which one provider's recipients are searched by name.

It follows 0021, because 0020 and 0021 were there before it.
"""

import pathlib

from alembic import op

revision = "0019"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL beside this file."""
    sql = pathlib.Path(__file__).with_suffix(".sql").read_text("utf-8")
    op.get_bind().exec_driver_sql(sql)
