"""Entries in a provider folder that are no files, and unusual file names."""

import os
import stat
from pathlib import Path

import pytest
from installations import ANN, HEADER, HIGH

from cvms_pipeline.files import claims

SECRET = "Zoe,Secret,1/2/1990,zoe@b.example.org"
GIGABYTES = 2 * 1024**3


def link(path: Path, secret: Path) -> None:
    path.symlink_to(secret)


def link_to_a_folder(path: Path, secret: Path) -> None:
    path.symlink_to(secret.parent, target_is_directory=True)


def dangling_link(path: Path, secret: Path) -> None:
    path.symlink_to("nowhere")


def link_to_itself(path: Path, secret: Path) -> None:
    path.symlink_to(path.name)


def pipe(path: Path, secret: Path) -> None:
    os.mkfifo(path)


def folder(path: Path, secret: Path) -> None:
    path.mkdir()
    (path / "inside.csv").write_text(f"{HEADER}\n{ANN}", "utf-8")


NOT_FILES = [link, link_to_a_folder, dangling_link, link_to_itself, pipe, folder]
DEVICES = [
    (stat.S_IFCHR, os.makedev(1, 5)),  # /dev/zero: it never ends
    (stat.S_IFBLK, os.makedev(7, 0)),  # a loop device
]
NAMES = [
    b"a\nb.csv",
    b"a\r\nBcc: x@evil.example.org\r\n\r\nb.csv",
    b"x\\..\\..\\y.csv",
    b"%2e%2e%2fx.csv",
    b" .csv",
    b"x" * 251 + b".csv",  # 255 bytes
    "é".encode() * 125 + b".csv",
    b"\xff\xfe\x80.csv",  # not UTF-8
    b"\xed\xa0\x80.csv",  # half of a surrogate pair
    "\u202eexe.csv".encode(),  # shown as exe.csv
    b"=cmd|' calc'!A0.csv",
    b"<img src=x onerror=alert(1)>.csv",
    b"[x](javascript:alert(1)) **b**.csv",
    b"'; DROP TABLE cvms.uploads; --.csv",
    b"{0.__class__} %s %(x)s ${HOME} $(id) `id`.csv",
    b"\x1b[2J\x07.csv",  # clears a terminal
    b"staff.csv\t",
    b"CON",
    b"-rf",
]


def refusal_of(site, upload_id):
    site.process(upload_id)
    refusal = site.upload(upload_id).refusal
    return refusal.code if refusal else None


@pytest.mark.parametrize("made", NOT_FILES)
def test_links_pipes_and_folders_are_refused_and_not_followed(site, tmp_path, made):
    secret = tmp_path / "secret" / "secret.csv"
    secret.parent.mkdir()
    secret.write_text(f"{HEADER}\n{SECRET}", "utf-8")
    made(site.lane() / "x.csv", secret)

    (taken,) = site.take_in()

    assert refusal_of(site, taken.id) == "not-a-file"
    assert not site.pipeline.archive.has(taken.id)
    assert site.column("SELECT count(*) FROM cvms.recipients") == [0]
    assert secret.read_text("utf-8") == f"{HEADER}\n{SECRET}"


@pytest.mark.parametrize(("kind", "device"), DEVICES)
def test_a_device_is_refused_without_being_opened(site, kind, device):
    if os.getuid() != 0:
        pytest.skip("NOT TESTED: only root can make a device node")
    try:
        os.mknod(site.lane() / "x.csv", kind | 0o666, device)
    except PermissionError:
        pytest.skip("NOT TESTED: this machine lets not even root make a device node")

    (taken,) = site.take_in()

    assert refusal_of(site, taken.id) == "not-a-file"


def test_a_hard_link_is_loaded_and_a_later_change_has_no_effect(site, tmp_path):
    kept = tmp_path / "incoming-twin.csv"
    path = site.drop([ANN])
    os.link(path, kept)
    (taken,) = site.take_in()

    kept.write_text("overwritten", "utf-8")

    assert refusal_of(site, taken.id) is None
    assert site.upload(taken.id).loaded == 1


@pytest.mark.parametrize("name", NAMES)
def test_an_unusual_file_name_is_shown_and_never_part_of_a_path(site, tmp_path, name):
    lane = os.fsencode(site.lane())
    before = set(tmp_path.iterdir())
    Path(os.fsdecode(lane + b"/" + name)).write_text(
        f"{HEADER}\n{ANN}\nBob,,,", "utf-8"
    )

    (taken,) = site.take_in()
    site.process(taken.id)

    ended = site.upload(taken.id)
    assert (ended.loaded, ended.rejected) == (1, 1)
    assert ended.file_name.isprintable()
    assert site.results() == ["BulkError.csv", "receipt.txt"]
    (results,) = (site.pipeline.folders.root / "mercy" / "results").iterdir()
    assert results.name.endswith(taken.id)
    assert set(results.name) <= set(SAFE)
    assert set(tmp_path.iterdir()) == before | {tmp_path / "data"}
    (notice,) = [m for m in site.mail() if m["To"] == "staff@mercy.example.org"]
    assert notice["Subject"] == "Bulk Employee Upload - Failure"
    assert notice["Bcc"] is None


def test_two_gigabytes_are_refused_without_being_read(site, monkeypatch):
    with (site.lane() / "huge.csv").open("wb") as file:
        file.truncate(GIGABYTES)  # takes no room
    monkeypatch.setattr(claims, "_read", None)  # calling it would fail

    (taken,) = site.take_in()

    assert (taken.size, taken.sha256) == (GIGABYTES, None)
    assert refusal_of(site, taken.id) == "file-too-large"
    refused = site.upload(taken.id).refusal
    assert refused.message.startswith("The file has more than 10,000,000 bytes.")


def test_one_line_of_a_hundred_megabytes_is_refused_without_being_read(
    site, monkeypatch
):
    path = site.lane(lane=HIGH) / "line.csv"
    path.parent.mkdir(exist_ok=True)
    with path.open("wb") as file:
        file.write(HEADER.encode() + b"\n")
        for _ in range(100):
            file.write(b"x" * 1_000_000)
    monkeypatch.setattr(claims, "_read", None)

    (taken,) = site.take_in()

    assert refusal_of(site, taken.id) == "file-too-large"


SAFE = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
