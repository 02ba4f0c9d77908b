"""frictionless: every cell judged by a schema; python frictionless_validate.py FILE."""

import os
import sys
from pathlib import Path

import frictionless

NAME = {"required": True, "maxLength": 80, "pattern": r"[^\W\d_][\w .'\u2019-]*"}
FIELDS = [
    {"name": "First name", "type": "string", "constraints": NAME},
    {"name": "Last name", "type": "string", "constraints": NAME},
    {
        "name": "Date of birth",
        "type": "date",
        "format": "%m/%d/%Y",
        "constraints": {"required": True, "maximum": "12/31/2025"},
    },
    {
        "name": "Email",
        "type": "string",
        "format": "email",
        "constraints": {"required": True},
    },
]


def main():
    """Validate the file; print how many rows have errors."""
    path = Path(sys.argv[1])
    os.chdir(path.parent)
    report = frictionless.validate(
        path.name,
        schema=frictionless.Schema.from_descriptor({"fields": FIELDS}),
        limit_errors=100_000,
    )
    tasks = report.flatten(["rowNumber", "type"])
    print(len({number for number, _ in tasks}))


if __name__ == "__main__":
    main()
