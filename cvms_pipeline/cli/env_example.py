"""The text of `.env.example`: every setting with its sentence and an example.

    python -m cvms_pipeline.cli.env_example > .env.example

What the settings are is `settings`; a test holds the committed file against this.
"""

import shlex
import sys
import textwrap

from cvms_pipeline import settings

_HEAD = """\
# Every setting, with an example. All have defaults; what is commented out is not set.
# Copy this file to .env beside dagster.yaml, or set real variables, which go first
# (CVMS_HOME counts only as a real one: it says where .env is looked for).
#
# Made by: python -m cvms_pipeline.cli.env_example > .env.example
"""
_WIDTH = 86


def text() -> str:
    """Return the whole text."""
    own = settings.Settings.__annotations__  # before those of retention
    others = [name for name in settings.Settings.model_fields if name not in own]
    return "\n".join([_HEAD, *map(_entry, [*own, *others])])


def _entry(name: str) -> str:
    field = settings.Settings.model_fields[name]
    said = textwrap.wrap(
        field.description or "",
        _WIDTH,
        break_on_hyphens=False,
        initial_indent="# ",
        subsequent_indent="# ",
    )
    example = shlex.quote(str((field.examples or [""])[0]))
    variable = f"{settings.PREFIX}{name.upper()}"
    return "\n".join([*said, f"# {variable}={example}", ""])


if __name__ == "__main__":
    sys.stdout.write(text())
