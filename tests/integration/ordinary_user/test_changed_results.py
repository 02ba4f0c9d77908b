"""What a provider does in its results never fails a repeated run for ever."""

import os
import shutil
from pathlib import Path

import pytest
import users
from installations import BAD

from cvms_pipeline.use_cases import publish


@pytest.fixture
def made(site) -> tuple[str, Path]:
    """An upload with a rejected row, and its folder in the results."""
    upload_id = site.bring([BAD])
    (folder,) = (site.lane().parent / "results").iterdir()
    for each in (folder.parent, folder):
        each.chmod(0o777)
    return upload_id, folder


def close_receipt(folder: Path) -> None:
    (folder / "receipt.txt").unlink()
    (folder / "receipt.txt").write_text("of the provider")
    (folder / "receipt.txt").chmod(0)


def protect_receipt(folder: Path) -> None:
    (folder / "receipt.txt").unlink()
    (folder / "receipt.txt").write_text("of the provider")
    (folder / "receipt.txt").chmod(0o444)


def protect_folder_for_receipt(folder: Path) -> None:
    (folder / "receipt.txt").unlink()
    (folder / "receipt.txt").mkdir(mode=0o500)


def replace_folder(folder: Path, mode: int) -> None:
    shutil.rmtree(folder)
    folder.mkdir()
    (folder / "receipt.txt").write_text("of the provider")
    folder.chmod(mode)


def protect_folder(folder: Path) -> None:
    replace_folder(folder, 0o555)


def close_folder(folder: Path) -> None:
    replace_folder(folder, 0)


DEEDS = [
    close_receipt,
    protect_receipt,
    protect_folder_for_receipt,
    protect_folder,
    close_folder,
]


def is_ours(path: Path) -> bool:
    return path.stat().st_uid == users.SERVICE


@pytest.mark.parametrize("deed", DEEDS)
def test_a_repeated_run_publishes_beside_what_belongs_to_the_provider(
    site, made, as_provider, deed
):
    upload_id, folder = made
    with as_provider():
        deed(folder)

    published = publish.publish(site.pipeline, upload_id)

    ours = [path.name for path in folder.iterdir() if is_ours(path)]
    assert published.is_in_results
    assert sorted(ours) == ["BulkError.csv", "receipt.txt"]
    before = [*os.walk(folder.parent)]
    publish.publish(site.pipeline, upload_id)
    assert [*os.walk(folder.parent)] == before
