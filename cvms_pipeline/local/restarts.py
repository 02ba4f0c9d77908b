"""How soon supervisord starts again what ends as soon as it is started.

It waits a second longer each time, without end: after an outage of a night it would
wait for minutes although all is well again.  Ours never waits longer than
`LONGEST_SECONDS`.  The names of supervisor that this touches are tested, so that a
change of them is noticed.
"""

from supervisor import process  # type: ignore[import-untyped]

LONGEST_SECONDS = 5


class Process(process.Subprocess):  # type: ignore[misc]  # untyped
    """A process of supervisord's with a limit to its patience."""

    def change_state(self, new_state: int, expected: bool = True) -> object:
        """Change the state; one more failed start adds to the wait up to the limit."""
        failed_starts: int = self.backoff  # type: ignore[has-type]  # untyped
        self.backoff = min(failed_starts, LONGEST_SECONDS - 1)
        return super().change_state(new_state, expected)


def limit() -> None:
    """Let supervisord, in this process, keep its programs so."""
    process.Subprocess = Process
