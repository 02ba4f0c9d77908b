"""`python -m cvms_pipeline.portal.site.manage`: Django's own commands.

Used to migrate the schema `portal` as the role that owns its tables, and to check the
settings: `check --deploy`.
"""

import sys

from django.core import management

from cvms_pipeline.portal.site import configuration
from cvms_pipeline.settings import loading


def main() -> None:
    """Run the command of the command line."""
    configuration.set_up(loading.load())
    management.execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
