"""A terminal for every test of the command line, and a pipeline beside it."""

import threading
import time
from collections.abc import Iterator

import pytest
import terminals

from cvms_pipeline import bootstrap
from cvms_pipeline.domain.vocabulary import upload
from cvms_pipeline.settings import loading
from cvms_pipeline.use_cases import deliver, pipelines, process, publish, receive


@pytest.fixture
def alone(tmp_path, monkeypatch, capsys) -> terminals.Terminal:
    """A terminal on a machine without any database."""
    monkeypatch.setenv("CVMS_HOME", str(tmp_path))
    monkeypatch.delenv("CVMS_DATABASE_URL", raising=False)
    monkeypatch.setenv("CVMS_UNFINISHED_SECONDS", "0")
    return terminals.Terminal(home=tmp_path, capsys=capsys)


@pytest.fixture
def terminal(alone, database_url, monkeypatch) -> terminals.Terminal:
    """A terminal with a database at the newest revision."""
    monkeypatch.setenv("CVMS_DATABASE_URL", database_url)
    return alone


@pytest.fixture
def mercy(terminal) -> str:
    """The slug of a provider that has its folders."""
    slug = "mercy-hospital"
    words = ("--name", "Mercy", "--pin", "NCA123456", "--email", "staff@m.example.org")
    assert terminal.cvms("providers", "add", slug, *words).code == 0
    return slug


@pytest.fixture
def pipeline(terminal) -> Iterator[pipelines.Pipeline]:
    """The pipeline, without Dagster."""
    with bootstrap.open_pipeline(loading.load()) as opened:
        yield opened


@pytest.fixture
def work(pipeline):
    """Return a function that receives and processes every dropped file."""

    def work_on_all() -> list[str]:
        while not receive.receive(pipeline).is_complete:
            time.sleep(0.01)  # until it has settled
        awaiting = receive.request_runs(pipeline).uploads
        for each in awaiting:
            _work_on(pipeline, each.id)
        return [each.id for each in awaiting]

    return work_on_all


def _work_on(pipeline: pipelines.Pipeline, upload_id: str) -> None:
    read = process.read_rows(pipeline, upload_id, "run").sheet
    judged = process.validate_rows(pipeline, upload_id, read)
    process.load(
        pipeline, upload_id, process.find_duplicates(pipeline, upload_id, judged)
    )
    publish.publish(pipeline, upload_id)
    deliver.send_notice(pipeline, upload_id)


@pytest.fixture
def at_work(work, terminal) -> Iterator[None]:
    """The pipeline at work in the background, as `cvms up` would be."""
    is_over = threading.Event()

    def keep_working() -> None:
        while not is_over.wait(0.05):
            work()

    (terminal.home / "data" / "incoming").mkdir(parents=True, exist_ok=True)
    worker = threading.Thread(target=keep_working)
    worker.start()
    yield
    is_over.set()
    worker.join()


@pytest.fixture
def done(terminal, mercy, work) -> str:
    """The id of an upload that is finished: two rows loaded, two rejected."""
    rows = (
        "First name,Last name,Date of birth,Email",
        "Ann,O'Dwyer,1/2/1990,ann@b.example.org",
        "Bob,Lee,3/4/1991,bob@b.example.org",
        "=Cy,Lee,13/41/1991,cy@b.example.org",
        "ann,o’dwyer,01/02/1990,other@b.example.org",
    )
    path = terminal.lane(mercy, upload.Lane.LOW_VOLUME) / "staff.csv"
    path.write_text("\r\n".join(rows), encoding="utf-8")
    (upload_id,) = work()
    return upload_id
