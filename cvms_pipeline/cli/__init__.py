"""The command `cvms`; only its entry point, so that importing it costs nothing."""


def main() -> None:
    """Run the command that the process was called with, and exit with its code."""
    from cvms_pipeline.cli import app

    app.main()
