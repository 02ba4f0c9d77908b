"""dlt: rows of a CSV merged into a table by their key; python dlt_merge.py FILE."""

import csv
import os
import sys
import urllib.parse
from pathlib import Path

import dlt
from dlt.destinations import postgres

KEY = ["first_name", "last_name", "date_of_birth"]


@dlt.resource(name="recipients", primary_key=KEY, write_disposition="merge")
def recipients(path):
    """Yield the rows of the file as one batch."""
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        yield list(csv.DictReader(file))


def main():
    """Merge the file."""
    database = postgres(credentials=libpq_url(os.environ["PEER_DATABASE_URL"]))
    pipeline = dlt.pipeline(
        pipeline_name="peer",
        pipelines_dir=os.environ["PEER_FOLDER"],
        destination=database,
        dataset_name="peer_dlt",
    )
    pipeline.run(recipients(sys.argv[1])).raise_on_failed_jobs()


def libpq_url(url):
    """Return the URL with a socket's folder where dlt wants the host."""
    parts = urllib.parse.urlsplit(url)
    asked = dict(urllib.parse.parse_qsl(parts.query))
    if "host" not in asked:
        return url
    host = urllib.parse.quote(asked["host"], safe="")
    place = f"{parts.username}:{parts.password}@{host}:{asked.get('port', 5432)}"
    return f"postgresql://{place}{parts.path}"


if __name__ == "__main__":
    main()
