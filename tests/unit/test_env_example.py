import pytest

from cvms_pipeline.settings import loading
from docs import generate

FIELDS = loading.get_all_variables()


@pytest.mark.parametrize("name", FIELDS)
def test_every_setting_has_a_description_and_an_example(name):
    assert FIELDS[name].description.endswith(".")
    assert FIELDS[name].examples


@pytest.mark.parametrize("name", FIELDS)
def test_every_setting_is_in_the_text_commented_out(name):
    assert f"\n# {name}=" in generate.render_env_example()


def test_the_example_sets_no_variable():
    lines = generate.render_env_example().splitlines()

    assert all(line.startswith("#") for line in lines if line)


@pytest.mark.parametrize("name", FIELDS)
def test_every_example_is_accepted(name, monkeypatch, tmp_path):
    home = tmp_path / FIELDS["CVMS_HOME"].examples[0][1:]
    (home / "secrets").mkdir(parents=True)
    example = str(home / "secrets") if "DIR" in name else FIELDS[name].examples[0]
    monkeypatch.setenv(name, example)

    assert name in loading.load(home=home).as_variables()
