"""A supervisord that has died: replaced as often as it takes."""

import errno
import types

import pytest

from cvms_pipeline.local import supervise, supervisor

# Why a start may fail that a later one survives.
FAULTS = [
    OSError(errno.ENOSPC, "No space left on device"),
    supervisor.SupervisorFailed("The supervisor did not start."),
]


class Keeper:
    """Fails to start a few times, as on a full disk."""

    def __init__(self, fault: Exception) -> None:
        self.faults = [fault] * 3
        self.done: list[str] = []

    def start(self) -> None:
        if self.faults:
            raise self.faults.pop()
        self.done.append("start")

    def start_services(self) -> None:
        self.done.append("start services")

    def stop(self) -> None:
        self.done.append("stop")


@pytest.mark.parametrize("fault", FAULTS, ids=["full", "failed"])
def test_replacing_supervisord_is_repeated_until_it_succeeds(monkeypatch, fault):
    monkeypatch.setattr(supervise, "time", types.SimpleNamespace(sleep=lambda _: None))
    monkeypatch.setattr(supervise, "_write_holder", lambda *_: None)
    keeper = Keeper(fault)

    supervise._replace(keeper, [])

    assert keeper.done == ["stop"] * 3 + ["start", "start services"]
