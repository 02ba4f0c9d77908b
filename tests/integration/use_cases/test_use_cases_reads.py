"""What a step reads: its upload's row once, and the rejected rows once a run."""

import re
from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa
from installations import ANN, BAD

from cvms_pipeline.domain.reporting import error_report
from cvms_pipeline.use_cases import deliver, process, publish

_READS_UPLOAD = re.compile(
    r"\bSELECT\b.*\bFROM cvms\.uploads\b"  # asked for
    r"|\bUPDATE cvms\.uploads\b.*\bRETURNING\b",  # changed, and then returned
    re.DOTALL,
)


@pytest.fixture
def reads(site) -> Iterator[list[str]]:
    """The statements, as they are executed, that read rows of uploads."""
    found: list[str] = []

    def note(conn, cursor, statement, *others):
        if _READS_UPLOAD.search(statement):
            found.append(statement)

    sa.event.listen(site.pipeline.store.engine, "before_cursor_execute", note)
    yield found
    sa.event.remove(site.pipeline.store.engine, "before_cursor_execute", note)


@pytest.fixture
def rendered(monkeypatch) -> list[bytes]:
    """The error reports that have been rendered."""
    found: list[bytes] = []
    render: Callable[..., bytes] = error_report.render_report

    def note(*arguments):
        found.append(render(*arguments))
        return found[-1]

    monkeypatch.setattr(error_report, "render_report", note)
    return found


def test_each_step_reads_the_row_of_its_upload_once(site, reads):
    upload_id = site.receive([ANN, BAD])
    counts = {}

    def step(use_case, *arguments):
        reads.clear()
        result = use_case(site.pipeline, upload_id, *arguments)
        counts[use_case.__name__] = len(reads)
        return result

    read = step(process.read_rows, "run").sheet
    validated = step(process.validate_rows, read)
    planned = step(process.find_duplicates, validated)
    step(process.load, planned)
    step(publish.publish)
    step(deliver.send_notice)
    step(deliver.send_invitations)

    assert counts == {
        "read_rows": 1,
        "validate_rows": 1,
        "find_duplicates": 1,
        "load": 1,
        "publish": 1,
        "send_notice": 1,
        "send_invitations": 0,
    }


def test_a_run_renders_the_report_once_and_attaches_what_it_has_published(
    site, rendered
):
    upload_id = site.bring([ANN, BAD])

    (notice,) = site.mail()
    (attached,) = notice.iter_attachments()
    assert rendered == [site.pipeline.reports.read(upload_id)]
    assert attached.get_content() == rendered[0].decode()


# What has happened to the published report before the notice is sent.
DAMAGES = {
    "missing": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:-20]),
    "one row too many": lambda path: path.write_bytes(2 * path.read_bytes()),
    "no text": lambda path: path.write_bytes(b"\xff\xfe\x00"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_report_that_is_not_whole_is_rendered_again(site, rendered, damage):
    upload_id = site.receive([ANN, BAD, BAD])
    read = process.read_rows(site.pipeline, upload_id, "run").sheet
    validated = process.validate_rows(site.pipeline, upload_id, read)
    planned = process.find_duplicates(site.pipeline, upload_id, validated)
    process.load(site.pipeline, upload_id, planned)
    path = publish.publish(site.pipeline, upload_id).path
    DAMAGES[damage](path)

    deliver.send_notice(site.pipeline, upload_id)

    (notice,) = site.mail()
    (attached,) = notice.iter_attachments()
    assert len(rendered) == 2
    assert attached.get_content() == rendered[0].decode()


def test_no_report_is_rendered_where_no_row_was_rejected(site, rendered):
    site.bring([ANN])

    (notice,) = site.mail()
    assert not list(notice.iter_attachments())
    assert rendered == []
