"""What is done for the security of the code and of the packages that it needs."""

import hashlib
import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


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
def test_a_known_vulnerability_fails_and_an_unanswered_query_is_reported(
    packages, accepted, code, said
):
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


def write_wheel(folder, code):
    path = folder / "harmless-1.0-py3-none-any.whl"
    metadata = "Metadata-Version: 2.1\nName: harmless\nVersion: 1.0\n"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("harmless.py", code)
        wheel.writestr("harmless-1.0.dist-info/METADATA", metadata)
        wheel.writestr(
            "harmless-1.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        wheel.writestr("harmless-1.0.dist-info/RECORD", "")
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_package_with_other_bytes_than_those_tested_is_not_installed(tmp_path):
    for name in ("Makefile", "setup.py"):
        shutil.copy(ROOT / name, tmp_path)
    tested = write_wheel(tmp_path, "safe = True\n")
    line = f"harmless==1.0 --hash=sha256:{tested}\n"
    (tmp_path / "constraints.txt").write_text(line)
    write_wheel(tmp_path, "safe = False\n")

    ended = subprocess.run(  # noqa: S603 # our own words
        ["make", f"PYTHON={sys.executable}", "setup"],  # noqa: S607 # of the system
        cwd=tmp_path,
        env=os.environ | {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)},
        capture_output=True,
        text=True,
    )

    assert ended.returncode
    assert "DO NOT MATCH THE HASHES" in ended.stderr
    assert not list(tmp_path.rglob("harmless.py"))


def test_the_list_of_packages_is_valid_and_names_every_one(tmp_path):
    path = tmp_path / "sbom.json"
    words = ["environment", "--validate", "--output-reproducible", "--output-file"]
    program = Path(sys.executable).with_name("cyclonedx-py")

    subprocess.run([program, *words, path, sys.executable], check=True)  # noqa: S603

    text = path.read_text("utf-8")
    installed = sysconfig.get_path("purelib")
    for found in importlib.metadata.distributions(path=[installed]):
        assert f'"{found.name}=={found.version}"' in text
    assert f"cyclonedx-py {' '.join(words)} " in (ROOT / "Makefile").read_text("utf-8")
