"""The Dagster daemon, looking at its sensors sooner: `… -m cvms_pipeline.defs.daemon`.

Dagster begins a sensor's next tick up to five seconds after the last has ended, with
no setting for it; a file that is dropped in between would wait as long.  The name of
Dagster's that this sets is watched by `test_defs_internals.py`.
"""

from dagster._daemon import cli, sensor

LOOK_SECONDS = 0.5


def main() -> None:
    """Run `dagster-daemon` with the words of the command line."""
    sensor.MIN_INTERVAL_LOOP_TIME = LOOK_SECONDS  # type: ignore[assignment]  # a number like any other
    cli.main()


if __name__ == "__main__":
    main()
