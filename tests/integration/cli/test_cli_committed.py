import pathlib

import pytest

from cvms_pipeline.cli import env_example, samples

ROOT = pathlib.Path(__file__).parents[3]
COMMITTED = [sample for sample in samples.every() if sample.is_committed]


def test_the_committed_settings_are_those_of_the_code():
    made_by = "python -m cvms_pipeline.cli.env_example > .env.example"

    assert (ROOT / ".env.example").read_text("utf-8") == env_example.text(), made_by


@pytest.mark.parametrize("sample", COMMITTED, ids=lambda sample: sample.file_name)
def test_a_committed_sample_is_that_of_the_code(sample):
    assert (ROOT / "data/samples" / sample.file_name).read_bytes() == sample.data


@pytest.mark.parametrize("sample", COMMITTED, ids=lambda sample: sample.file_name)
def test_a_committed_sample_is_in_the_read_me(sample):
    text = (ROOT / "data/samples/README.md").read_text("utf-8")

    assert f"| `{sample.file_name}` |" in text


def test_every_committed_sample_is_made_by_the_code():
    names = {path.name for path in (ROOT / "data/samples").iterdir()}

    assert names == {"README.md", *(sample.file_name for sample in COMMITTED)}
