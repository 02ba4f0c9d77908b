"""`python -m cvms_pipeline.cli` does what `cvms` does."""

from cvms_pipeline import cli

if __name__ == "__main__":
    cli.main()
