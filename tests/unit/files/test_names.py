"""File names: which are passed over, how they are shown, how they are made safe."""

import pytest

from cvms_pipeline.files import names

MEANT = [
    "staff.csv",
    "part.csv",  # holds a temporary ending's word, is none
    "~staff.csv",  # a tilde alone is no owner file
    "a.part.csv",  # the ending is the last one
    "no ending",
    "$~.csv",  # the wrong way round
]

STEMS = [
    ("staff.csv", "staff"),
    ("Ann's list (final).csv", "Ann_s_list_final"),  # a blank, an apostrophe
    ("../../etc/passwd", "passwd"),  # a path
    ("..\\..\\boot.ini", "boot"),  # a path of Windows
    ("....", "upload"),  # nothing left
    ("", "upload"),  # nothing at all
    ("名簿.csv", "upload"),  # no character that is safe
    ("a\nb\x00c.csv", "a_b_c"),  # control characters
    ("x" * 300 + ".csv", "x" * 60),  # longer than any file name
    ("-rf.csv", "rf"),  # what a shell would take for an option
]

DROPPED = [
    ("staff.csv", "staff.csv"),
    ("/home/ann/staff.csv", "staff.csv"),  # a path
    ("..\\staff.csv", "staff.csv"),  # a path of Windows
    (".hidden.csv", "hidden.csv"),  # would be passed over for ever
    ("~$staff.csv", "staff.csv"),  # the same
    ("staff.part", "staff.part.csv"),  # the same
    ("Desktop.ini", "Desktop.ini.csv"),  # the same
    ("", "upload"),  # nothing at all
    ("名簿.csv", "名簿.csv"),  # letters of any script may stay
    ("a\nb.csv", "a_x0ab.csv"),  # a line break
    ("..", "upload"),  # the parent folder
]


@pytest.mark.parametrize("name", MEANT)
def test_an_ordinary_file_name_is_not_temporary(name):
    assert names.is_upload(name)


@pytest.mark.parametrize(("name", "stem"), STEMS)
def test_a_safe_stem_can_stand_in_a_path(name, stem):
    assert names.make_safe_stem(name) == stem


@pytest.mark.parametrize(("name", "dropped"), DROPPED)
def test_a_dropped_name_is_a_base_name_that_is_seen(name, dropped):
    assert names.choose_name(name) == dropped
    assert names.is_upload(names.choose_name(name))


def test_a_long_dropped_name_keeps_its_ending_and_can_be_numbered():
    name = names.add_number(names.choose_name("é" * 300 + ".csv"), 1_000)

    assert name.endswith(" (1000).csv")
    assert len(name.encode()) <= 255


def test_the_second_of_a_name_is_numbered():
    assert names.add_number("staff.csv", 1) == "staff.csv"
    assert names.add_number("staff.csv", 2) == "staff (2).csv"
    assert names.add_number("staff", 3) == "staff (3)"
