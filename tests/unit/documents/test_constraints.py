"""constraints.txt, the exact tested set: it is what setup.py asks for, with hashes.

Nothing is asked of a network: what a package needs is known from what is installed.
"""

import functools
import importlib.metadata
import re
import runpy
from pathlib import Path

import packaging.markers
import packaging.requirements
import packaging.utils
import pytest
import setuptools

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "constraints.txt").read_text("utf-8")
ENTRIES = re.findall(r"^(\w.*?) \\\n((?:    --hash=.*\n)+)", TEXT, re.MULTILINE)
PINS = [packaging.requirements.Requirement(pin) for pin, _ in ENTRIES]

# What `make lock` asks for: `sys_platform`, `platform_system`, `platform_machine`.
PYTHONS = ["3.11", "3.12", "3.13"]
SYSTEMS = [
    ("linux", "Linux", "x86_64"),
    ("linux", "Linux", "aarch64"),
    ("darwin", "Darwin", "arm64"),
]
ENVIRONMENTS = [
    packaging.markers.default_environment()
    | {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": platform,
        "platform_system": system,
        "platform_machine": machine,
    }
    for python in PYTHONS
    for platform, system, machine in SYSTEMS
]

every_environment = pytest.mark.parametrize(
    "environment",
    ENVIRONMENTS,
    ids=lambda each: f"{each['python_version']} {each['platform_machine']}",
)


def applies(requirement, environment, extras=("",)):
    marker = requirement.marker
    return not marker or any(
        marker.evaluate(environment | {"extra": extra}) for extra in extras
    )


def read_pins(environment):
    """Return the version of each package that is installed there."""
    return {
        packaging.utils.canonicalize_name(pin.name): str(pin.specifier)[2:]
        for pin in PINS
        if applies(pin, environment)
    }


@functools.cache
def read_needs(name):
    """Return what an installed package needs; nothing is known of another one."""
    try:
        needs = importlib.metadata.requires(name) or ()
    except importlib.metadata.PackageNotFoundError:
        return []
    return [packaging.requirements.Requirement(need) for need in needs]


def find_unmet(pins, environment, requirements):
    """Return what no pin satisfies, also of what the packages need themselves.

    The second value names the packages that were needed.
    """
    waiting, unmet, seen = [(need, ("",)) for need in requirements], [], set()
    while waiting:
        need, extras = waiting.pop()
        if not applies(need, environment, extras):
            continue
        name = packaging.utils.canonicalize_name(need.name)
        if name not in pins or not need.specifier.contains(pins[name], True):
            unmet.append(str(need))
        elif (name, *need.extras) not in seen:
            seen.add((name, *need.extras))
            waiting += [(each, ("", *need.extras)) for each in read_needs(name)]
    return unmet, {name for name, *_ in seen}


@pytest.fixture(scope="module")
def asked():
    """What setup.py asks for, with every extra."""
    given = {}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(setuptools, "setup", given.update)
        patched.chdir(ROOT)
        runpy.run_path("setup.py")
    extras = [each for needs in given["extras_require"].values() for each in needs]
    texts = [*given["install_requires"], *extras]
    return [packaging.requirements.Requirement(text) for text in texts]


@every_environment
def test_everything_that_setup_py_asks_for_is_pinned(asked, environment):
    unmet, _ = find_unmet(read_pins(environment), environment, asked)

    assert not unmet, "constraints.txt is stale: make lock"


def test_an_old_and_a_missing_package_are_found(asked):
    pins = read_pins(ENVIRONMENTS[0]) | {"dagster": "1.0"}
    del pins["amqp"]  # that kombu needs

    unmet, _ = find_unmet(pins, ENVIRONMENTS[0], asked)

    assert {"dagster", "amqp"} == {re.match(r"[a-z]+", each)[0] for each in unmet}


def test_nothing_is_pinned_that_nobody_needs(asked):
    needed = set()
    for environment in ENVIRONMENTS:
        needed |= find_unmet(read_pins(environment), environment, asked)[1]
    installed = {
        packaging.utils.canonicalize_name(each.name)
        for each in importlib.metadata.distributions()
    }
    pinned = set().union(*map(read_pins, ENVIRONMENTS))

    assert not (pinned & installed) - needed, "constraints.txt is stale: make lock"


def test_every_package_has_one_exact_version_and_hashes():
    names = {pin.name for pin in PINS}

    assert len(names) == len(PINS) == len(re.findall(r"^\w", TEXT, re.MULTILINE))
    assert all(re.match(r"[\w.-]+==[\w.!+]+( ; .*)?$", pin) for pin, _ in ENTRIES)
    hashes = [each for _, lines in ENTRIES for each in lines.split()]
    assert set(hashes) - {"\\"} == set(
        re.findall(r"--hash=sha256:[0-9a-f]{64}\b", TEXT)
    )


def test_no_index_is_written_into_the_file():
    options = [line for line in TEXT.splitlines() if line.startswith("-")]

    assert not options
    assert "://" not in TEXT


def test_set_up_and_image_install_only_what_has_one_of_the_hashes():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    image = (ROOT / "deploy/Dockerfile").read_text("utf-8")

    for text in (makefile, image):
        joined = text.replace("\\\n", " ")
        fetching = [
            line
            for line in joined.splitlines()
            if re.search(r"pip (.* )?(install|download|wheel) |\$\(INSTALL\) ", line)
            and "INSTALL :=" not in line
        ]
        assert fetching
        assert all(
            "--no-index" in line
            or ("--require-hashes" in line and "--only-binary :all:" in line)
            for line in fetching
        )
