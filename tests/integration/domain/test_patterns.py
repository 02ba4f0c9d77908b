"""Patterns that every Python reads alike."""

import re
from pathlib import Path

import cvms_pipeline

POSSESSIVE_GROUP = re.compile(r"\)(?:[*+?]|\{[0-9,]*\})\+")


def test_no_group_is_possessive():
    """Before Python 3.11.5 one loses its place (gh-106052); atomic ones do not."""
    sources = Path(*cvms_pipeline.__path__).rglob("*.py")

    found = [path.name for path in sources if POSSESSIVE_GROUP.search(path.read_text())]

    assert found == []
    assert POSSESSIVE_GROUP.search('(?:""[^"]*+)*+')
