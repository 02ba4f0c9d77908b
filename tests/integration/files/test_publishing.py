"""Results beside the drop: whole, repeatable, and never written elsewhere."""

import grp
import os
import shutil
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from cvms_pipeline.files import provider_folders, reports

ID = "20260105-101500-abcdefgh"


@pytest.fixture
def results(folders) -> Path:
    return folders.root / "mercy-hospital" / "results"


def publish(folders, *, report=b"report", receipt="receipt", name="Ann's list.csv"):
    return reports.publish(
        folders,
        slug="mercy-hospital",
        upload_id=ID,
        file_name=name,
        report=report,
        receipt=receipt,
    )


def content(folder: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in folder.iterdir()}


def test_report_and_receipt_are_in_a_folder_named_after_the_file(folders, results):
    made = publish(folders)

    assert made == results / f"Ann_s_list-{ID}"
    assert content(made) == {"BulkError.csv": b"report", "receipt.txt": b"receipt"}
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    assert stat.S_IMODE((made / "BulkError.csv").stat().st_mode) == 0o600


def test_without_rejected_rows_there_is_a_receipt_only(folders):
    assert content(publish(folders, report=None)) == {"receipt.txt": b"receipt"}


def test_with_a_group_it_may_correct_the_results(folders):
    group = grp.getgrgid(os.getgid()).gr_name

    made = publish(replace(folders, group=group))

    assert stat.S_IMODE(made.stat().st_mode) == 0o2770
    assert stat.S_IMODE((made / "receipt.txt").stat().st_mode) == 0o660


def test_publishing_again_changes_nothing(folders, results):
    made = publish(folders)
    before = [(each.name, each.stat().st_ino) for each in sorted(made.iterdir())]

    publish(folders)

    assert [made] == list(results.iterdir())
    assert before == [
        (each.name, each.stat().st_ino) for each in sorted(made.iterdir())
    ]


def test_a_file_that_the_provider_changed_is_kept_beside_the_new_one(folders):
    made = publish(folders)
    (made / "BulkError.csv").write_bytes(b"corrected by hand")

    publish(folders)

    assert content(made) == {
        "BulkError.csv": b"report",
        "BulkError-earlier.csv": b"corrected by hand",
        "receipt.txt": b"receipt",
    }


def test_everything_that_the_provider_changed_is_kept(folders):
    made = publish(folders)
    for text in (b"first", b"second"):
        (made / "BulkError.csv").write_bytes(text)
        publish(folders)

    assert content(made) == {
        "BulkError.csv": b"report",
        "BulkError-earlier.csv": b"first",
        "BulkError-earlier-2.csv": b"second",
        "receipt.txt": b"receipt",
    }


def fill(folder: Path) -> None:
    folder.mkdir()
    (folder / "file").write_bytes(b"of the provider")


def folder_for_receipt(made: Path) -> None:
    (made / "receipt.txt").unlink()
    fill(made / "receipt.txt")


def folders_for_receipts(made: Path) -> None:
    folder_for_receipt(made)
    fill(made / "receipt-earlier.txt")


def folder_for_report(made: Path) -> None:
    (made / "BulkError.csv").unlink()
    fill(made / "BulkError.csv")


def pipe_for_report(made: Path) -> None:
    (made / "BulkError.csv").unlink()
    os.mkfifo(made / "BulkError.csv")


def file_for_folder(made: Path) -> None:
    shutil.rmtree(made)
    made.write_bytes(b"of the provider")


def file_for_folder_beside_an_earlier_folder(made: Path) -> None:
    file_for_folder(made)
    fill(made.with_name(f"{made.name}-earlier"))


# What a provider has put under a name of ours.
DEEDS = [
    folder_for_receipt,
    folders_for_receipts,
    folder_for_report,
    pipe_for_report,
    file_for_folder,
    file_for_folder_beside_an_earlier_folder,
]


@pytest.mark.parametrize("deed", DEEDS)
def test_what_a_provider_put_under_our_names_is_kept_beside_the_results(
    folders, results, deed
):
    made = publish(folders)
    deed(made)
    before = sorted(path.stat().st_ino for path in results.rglob("*"))

    publish(folders)

    assert (made / "BulkError.csv").read_bytes() == b"report"
    assert (made / "receipt.txt").read_bytes() == b"receipt"
    after = {path.stat().st_ino for path in results.rglob("*")}
    assert after.issuperset(before)
    assert publish(folders) == made  # and again
    assert {path.stat().st_ino for path in results.rglob("*")} == after


def test_a_report_that_the_provider_removed_is_published_again(folders, results):
    made = publish(folders)
    (made / "BulkError.csv").unlink()
    publish(folders)
    assert content(made) == {"BulkError.csv": b"report", "receipt.txt": b"receipt"}

    for each in made.iterdir():
        each.unlink()
    made.rmdir()
    results.rmdir()

    assert len(content(publish(folders))) == 2


def test_leftovers_of_a_crash_are_removed(folders, results):
    half = results / f".Ann_s_list-{ID}.0123.tmp"
    half.mkdir()
    (half / "receipt.txt").write_bytes(b"half")

    made = publish(folders)

    assert list(results.iterdir()) == [made]


def test_results_that_are_a_link_are_refused(folders, results, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    results.rmdir()
    results.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(reports.ResultsForbidden, match="is a link"):
        publish(folders)

    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_link_in_place_of_the_results_folder_is_moved_aside(
    folders, results, tmp_path
):
    (tmp_path / "elsewhere").mkdir()
    (results / f"Ann_s_list-{ID}").symlink_to(tmp_path / "elsewhere")

    made = publish(folders)

    assert len(content(made)) == 2
    assert not made.is_symlink()
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_link_in_place_of_a_file_is_not_written_through(folders, tmp_path):
    made = publish(folders)
    (tmp_path / "precious").write_bytes(b"precious")
    (made / "receipt.txt").unlink()
    (made / "receipt.txt").symlink_to(tmp_path / "precious")

    publish(folders)

    assert (made / "receipt.txt").read_bytes() == b"receipt"
    assert (tmp_path / "precious").read_bytes() == b"precious"


@pytest.mark.parametrize("slug", ["nobody", "../mercy-hospital", ""])
def test_a_provider_without_a_folder_gets_no_results(folders, slug):
    with pytest.raises(provider_folders.ProviderFolderMissing):
        reports.publish(
            folders,
            slug=slug,
            upload_id=ID,
            file_name="a.csv",
            report=None,
            receipt="",
        )
