"""Finds what looks like a secret in the files of the project (`make check`).

detect-secrets looks; what it finds and is none, pyproject.toml lists with the reason.
"""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

from detect_secrets import SecretsCollection
from detect_secrets.settings import default_settings

ROOT = Path(__file__).parents[1]


def files() -> list[str]:
    """Return the files that are or may be committed, as git tells."""
    options = ["--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(  # noqa: S603  # our own words
        ["git", "ls-files", *options],  # noqa: S607  # nosec B607  # whichever git
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [name for name in listed.stdout.split("\0") if (ROOT / name).is_file()]


def found(names: list[str], known: set[str]) -> list[str]:
    """Return where something looks like a secret and is not one of the known."""
    os.chdir(ROOT)
    secrets = SecretsCollection()
    with default_settings():
        for name in names:
            secrets.scan_file(name)
    return [
        f"{name}:{secret.line_number}: {secret.type}"
        for name, secret in secrets
        if secret.secret_value not in known
    ]


def main() -> int:
    """Return how many were found, at most 1, and say where."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    told = found(sys.argv[1:] or files(), set(config["tool"]["find-secrets"]["known"]))
    for each in told:
        sys.stderr.write(f"Looks like a secret: {each}\n")
    if told:
        sys.stderr.write(
            "If it is none, add it to [tool.find-secrets] with a reason.\n"
        )
    return min(len(told), 1)


if __name__ == "__main__":
    sys.exit(main())
