"""The least that a Singer tap writes for a CSV; python singer_messages.py FILE."""

import csv
import json
import sys
from pathlib import Path

KEY = ["first_name", "last_name", "date_of_birth"]


def main():
    """Write one schema, then one record a row."""
    with Path(sys.argv[1]).open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        names = [name.lower().replace(" ", "_") for name in rows.fieldnames]
        kinds = {name: {"type": ["string", "null"]} for name in names}
        tell(type="SCHEMA", schema={"properties": kinds}, key_properties=KEY)
        for row in rows:
            tell(type="RECORD", record=dict(zip(names, row.values(), strict=True)))


def tell(**message):
    """Write one message."""
    sys.stdout.write(json.dumps({"stream": "recipients", **message}) + "\n")


if __name__ == "__main__":
    main()
