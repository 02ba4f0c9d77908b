"""What a power failure could take: files and names that are not flushed to the disk.

Where a transaction is committed or a message is sent, what was written before has to be
on the disk: the content of each new file, and in its folder each new or changed name.
"""

import os
import smtplib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import crashing_process
import pytest

# What is made again, or is removed, when it is missing or left behind.
_REPLACEABLE = (".clock", "work", "tmp")


@dataclass
class Disk:
    """Sees below `home` what is not flushed yet when something relies on it."""

    home: Path
    relied_on: Counter[str] = field(default_factory=Counter)
    at_risk: set[str] = field(default_factory=set)
    _unflushed: set[tuple[int, int]] = field(default_factory=set)

    @contextmanager
    def watched(self, patch: pytest.MonkeyPatch) -> Iterator[None]:
        with patch.context() as own:
            for name in ("mkdir", "link", "rename", "replace"):
                own.setattr(os, name, self._changing(name, getattr(os, name)))
            own.setattr(os, "open", self._opening(os.open))
            own.setattr(os, "fsync", self._flushing(os.fsync))
            real = smtplib.SMTP.sendmail
            own.setattr(smtplib.SMTP, "sendmail", self._relying("sendmail", real))
            with crashing_process.watched_changes(self._rely):
                yield

    def _rely(self, what: str) -> None:
        self.relied_on[what] += 1
        for folder, folders, files in os.walk(self.home):
            folders[:] = [name for name in folders if name not in _REPLACEABLE]
            place = Path(folder)
            for path in (place, *(place / name for name in files)):
                if _identify(path) in self._unflushed:
                    self.at_risk.add(f"{path.relative_to(self.home)} before {what}")

    def _relying(self, what: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def relying(*arguments: Any, **options: Any) -> Any:
            self._rely(what)
            return real(*arguments, **options)

        return relying

    def _changing(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def changing(path: Any, *more: Any, **options: Any) -> None:
            real(path, *more, **options)
            places = [(path, options.get("dir_fd", options.get("src_dir_fd")))]
            if name == "mkdir":
                self._unflushed.discard(_identify(path, places[0][1]))
            else:
                places.append((more[0], options.get("dst_dir_fd")))
            for changed, dir_fd in places:
                self._note_name(changed, dir_fd)

        return changing

    def _opening(self, real: Callable[..., int]) -> Callable[..., int]:
        def opening(path: Any, flags: int, *more: Any, **options: Any) -> int:
            dir_fd = options.get("dir_fd")
            is_new = bool(flags & os.O_CREAT) and not _exists(path, dir_fd)
            descriptor = real(path, flags, *more, **options)
            if is_new and Path(path).name not in _REPLACEABLE:
                self._unflushed.add(_identify(descriptor))
                self._note_name(path, dir_fd)
            return descriptor

        return opening

    def _flushing(self, real: Callable[[int], None]) -> Callable[[int], None]:
        def flushing(descriptor: int) -> None:
            real(descriptor)
            self._unflushed.discard(_identify(descriptor))

        return flushing

    def _note_name(self, path: Any, dir_fd: int | None) -> None:
        self._unflushed.add(_identify(Path(path).parent, dir_fd))


def _identify(path: Any, dir_fd: int | None = None) -> tuple[int, int]:
    if isinstance(path, int):
        status = os.fstat(path)
    else:
        status = os.stat(path, dir_fd=dir_fd, follow_symlinks=False)
    return status.st_dev, status.st_ino


def _exists(path: Any, dir_fd: int | None) -> bool:
    try:
        _identify(path, dir_fd)
    except FileNotFoundError:
        return False
    return True
