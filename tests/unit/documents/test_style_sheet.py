"""The portal's style sheet: a brace that is missing hides every rule behind it."""

import importlib.resources
import re

SHEET = (
    importlib.resources.files("cvms_pipeline.portal.site") / "static/portal/style.css"
)


def test_every_section_of_the_style_sheet_is_outside_of_all_blocks():
    depth, nested = 0, []

    for line in SHEET.read_text("utf-8").splitlines():
        if line.startswith("/*") and depth:
            nested.append(line)
        depth += line.count("{") - line.count("}")

    assert nested == []
    assert depth == 0


def test_no_rule_of_the_style_sheet_is_within_another():
    text = re.sub(r"/\*.*?\*/", "", SHEET.read_text("utf-8"), flags=re.DOTALL)
    opened, inner = [], []

    for selector, brace in re.findall(r"([^{}]*)([{}])", text):
        if brace == "}":
            opened.pop()
            continue
        inner += [selector.strip()] if opened and opened[-1][0] != "@" else []
        opened.append(selector.strip() or " ")

    assert inner == []
