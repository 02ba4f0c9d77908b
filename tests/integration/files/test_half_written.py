"""Writers of every habit, while uploads are taken in: never part of a file."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cvms_pipeline.domain import upload
from cvms_pipeline.files import claims, incoming

PARTS = [b"a" * 200, b"b" * 200, b"c" * 200]
WHOLE = b"".join(PARTS)


def slowly(path: Path) -> None:
    with path.open("wb") as file:
        for part in PARTS:
            file.write(part)
            file.flush()
            time.sleep(0.3)  # longer than the quiet time, and than the settle time


def in_bursts(path: Path) -> None:
    for part in PARTS:
        with path.open("ab") as file:
            file.write(part)


def renamed_into_place(path: Path) -> None:
    half = path.with_name(f"{path.name}.part")
    slowly(half)
    half.rename(path)


def replaced(path: Path) -> None:
    for _ in range(3):
        new = path.with_name(f".{path.name}")
        new.write_bytes(WHOLE)
        new.replace(path)


def deleted(path: Path) -> None:
    path.write_bytes(WHOLE)
    path.unlink(missing_ok=True)  # unless it has been taken


WRITERS = [slowly, in_bursts, renamed_into_place, replaced, deleted]


@pytest.mark.parametrize("write", WRITERS)
def test_only_whole_files_are_taken_in(
    folders, lane, shelves, later, write: Callable[[Path], None]
):
    writers = [
        threading.Thread(target=write, args=(lane / f"{number}.csv",))
        for number in range(5)
    ]
    for writer in writers:
        writer.start()

    taken = set()
    while any(writer.is_alive() for writer in writers) or left(folders, later):
        taken |= take(folders, shelves, later)

    assert {shelves.read(upload_id) for upload_id in taken} <= {WHOLE}
    assert len(taken) >= (0 if write is deleted else 5)


def left(folders, later):
    found = incoming.look(folders, now=later(0))
    return found or claims.open_claims(folders)


def take(folders, shelves, later):
    for found in incoming.look(folders, now=later(0)):
        if found.is_settled:
            claims.claim(
                folders, found, upload_id=upload.new_id(later(0)), now=later(0)
            )
    stored = set()
    for each in claims.open_claims(folders):
        if claims.finish(folders, each, shelves, now=later(0)) is not None:
            claims.discard(folders, each)
            stored.add(each.upload_id)
    return stored
