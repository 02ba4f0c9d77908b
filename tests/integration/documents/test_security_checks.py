"""What `make check` does for security: that it finds what it is there to find."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def script(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / ".ci" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


advisories = script("find_advisories")
SOUND = {"name": "good", "version": "1", "vulns": []}
UNKNOWN = {"name": "odd", "skip_reason": "Dependency not found on PyPI"}
FAULTY = {
    "name": "bad",
    "version": "2",
    "vulns": [{"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["3"]}],
}

# What pip-audit told, which faults are accepted, and what comes of it.
REPORTS = [
    pytest.param(None, set(), 0, "NOT CHECKED", id="out of reach"),
    pytest.param([UNKNOWN], set(), 0, "NOT CHECKED", id="an index without faults"),
    pytest.param([SOUND], set(), 0, "No known fault in 1", id="all sound"),
    pytest.param([SOUND, UNKNOWN], set(), 0, "NOT CHECKED: 1", id="one unknown"),
    pytest.param([SOUND, FAULTY], set(), 1, "bad 2: PYSEC-1", id="one faulty"),
    pytest.param([FAULTY], {"CVE-1"}, 0, "No known fault", id="an accepted one"),
]


@pytest.mark.parametrize(("packages", "accepted", "code", "said"), REPORTS)
def test_a_known_fault_fails_and_silence_is_told(packages, accepted, code, said):
    report = None if packages is None else {"dependencies": packages}

    ended, text = advisories.judged(report, accepted)

    assert (ended, said in text) == (code, True)


# Put together here, so that this file holds none.
LEAKS = [
    "password = '" + "hunter2hunter2" + "'",
    "url = 'postgresql://cvms:" + "x9Kd82mPqLs" + "@db/cvms'",
    "-----BEGIN " + "RSA PRIVATE KEY-----",
]


@pytest.mark.parametrize("leak", LEAKS)
def test_a_secret_in_a_file_is_found(tmp_path, leak):
    path = tmp_path / "settings.py"
    path.write_text(f"{leak}\n")

    ended = subprocess.run(  # noqa: S603 # our own words
        [sys.executable, ROOT / ".ci" / "find_secrets.py", path],
        capture_output=True,
        text=True,
    )

    assert ended.returncode == 1
    assert "settings.py:1" in ended.stderr
    assert leak not in ended.stderr
