"""Notes in `results` about files that are not taken in: when, in which words, once."""

import os
import shutil
from pathlib import Path

import pytest
from installations import ANN, BOB

from cvms_pipeline.use_cases import receive

HEAD = "This file was not taken in, because "
MOVE = (
    "\n\nMove it into your folder low_volume if it has up to 100 rows, or into your"
    " folder high_volume if it has up to 5,000 rows."
)
RENAME = (
    "\n\nIf it is to be loaded, give it a name that ends in .csv, such as staff.csv."
    " If not, you can remove it."
)
DIRECTLY = "it is directly in your folder, outside of low_volume and high_volume."
PROGRAM = "its name is that of a backup, temporary or lock file of a program."
CONFLICT = (
    "its name is that of a conflict copy, which a program that synchronises folders"
    " makes when a file was changed in two places."
)
HIDDEN = "its name begins with a dot, as those of hidden and unfinished files do."

# A file in no lane, and why it is not taken in.
MISPLACED = [
    ("staff.csv", DIRECTLY),
    ("2026/staff.csv", "your folder 2026 is not one for uploads."),
    ("a/b/c/staff.csv", "your folder a/b/c is not one for uploads."),
    ("Results/staff.csv", "your folder Results is not one for uploads."),
]

# A name in a lane, and why the file is not taken in.
LEFT = [
    ("staff.csv~", PROGRAM),
    ("staff.bak", PROGRAM),
    (".staff.csv.swp", PROGRAM),
    (".~lock.staff.csv#", PROGRAM),
    ("staff.csv.6eF5b5da", PROGRAM),
    ("staff (Ann's conflicted copy 2026-01-02).csv", CONFLICT),
    ("staff.sync-conflict-20260102-030405-ABCDEFG.csv", CONFLICT),
    (".staff.csv", HIDDEN),
]

# A name in a lane that people give, and why the file is not taken in.
OTHERS = [
    ("photo.png", "its name ends in .png, and uploads end in .csv, .txt or .tsv."),
]

# What nobody is informed about.
SYSTEM = [
    "@eaDir/staff.csv",
    "#recycle/staff.csv",
    "lost+found/staff.csv",
    "Thumbs.db",
    "low_volume/.DS_Store",
    "low_volume/._staff.csv",
    "low_volume/desktop.ini",
    ".ssh/authorized_keys",  # of an account with its home here
    ".profile",  # the same
    "results/mine.csv",  # the provider's own
    "high_volume/folder.bak/staff.csv",
]


@pytest.fixture
def home(site) -> Path:
    """The folder of the provider."""
    return site.lane().parent


def put(home, place):
    path = home / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")
    return path


def look(site, **later):
    """Look after a while, and return the texts of the notes."""
    site.clock.forward(**later)
    received = receive.receive(site.pipeline)
    assert received.error is None
    return [unwrap(path.read_text("utf-8")) for path in find_notes(site)]


def unwrap(text):
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def find_notes(site):
    return sorted((site.lane().parent / "results").glob("*-not-taken-*.txt"))


@pytest.mark.parametrize(("place", "why"), MISPLACED)
def test_a_file_in_no_lane_gets_a_note_within_a_minute(site, home, place, why):
    put(home, place)

    assert look(site, seconds=35) == []
    (note,) = look(site, seconds=15)

    assert note == f"Filename: {place}\n\n{HEAD}{why}{MOVE}"


@pytest.mark.parametrize(("name", "why"), LEFT)
def test_a_name_that_is_not_taken_gets_a_note_after_ten_minutes(site, name, why):
    path = put(site.lane(), name)

    assert look(site, seconds=590) == []
    (note,) = look(site, seconds=15)

    place = f"low_volume/{name}"
    assert note == f"Filename: {place}\n\n{HEAD}{why}{RENAME}"
    assert path.read_text() == "x"
    assert site.column("SELECT count(*) FROM cvms.uploads") == [0]


@pytest.mark.parametrize(("name", "why"), OTHERS)
def test_another_ending_gets_a_note_within_a_minute(site, name, why):
    put(site.lane(), name)

    assert look(site, seconds=35) == []
    (note,) = look(site, seconds=10)

    assert note == f"Filename: low_volume/{name}\n\n{HEAD}{why}{RENAME}"


