"""Asks for known faults of the packages in constraints.txt (`make check`).

pip-audit asks PyPI.  Where that cannot be reached, or the index there knows nothing of
faults, nothing is proved and nothing fails: it is said in capitals.
"""

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
_SECONDS = 120


def ask() -> dict[str, Any] | None:
    """Return pip-audit's report, or None if it could not be had."""
    options = ["--no-deps", "--disable-pip", "--timeout=5", "--progress-spinner=off"]
    source = ["--requirement", str(ROOT / "constraints.txt"), "--format=json"]
    try:
        ended = subprocess.run(  # noqa: S603  # our own words
            [sys.executable, "-m", "pip_audit", *options, *source],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
        )
        report: dict[str, Any] = json.loads(ended.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        return None
    return report


def judged(report: dict[str, Any] | None, accepted: set[str]) -> tuple[int, str]:
    """Return the exit code and what to say.

    Args:
        report: What pip-audit told, or None.
        accepted: The faults that pyproject.toml lists with the reason.
    """
    packages = report["dependencies"] if report else []
    asked = [package for package in packages if "vulns" in package]
    if not asked:
        return 0, "NOT CHECKED FOR KNOWN FAULTS: the advisories cannot be reached.\n"
    faults = [
        f"{package['name']} {package['version']}: {fault['id']}"
        f" (mended in {', '.join(fault['fix_versions']) or 'no version'})\n"
        for package in asked
        for fault in package["vulns"]
        if not {fault["id"], *fault["aliases"]} & accepted
    ]
    if faults:
        return 1, "Packages with known faults:\n" + "".join(faults)
    left = len(packages) - len(asked)
    more = f" NOT CHECKED: {left} that PyPI does not know." if left else ""
    return 0, f"No known fault in {len(asked)} packages.{more}\n"


def main() -> int:
    """Ask, and say what was found."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    code, text = judged(ask(), set(config["tool"]["find-advisories"]["accepted"]))
    sys.stderr.write(text)
    return code


if __name__ == "__main__":
    sys.exit(main())
