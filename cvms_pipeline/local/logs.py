"""The logs of `cvms up`: while they cannot be written, lines are lost and nothing else.

supervisord writes what the processes print, and its own log; by itself it ends when a
disk is full, and everything with it.
"""

import contextlib
import errno
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from supervisor import loggers  # type: ignore[import-untyped]

_PAGE = 4096


class RotatedLog(loggers.RotatingFileHandler):  # type: ignore[misc]
    """A log of supervisord's; an error while writing or rotating it is passed over."""

    def __init__(self, filename: str, *words: Any, **options: Any) -> None:
        """Open the log, or leave it closed: then `emit` tries again."""
        try:
            super().__init__(filename, *words, **options)
        except OSError:
            super().__init__(os.devnull, *words, **options)
            self.stream.close()
            self.baseFilename = filename

    def emit(self, record: Any) -> None:
        """Write a record."""
        with contextlib.suppress(OSError):
            if self.stream.closed:  # since a rotation that failed
                self.reopen()
            super().emit(record)

    def handleError(self) -> None:  # noqa: N802  # the name is supervisor's
        """Lose the record."""

    def close(self) -> None:
        """Close the log; what is not written yet may be lost."""
        with contextlib.suppress(OSError, ValueError):  # closed already
            super().close()


@dataclass(kw_only=True)
class LogWatch:
    """Reports once when logs are lost, and once when they are written again.

    Attributes:
        folder: The folder of the logs.
        report: Called with a sentence for a person.
    """

    folder: Path
    report: Callable[[str], None]
    _is_lost: bool = field(default=False, init=False)

    def look(self) -> None:
        """Try to write a file without a name, and report a change."""
        try:
            with tempfile.TemporaryFile(dir=self.folder, buffering=0) as probe:
                probe.write(bytes(_PAGE))
        except OSError as error:
            if not self._is_lost:
                code = errno.errorcode.get(error.errno or 0, "unknown error")
                self.report(
                    f"{self.folder} cannot be written ({code}): until it can, what the"
                    " processes log is lost. Free some disk space."
                )
            self._is_lost = True
        else:
            if self._is_lost:
                self.report(f"{self.folder} is written again.")
            self._is_lost = False