def test_a_backup_in_no_lane_is_to_be_renamed_and_moved(site, home):
    put(home, "staff.bak")

    assert look(site, minutes=9) == []
    (note,) = look(site, minutes=2)

    assert note == (
        f"Filename: staff.bak\n\n{HEAD}{PROGRAM}\n\n"
        "If it is to be loaded, give it a name that ends in .csv, such as staff.csv,"
        " and move it into your folder low_volume or high_volume."
        " If not, you can remove it."
    )


@pytest.mark.parametrize("place", SYSTEM)
def test_what_a_system_makes_by_itself_is_passed_over_without_a_word(site, home, place):
    path = put(home, place)

    assert look(site, hours=1) == []
    assert path.exists()


def test_a_note_that_its_provider_removes_does_not_come_again(site, home):
    put(home, "staff.csv")
    look(site, minutes=3)
    (note,) = find_notes(site)
    note.unlink()

    assert look(site, minutes=3) == []


def test_another_file_of_the_same_name_gets_a_note_of_its_own(site, home):
    path = put(home, "staff.csv")
    look(site, minutes=3)
    path.rename(home / "other.csv")
    put(home, "staff.csv")

    assert len(look(site, minutes=3)) == 2


def test_a_note_is_removed_when_its_file_is_gone(site, home):
    path = put(home, "staff.csv")
    look(site, minutes=3)
    path.rename(site.lane() / "staff.csv")

    assert look(site) == []
    assert list(site.pipeline.folders.notes.rglob("*.txt")) == []


def test_a_note_about_a_folder_that_was_removed_is_removed(site, home):
    put(home, "2026/staff.csv")
    look(site, minutes=3)
    shutil.rmtree(home / "2026")

    assert look(site) == []


def test_a_file_that_still_changes_gets_no_note(site, home):
    path = put(home, "staff.csv")
    site.clock.forward(seconds=-40)
    os.utime(path)  # its ctime is now, by the real clock

    assert look(site, seconds=70) == []


def test_after_a_crash_there_is_one_note(site, home, monkeypatch):
    put(home, "staff.csv")
    write = receive.advise.notes.disk.write

    def die(*arguments, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(receive.advise.notes.disk, "write", die)
        with pytest.raises(KeyboardInterrupt):
            look(site, minutes=3)
    assert write is receive.advise.notes.disk.write

    assert len(look(site)) == 1


def remove_results(results):
    shutil.rmtree(results)


def link_results(results):
    shutil.rmtree(results)
    results.symlink_to("/etc")


def replace_results(results):
    shutil.rmtree(results)
    results.write_text("mine")


@pytest.mark.parametrize("deed", [remove_results, link_results, replace_results])
def test_results_that_cannot_hold_a_note_delay_no_upload(site, home, deed):
    put(home, "staff.csv")
    deed(home / "results")
    site.drop([ANN], file_name="other.csv")
    site.clock.forward(minutes=3)

    assert len(site.take_in()) == 1


def test_a_note_follows_when_results_can_hold_it(site, home):
    put(home, "staff.csv")
    (home / "results").rename(home / "aside")
    assert look(site, minutes=3) == []
    (home / "aside").rename(home / "results")

    assert len(look(site)) == 1


def test_no_more_notes_are_written_than_anybody_reads(site, home):
    for number in range(120):
        put(home, f"{number}.csv")

    assert len(look(site, minutes=3)) == 100


def test_an_unknown_providers_folder_gets_no_results(site):
    put(site.pipeline.folders.root / "stranger", "staff.csv")

    assert look(site, minutes=3) == []
    assert not (site.pipeline.folders.root / "stranger" / "results").exists()


# How a person may write the name of a lane.
LANES = [
    "Low_Volume",
    "low volume",
    "LowVolume",
    "Low-Volume",
    "LOW_VOLUME",
    " low volume ",
]


@pytest.mark.parametrize("name", LANES)
def test_a_lane_may_be_written_in_other_ways(site, home, name):
    (home / name).mkdir()
    site.drop([BOB]).rename(home / name / "staff.csv")

    (taken,) = site.take_in()

    assert taken.lane == "low_volume"
    assert look(site, hours=1) == []


@pytest.mark.parametrize("name", ["lowvolumes", "low", "volume_low", "low_volume_2"])
def test_what_is_called_otherwise_is_no_lane(site, home, name):
    (home / name).mkdir()
    site.drop([BOB]).rename(home / name / "staff.csv")

    assert site.take_in() == []
    assert len(look(site, minutes=3)) == 1
