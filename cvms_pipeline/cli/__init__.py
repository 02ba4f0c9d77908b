"""The command `cvms`; only its entry point, so that importing it costs nothing."""

import atexit
import gc

_SELDOM = 50_000
"""New objects between two looks for garbage: importing makes many and no garbage."""


def main() -> None:
    """Run the command that the process was called with, and exit with its code."""
    gc.set_threshold(_SELDOM)
    atexit.register(gc.freeze)  # or Python looks for garbage once more: a third second
    from cvms_pipeline.cli import app

    app.main()
