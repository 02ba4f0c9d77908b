import pytest

from docs import generate


@pytest.mark.parametrize(("path", "text"), generate.render_all().items())
def test_a_committed_file_is_the_generated_one(path, text):
    committed = (generate.ROOT / path).read_text(encoding="utf-8")

    assert committed == text, "make docs"
