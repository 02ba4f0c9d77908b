import pathlib

import pytest

from cvms_pipeline.cli import samples

ROOT = pathlib.Path(__file__).parents[3]
COMMITTED = [s for s in samples.load_samples() if s.file_name != "five_thousand.csv"]


@pytest.mark.parametrize("sample", COMMITTED, ids=lambda sample: sample.file_name)
def test_a_committed_sample_is_the_one_that_the_demonstration_drops(sample):
    assert (ROOT / "data/samples" / sample.file_name).read_bytes() == sample.read()


@pytest.mark.parametrize("sample", COMMITTED, ids=lambda sample: sample.file_name)
def test_a_committed_sample_is_in_the_read_me(sample):
    text = (ROOT / "data/samples/README.md").read_text("utf-8")

    assert f"| `{sample.file_name}` |" in text


def test_every_committed_file_is_a_sample_of_the_demonstration():
    names = {path.name for path in (ROOT / "data/samples").iterdir()}

    assert names == {"README.md", *(sample.file_name for sample in COMMITTED)}
