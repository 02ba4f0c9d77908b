"""docs/errors.md explains every error that can be raised, and every fault."""

import ast

import pytest
from test_documents import PACKAGE, ROOT, quoted_errors, read

from cvms_pipeline.domain.vocabulary import faults

PAGE = read(ROOT / "docs/errors.md")
TREES = [ast.parse(read(path)) for path in PACKAGE.rglob("*.py")]
NODES = [node for tree in TREES for node in ast.walk(tree)]
ROOTS = {"CvmsError", "TransientError", "PermanentError"}

MADE_FROM_A_FAULT = {  # which one, a code decides
    "StoreAway",
    "StoreError",
    "FolderAway",
    "DiskFull",
    "FolderForbidden",
    "FolderElsewhere",
    "MailServerAway",  # and those that derive from the same class
    "MailServerBusy",
    "MailServerSlow",
    "MailLoginFailed",
    "MailNotSecure",
}

MADE_OF_VALUES = {  # it names the setting or the option, and how that must be
    "SettingError",
    "ProviderInvalid",
    "EmailsInvalid",
    "NameInvalid",
    "PinInvalid",
    "SlugInvalid",
}


def last_name(node):
    return ast.unparse(node).rpartition(".")[2]


def error_classes():
    """Return the classes of errors by name, each below one of the ROOTS."""
    classes = [node for node in NODES if isinstance(node, ast.ClassDef)]
    found = {}
    while True:
        known = ROOTS | found.keys()
        new = {
            each.name: each
            for each in classes
            if each.name not in known and known & set(map(last_name, each.bases))
        }
        if not new:
            return found
        found |= new


def words_of(error):
    """Return the code of a class and of the calls that make its errors."""
    calls = [node for node in NODES if isinstance(node, ast.Call)]
    made = [call for call in calls if last_name(call.func) == error.name]
    texts = [
        part.value
        for node in (error, *made)
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    ]
    return "\0".join([*texts, *map(ast.unparse, (error, *made))])


@pytest.mark.parametrize("error", error_classes().values(), ids=lambda each: each.name)
def test_every_error_is_explained(error):
    words = words_of(error)
    is_fault = error.name in MADE_FROM_A_FAULT or "faults." in words
    is_listed = any(text in words for text in quoted_errors())

    assert is_fault or is_listed or error.name in MADE_OF_VALUES


@pytest.mark.parametrize("fault", faults.ALL, ids=lambda each: each.what)
def test_every_fault_is_explained(fault):
    what = fault.what.replace("server{place}", "server").format(place="…")

    assert f"| {what} | {fault.remedy} |" in PAGE


def test_every_fault_is_used():
    names = [name for name, each in vars(faults).items() if each in faults.ALL]
    used = [node.attr for node in NODES if isinstance(node, ast.Attribute)]
    used += [node.id for node in NODES if isinstance(node, ast.Name)]

    unused = [name for name in names if used.count(name) < 2]  # one is its declaration

    assert unused == []
