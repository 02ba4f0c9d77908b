"""The documents: everything that they name exists, and they keep to their form."""

import ast
import re
from pathlib import Path

import pytest
import typer.main

from cvms_pipeline.database import tables
from cvms_pipeline.settings import loading

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "cvms_pipeline"
DECISIONS = sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))
DOCUMENTS = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        ROOT / "data/README.md",
        ROOT / "data/samples/README.md",
    ]
)
RENAMES = ROOT / "docs/decisions/0020-names.md"  # names that are no longer there
MAX_LINE = 120

FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\[[^]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
VARIABLE = re.compile(r"CVMS_[A-Z]\w*")
MAKE = re.compile(r"\bmake (?:PYTHON=\S+ )?([a-z]+)\b")
COMMAND = re.compile(r"^\s*cvms ([^#]+)")
OPTION = re.compile(r"(?<= )--[a-z-]+")
FILE = re.compile(r"(?:[\w-]+/)+[\w.-]+\.(?:py|sql|toml|yaml|md)")
LAYERS = (
    "domain|database|store|files|mail|use_cases|maintenance|run_engine|defs|local|cli"
)
MODULE = re.compile(rf"\b(?:{LAYERS})(?:\.[a-z_]+)+\b(?<!database\.dump)")  # a file
TABLE = re.compile(r"(?<![\w/.])cvms\.([a-z_]+)$")

every_document = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT))
)


def read(document):
    return document.read_text(encoding="utf-8")


def is_module(name):
    path = PACKAGE.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def prose(text):
    return FENCE.sub("", text)


def spans(text):
    return SPAN.findall(prose(text))


def lines_of_code(text):
    """Return what stands in code: lines of fences without a language, and spans."""
    fenced = [body for language, body in FENCE.findall(text) if not language]
    return [*"\n".join(fenced).splitlines(), *spans(text)]


def anchors(document):
    found = (SPAN.sub(r"\1", title) for title in HEADING.findall(read(document)))
    return {re.sub(r"[^\w -]", "", t.lower()).replace(" ", "-") for t in found}


def is_there(document, link):
    place, _, anchor = link.partition("#")
    target = (document.parent / place).resolve() if place else document
    return target.exists() and (not anchor or anchor in anchors(target))


def commands_of(text):
    return [found[1] for line in lines_of_code(text) if (found := COMMAND.match(line))]


def unknown_words(words, cvms):
    """Return what of a command line is no command or option of `cvms`."""
    found, rest = cvms, words.split()
    while rest and hasattr(found, "commands"):
        word = rest.pop(0)
        if word.startswith("--") and found.invoke_without_command:
            break
        if word not in found.commands:
            return [word]
        found = found.commands[word]
    known = {name for parameter in found.params for name in parameter.opts}
    return [option for option in OPTION.findall(f" {words}") if option not in known]


def quoted_errors():
    """Return the error texts in the hand-written table of docs/errors.md."""
    page = read(ROOT / "docs/templates/errors.md")
    table = page.partition("\n## Start, commands, backups\n")[2]
    cells = [line.split(" | ")[0] for line in table.splitlines() if line[:3] == "| `"]
    return [text for cell in cells for text in SPAN.findall(cell)]


@pytest.fixture(scope="module")
def cvms():
    from cvms_pipeline.cli.__main__ import app

    return typer.main.get_command(app)


@pytest.fixture(scope="module")
def words_of_the_code():
    """Every text in the package, each as far as no value interrupts it."""
    trees = (ast.parse(read(path)) for path in PACKAGE.rglob("*.py"))
    nodes = (node for tree in trees for node in ast.walk(tree))
    constants = (node.value for node in nodes if isinstance(node, ast.Constant))
    return "\0".join(value for value in constants if isinstance(value, str))


@every_document
def test_the_target_of_every_link_exists(document):
    links = LINK.findall(prose(read(document)))

    lost = [
        link
        for link in links
        if not link.startswith("https://") and not is_there(document, link)
    ]

    assert not lost


@every_document
def test_every_make_target_exists(document):
    targets = re.findall(r"^([a-z]+):", read(ROOT / "Makefile"), re.MULTILINE)
    named = MAKE.findall("\n".join(lines_of_code(read(document))))

    assert set(named) <= set(targets)


@every_document
def test_every_command_exists_with_its_options(document, cvms):
    commands = commands_of(read(document))

    unknown = {words: unknown_words(words, cvms) for words in commands}

    assert not any(unknown.values()), unknown


@every_document
def test_a_setting_exists(document):
    known = set(loading.get_all_variables())

    assert set(VARIABLE.findall(read(document))) <= known


@every_document
def test_every_file_that_is_named_exists(document):
    named = {name for span in spans(read(document)) for name in FILE.findall(span)}

    lost = [n for n in named if not ((ROOT / n).exists() or (PACKAGE / n).exists())]

    assert not lost


def test_every_promise_names_a_test_that_attacks_it():
    page = prose(read(ROOT / "docs/guarantees.md"))
    promises = re.findall(r"^\|.*\|(.*)\|$", page.partition("\n## ")[2], re.MULTILINE)
    rows = [row for row in promises if row.strip("- ") not in ("", "attacked by")]

    assert len(rows) >= 20
    assert all("`tests/" in row for row in rows)


@pytest.mark.parametrize(
    "document",
    [d for d in DOCUMENTS if d != RENAMES],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_every_module_that_is_named_exists(document):
    code = "\n".join(span for span in spans(read(document)) if "/" not in span)
    named = set(MODULE.findall(code))

    assert not [name for name in named if not is_module(name)]


@every_document
def test_every_table_that_is_named_exists(document):
    named = {name for span in spans(read(document)) for name in TABLE.findall(span)}

    assert {f"cvms.{name}" for name in named} - {"cvms.sql"} <= set(
        tables.METADATA.tables
    )


@pytest.mark.parametrize(
    "document",
    [d for d in DOCUMENTS if d.parent.name != "samples"],
    ids=lambda path: path.name,
)
def test_no_line_of_prose_is_too_long(document):
    long = [
        line
        for line in read(document).splitlines()
        if len(line) > MAX_LINE and not line.startswith("|")
    ]

    assert not long


@pytest.mark.parametrize("text", quoted_errors())
def test_every_quoted_error_is_in_the_code(text, words_of_the_code):
    assert text in words_of_the_code


@pytest.mark.parametrize("page", DECISIONS, ids=lambda path: path.name)
def test_a_decision_has_context_decision_and_consequences(page):
    headings = re.findall(r"^## (.+)$", read(page), re.MULTILINE)

    assert headings == ["Context", "Decision", "Consequences"]


@pytest.mark.parametrize("page", DECISIONS, ids=lambda path: path.name)
def test_every_decision_is_in_the_list(page):
    listed = LINK.findall(read(ROOT / "docs/decisions/README.md"))

    assert page.name in listed


def test_the_readme_has_one_diagram_and_begins_with_the_two_commands():
    fences = FENCE.findall(read(ROOT / "README.md"))

    assert [language for language, _ in fences].count("mermaid") == 1
    assert fences[0] == ("", "make demo\nmake test\n")
