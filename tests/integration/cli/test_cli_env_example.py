import pytest

from cvms_pipeline import settings
from cvms_pipeline.cli import env_example

FIELDS = settings.Settings.model_fields


@pytest.mark.parametrize("name", FIELDS)
def test_every_setting_has_a_sentence_and_an_example(name):
    assert FIELDS[name].description.endswith(".")
    assert FIELDS[name].examples


@pytest.mark.parametrize("name", FIELDS)
def test_every_setting_is_in_the_text_commented_out(name):
    assert f"\n# CVMS_{name.upper()}=" in env_example.text()


def test_nothing_in_the_text_is_set():
    lines = env_example.text().splitlines()

    assert all(line.startswith("#") for line in lines if line)


@pytest.mark.parametrize("name", FIELDS)
def test_every_example_is_taken(name, monkeypatch):
    monkeypatch.setenv(f"CVMS_{name.upper()}", FIELDS[name].examples[0])

    assert getattr(settings.Settings(_env_file=None), name) is not None
