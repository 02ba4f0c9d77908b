"""How soon supervisord starts again what ends as soon as it is started."""

import time
import types

from supervisor import process, states

from cvms_pipeline.local import restarts


def test_the_wait_grows_and_stops_growing():
    failing = restarts.Process(types.SimpleNamespace(name="worker"))
    waits = []

    for _ in range(100):
        failing.change_state(states.ProcessStates.STARTING)
        failing.change_state(states.ProcessStates.BACKOFF)
        waits.append(round(failing.delay - time.time()))

    assert waits == [1, 2, 3, 4] + [restarts.LONGEST_SECONDS] * 96


def test_supervisord_makes_its_processes_so(monkeypatch):
    from supervisor import options

    monkeypatch.setattr(process, "Subprocess", process.Subprocess)
    restarts.limit()
    configured = options.ProcessConfig.__new__(options.ProcessConfig)
    configured.name = "worker"
    monkeypatch.setattr(options.ProcessConfig, "create_autochildlogs", lambda _: None)

    made = configured.make_process()

    assert isinstance(made, restarts.Process)
