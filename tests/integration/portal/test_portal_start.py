"""What is ready before the portal answers anybody."""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import portals
import pytest
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


_HEAPS = """
import ctypes, pathlib, sys, threading
from cvms_pipeline.portal.site import serving
if sys.argv[1] == "limited":
    serving._limit_arenas()
together = threading.Barrier(8)
def work():
    kept = [bytes(100_000) for _ in range(20)]
    together.wait()
threads = [threading.Thread(target=work) for _ in range(8)]
for each in threads:
    each.start()
for each in threads:
    each.join()
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
file = ctypes.c_void_p(libc.fopen(sys.argv[2].encode(), b"w"))
libc.malloc_info(0, file)
libc.fclose(file)
print(pathlib.Path(sys.argv[2]).read_text().count("<heap nr="))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has them")
def test_the_threads_of_a_portal_share_their_memory(tmp_path):
    heaps = [
        subprocess.run(  # noqa: S603 # our own words
            [sys.executable, "-c", _HEAPS, how, str(tmp_path / how)],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for how in ("limited", "as it is")
    ]

    assert int(heaps[0]) <= 2 < int(heaps[1])
