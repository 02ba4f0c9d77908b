"""What lies between the ops: private, gone at the end, made again when missing."""

import dagster as dg
import pandas as pd
import pytest
from installations import ANN, BAD, BOB

from cvms_pipeline import errors
from cvms_pipeline.domain.sheets import packing
from cvms_pipeline.use_cases import process, publish

STEPS = ["read_rows", "validate_rows", "find_duplicates"]


@pytest.fixture
def failed(desk, monkeypatch) -> str:
    """An upload whose run has failed after its sheets were written."""
    desk.bring([ANN])
    upload_id = desk.receive(["Ann,Lee,1/2/1990,new@b.example.org", BAD, BOB])

    def fail(*arguments):
        raise errors.PermanentError("A rule is broken.")

    with monkeypatch.context() as patch:
        patch.setattr(publish, "publish", fail)
        assert not desk.run(upload_id).success
    return upload_id


def modes(folder):
    return {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}


def test_the_rows_between_ops_are_private(desk, failed):
    folder = desk.site.pipeline.work.root / failed

    assert modes(folder) == {f"recipients.{step}": 0o600 for step in STEPS}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert folder.parent.stat().st_mode & 0o777 == 0o700


def test_nothing_is_left_when_the_upload_is_finished(desk, failed):
    assert desk.run(failed).success

    assert desk.site.pipeline.work.list_ids() == []


def loaded(desk, upload_id, step):
    """Return what the IO manager gives the step after `step`."""
    manager = desk.definitions.get_repository_def().get_top_level_resources()["sheets"]
    op = desk.definitions.resolve_job_def("process_upload").graph
    node = op.node_named("recipients").definition.node_named(step)
    with (
        dg.build_resources({"sheets": manager}) as opened,
        dg.build_output_context(
            step_key=f"recipients.{step}", op_def=node.definition
        ) as made_by,
        dg.build_input_context(
            partition_key=upload_id, upstream_output=made_by
        ) as context,
    ):
        return opened.sheets.load_input(context)


@pytest.mark.parametrize("step", STEPS)
def test_missing_rows_are_read_again_from_the_archive(desk, failed, step):
    with desk.site.pipeline.work.opened(failed, f"recipients.{step}") as file:
        before = packing.unpack_sheet(file)
    desk.site.execute("DELETE FROM cvms.recipient_changes")
    desk.site.pipeline.work.remove(failed)

    made = loaded(desk, failed, step)

    pd.testing.assert_frame_equal(made.cells, before.cells)
    if step != "find_duplicates":  # the store has changed since
        pd.testing.assert_frame_equal(made.rejections, before.rejections)


def test_rows_that_another_version_wrote_are_read_again_from_the_archive(desk, failed):
    desk.site.pipeline.work.write(failed, "recipients.read_rows", b"\xff\xff\xff\xff")

    made = loaded(desk, failed, "read_rows")

    assert made.cells["first_name"].tolist() == ["Ann", "Cy", "Bob"]


def test_stored_rows_are_not_read_again_from_the_archive(desk, failed, monkeypatch):
    monkeypatch.setattr(process, "repeat", None)

    made = loaded(desk, failed, "read_rows")

    assert made.cells["first_name"].tolist() == ["Ann", "Cy", "Bob"]
