"""A process that dies just before its n-th effect, whatever that is.

Effects are counted where they leave the process: files that are created, renamed or
removed, transactions that have changed something, messages that are sent.  No list
names them, so no new effect can be forgotten.
"""

import contextlib
import os
import re
import smtplib
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

DIED = 137
_READS = re.compile(r"(--.*\n|\s)*(SELECT|SAVEPOINT|RELEASE|ROLLBACK)\b")
_FILES = ("mkdir", "rename", "replace", "rmdir", "unlink")


@dataclass
class Fate:
    """Counts effects, and ends the process before the one numbered `last`."""

    last: int | None
    said: int
    seen: list[str] = field(default_factory=list)

    def meet(self, effect: str) -> None:
        if len(self.seen) == self.last:
            self.tell()
            os._exit(DIED)
        self.seen.append(effect)

    def tell(self) -> None:
        os.write(self.said, "\n".join(self.seen).encode())


def run(work: Callable[[], None], *, die_before: int | None) -> tuple[bool, list[str]]:
    """Do `work` in a process of its own.

    Returns:
        Whether it has died, and the effects that it had.

    Raises:
        AssertionError: If `work` went wrong in another way.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        _live(work, Fate(die_before, writing))
    os.close(writing)
    with os.fdopen(reading) as said:
        text = said.read()
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, DIED), text
    return code == DIED, text.splitlines()


def _live(work: Callable[[], None], fate: Fate) -> None:
    """Do the work under `fate`, in a child; never returns."""
    try:
        _count_effects(fate)
        work()
        fate.tell()
        os._exit(0)
    except BaseException:
        os.write(fate.said, traceback.format_exc().encode())
    finally:
        sys.stdout.flush()
        os._exit(1)


def _count_effects(fate: Fate) -> None:
    for name in _FILES:
        setattr(os, name, _counted(name, getattr(os, name), fate))
    real_open = os.open

    def opened(path: Any, flags: int, *arguments: Any, **options: Any) -> int:
        if flags & os.O_CREAT:
            fate.meet("open")
        return real_open(path, flags, *arguments, **options)

    os.open = opened
    smtplib.SMTP.sendmail = _counted("sendmail", smtplib.SMTP.sendmail, fate)  # type: ignore[method-assign]
    _listen_to_changes(fate.meet)


def _counted(name: str, real: Callable[..., Any], fate: Fate) -> Callable[..., Any]:
    def counted(*arguments: Any, **options: Any) -> Any:
        fate.meet(name)
        return real(*arguments, **options)

    return counted


@contextlib.contextmanager
def watched_changes(meet: Callable[[str], None]) -> Iterator[None]:
    """Call `meet` before each change of the database while the block runs."""
    listeners = _listen_to_changes(meet)
    try:
        yield
    finally:
        for name, listener in listeners.items():
            sa.event.remove(sa.Engine, name, listener)


def _listen_to_changes(meet: Callable[[str], None]) -> dict[str, Callable[..., None]]:
    """Meet transactions that change something, and statements outside of any."""

    def before(conn: Any, cursor: Any, statement: str, *others: Any) -> None:
        if _READS.match(statement):
            return
        if conn.get_execution_options().get("isolation_level") == "AUTOCOMMIT":
            meet("statement")
        else:
            conn.info["has changed something"] = True

    def commit(conn: Any) -> None:
        if conn.info.pop("has changed something", False):
            meet("commit")

    listeners = {"before_cursor_execute": before, "commit": commit}
    for name, listener in listeners.items():
        sa.event.listen(sa.Engine, name, listener)
    return listeners
