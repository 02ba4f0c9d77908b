"""Fifty files by three ways: `cvms check`, a dropped file, and the portal.

Each way says the same of each file: it is refused with the same sentence, or the same
rows load and are rejected with the same texts.
"""

import html
import io
import json
from pathlib import Path

import portals
import pytest
from django import test
from installations import ANN, BAD, BOB, HEADER

from cvms_pipeline.cli.__main__ import app
from cvms_pipeline.use_cases import history
from cvms_pipeline.use_cases.provider_actions import review

TESTS = Path(__file__).parents[2]
FOLDERS = (
    Path(__file__).with_name("files"),  # what people sent to other systems
    TESTS.parent / "data" / "samples",
    TESTS / "unit" / "data",
    TESTS / "unit" / "data" / "user_guide",
)
MADE = {
    "nothing": b"",
    "a header alone": HEADER.encode(),
    "blank rows alone": f"{HEADER}\n,,,\n\n".encode(),
    "a NUL byte": f"{HEADER}\n{ANN}\0\n".encode(),
    "UTF-16": "\r\n".join([HEADER, ANN, BAD]).encode("utf-16"),
    "a column twice": f"{HEADER},Email\n{ANN},x".encode(),
    "too many bytes": b"x" * 10_000_001,
    "101 rows": "\n".join(
        [HEADER, *(f"A{chr(97 + n // 26)}{chr(97 + n % 26)},Lee,1/2/1990,a{n}@b.org"
                   for n in range(101))]
    ).encode(),
    "5,001 rows": "\n".join([HEADER, *[ANN] * 5_001]).encode(),
    "rows of all kinds": "\r".join([HEADER, ANN, BOB, BOB, BAD, "a,b", "a,b,c,d,e"])
    .encode(),
}  # fmt: skip
ENDINGS = (".csv", ".xls", ".xlsx")


def list_files() -> dict[str, bytes]:
    found = (path for folder in FOLDERS for path in sorted(folder.iterdir()))
    files = {p.name: p.read_bytes() for p in found if p.suffix in ENDINGS}
    return files | MADE


def check(capsys, path: Path):
    """Return what the command line says: refusal, counts, and texts by line."""
    capsys.readouterr()
    words = ["check", str(path), "--lane", "low_volume", "--json"]
    with pytest.raises(SystemExit):
        app(words, prog_name="cvms")
    said = json.loads(capsys.readouterr().out)
    return {
        "refusal": said["refusal"] and said["refusal"]["message"],
        "loads": said["loadable"],
        "rejected": {each["line"]: each["message"] for each in said["rejections"]},
    }


def drop(site, data: bytes):
    """Return the same of a dropped file that was processed."""
    return read(site, site.bring(data, file_name="staff.csv"))


def read(site, upload_id: str):
    """Return the same of an upload."""
    found = site.upload(upload_id)
    messages = history.read_rejected_rows(site.pipeline, found)["message"]
    return {
        "refusal": found.refusal and found.refusal.message,
        "loads": found.loaded,
        "rejected": messages.to_dict(),
    }


def send(site, browser, data: bytes):
    """Return what the review of a file says, and what was loaded after it.

    The second is None if it is refused.
    """
    file = io.BytesIO(data)
    file.name = "staff.csv"
    answer = browser.post("/bulk/", {"file": file}, follow=True)
    text = html.unescape(portals.text_of(answer))
    ids = [each.name for each in site.pipeline.reviews.root.glob("*") if each.is_dir()]
    if not ids:
        return {"refusal": find_refusal(text), "loads": 0, "rejected": {}}, None
    shown = review.read(site.pipeline, ids[0], provider="mercy")
    outcome = shown.checked.outcome
    for words in shown.problems["text"]:
        assert " ".join(words.split()) in text
    said = {
        "refusal": outcome.refusal and outcome.refusal.message,
        "loads": outcome.loaded,
        "rejected": shown.checked.rejected_rows["message"].to_dict(),
    }
    if shown.is_for_high_volume:
        assert said["refusal"] in text
        browser.post(f"/bulk/review/{ids[0]}/cancel/")
        return said, None
    browser.post(f"/bulk/review/{ids[0]}/create/")
    site.process(ids[0])
    made = read(site, ids[0])
    site.pipeline.reviews.remove(ids[0])
    return said, made


def find_refusal(text: str) -> str:
    """Return the sentence of the summary at the top of the page."""
    return text.partition("There is a problem ")[2].partition(" Low Volume (100)")[0]


def forget(site) -> None:
    site.execute("TRUNCATE cvms.uploads, cvms.recipients, cvms.messages CASCADE")


@test.override_settings(ACCOUNT_RATE_LIMITS={"upload": "1000/h/user"})
def test_a_file_is_told_the_same_by_every_way(site, capsys, tmp_path):
    browser = site.browser_of(site.add_account())
    installation, differences = site.installation, {}
    files = list_files()
    assert len(files) >= 50

    for name, data in files.items():
        path = tmp_path / "staff.csv"
        path.write_bytes(data)
        checked = check(capsys, path)
        reviewed, created = send(installation, browser, data)
        forget(installation)
        dropped = drop(installation, data)
        forget(installation)
        ways = [checked, reviewed, dropped, *([created] if created else [])]
        if any(way != checked for way in ways):
            differences[name] = ways

    assert differences == {}
