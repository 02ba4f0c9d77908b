"""What is ready before the portal answers anybody."""

import json
import os
import subprocess
import sys
from pathlib import Path

import portals
from installations import ANN, BAD, BOB, HEADER

SCRIPT = Path(__file__).with_name("first_review.py")
ROWS = [ANN, BAD, BOB, BOB, "Lee,Ann,1/2/1990,x@b.org", "Éva,Orr,2/3/1991,e@b.org"]


def test_the_first_review_in_a_process_imports_nothing(site, portal_url):
    site.add_account(has_factor=False)
    content = "\n".join([HEADER, *ROWS, "a,b", "a,b,c,d,e"])
    environment = {
        **{n: value for n, value in os.environ.items() if not n.startswith("CVMS_")},
        "CVMS_HOME": str(site.installation.home),
        "CVMS_DATABASE_URL": portal_url.replace("+psycopg2", ""),
        "CVMS_REQUIRE_SECOND_FACTOR": "false",
    }

    ended = subprocess.run(  # noqa: S603 # our own words
        [sys.executable, SCRIPT, "ann@mercy.example.org", portals.PASSWORD, content],
        env=environment,
        cwd=site.installation.home,
        capture_output=True,
        text=True,
    )

    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout) == []
