"""Files that seem unfinished: they have to be unchanged for longer."""

import io
import itertools
import os
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cvms_pipeline.files import incoming, settling

HEADER = b"First name,Last name,Date of birth,Email\r\n"
ROW = b"Ann,Lee,1/2/1990,ann@b.example.org\r\n"
WAIT = 10.0
COMPLETE, WITHOUT_ROWS, CUT = settling.Ending

# The bytes of a file, and how it ends.
ENDINGS = [
    (b"", WITHOUT_ROWS),
    (b"\r\n\r\n", WITHOUT_ROWS),
    (b"\xef\xbb\xbf", WITHOUT_ROWS),
    (HEADER, WITHOUT_ROWS),
    (HEADER.rstrip(), WITHOUT_ROWS),
    (b"sep=;\r\n" + HEADER, WITHOUT_ROWS),
    (HEADER + b"\r\n,,,\r\n", WITHOUT_ROWS),
    (HEADER.decode().encode("utf-16"), WITHOUT_ROWS),
    (HEADER + ROW, COMPLETE),
    (HEADER + ROW + b"\x1a", COMPLETE),
    ((HEADER + ROW).replace(b"\r\n", b"\n"), COMPLETE),
    ((HEADER + ROW).replace(b"\r\n", b"\r"), COMPLETE),
    ((HEADER + ROW).decode().encode("utf-16"), COMPLETE),
    ((HEADER + ROW).decode().encode("utf-16-le"), COMPLETE),
    (HEADER + ROW * 3_000, COMPLETE),
    (b"PK\x03\x04\0\0\n\0\0x", COMPLETE),  # a spreadsheet is no text
    (HEADER + ROW[:-2], CUT),
    (HEADER + ROW + b"B", CUT),
    (HEADER + ROW * 3_000 + b"B", CUT),
    ((HEADER + ROW + b"B").decode().encode("utf-16"), CUT),
    (b"x" * 100_000, COMPLETE),  # no line break at all
]


@pytest.mark.parametrize(("data", "ending"), ENDINGS)
def test_the_first_and_the_last_bytes_show_how_a_file_ends(data, ending):
    assert settling.find_ending(io.BytesIO(data)) is ending


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=20))
def test_every_file_with_two_lines_and_a_last_line_break_is_complete(cells):
    rows = [cell.translate(None, b"\r\n\0") + b",x\r\n" for cell in cells]

    data = b"".join([HEADER, ROW, *rows])

    assert settling.find_ending(io.BytesIO(data)) is COMPLETE
    assert settling.find_ending(io.BytesIO(data + b"x")) is CUT


@pytest.fixture
def patient(folders) -> incoming.Folders:
    return replace(folders, unfinished_seconds=WAIT)


def seconds_left(folders, now):
    (found,) = incoming.scan(folders, now=now)
    return found.seconds_left


@pytest.mark.parametrize("data", [b"", HEADER, HEADER + ROW[:-2]])
def test_a_file_that_seems_unfinished_has_to_be_unchanged_for_longer(
    patient, lane, later, data
):
    (lane / "staff.csv").write_bytes(data)

    assert 8 < seconds_left(patient, later(1)) <= 9
    assert seconds_left(patient, later(WAIT)) == 0


def test_a_file_that_ends_properly_is_settled_as_soon_as_before(patient, lane, later):
    (lane / "staff.csv").write_bytes(HEADER + ROW)

    assert seconds_left(patient, later(settling.QUIET_SECONDS)) == 0


def test_without_leases_the_longer_of_both_times_counts(
    patient, lane, later, without_leases
):
    (lane / "staff.csv").write_bytes(HEADER)
    slow = replace(patient, settle_seconds=60)

    assert 7 < seconds_left(patient, later(2)) <= 8
    assert seconds_left(slow, later(59)) > 0
    assert seconds_left(slow, later(60)) == 0


def test_a_program_that_opens_the_file_for_each_line_is_waited_for(
    patient, lane, later
):
    path = lane / "staff.csv"
    lefts = []
    for part in (HEADER, ROW, ROW, ROW):
        with path.open("ab") as file:
            file.write(part)
        lefts.append(seconds_left(patient, later(1)))  # a second passes without a line

    assert [left > 8 for left in lefts] == [True] * 4
    assert seconds_left(patient, later(WAIT)) == 0


def test_a_file_that_has_grown_after_it_was_closed_is_waited_for(patient, lane, later):
    path = lane / "staff.csv"
    path.write_bytes(HEADER + ROW)
    (before,) = incoming.scan(patient, now=later(0.2))
    with path.open("ab") as file:
        file.write(ROW)

    assert before.is_settled
    assert seconds_left(patient, later(1)) > 8


def test_another_file_of_that_name_is_not_waited_for(patient, lane, later):
    path = lane / "staff.csv"
    path.write_bytes(HEADER)
    assert seconds_left(patient, later(1)) > 8
    path.unlink()
    assert incoming.scan(patient, now=later(1)) == []
    path.write_bytes(HEADER + ROW)

    assert seconds_left(patient, later(1)) == 0


def test_a_folder_or_a_link_is_not_opened_to_see_how_it_ends(patient, lane, later):
    os.mkfifo(lane / "pipe.csv")
    (lane / "link.csv").symlink_to("/etc/passwd")

    assert [each.seconds_left for each in incoming.scan(patient, now=later(60))] == [
        0,
        0,
    ]


def test_a_setting_of_zero_waits_for_no_ending(folders, lane, later):
    for number, data in enumerate(itertools.islice(ENDINGS, 3)):
        (lane / f"{number}.csv").write_bytes(data[0])

    found = incoming.scan(folders, now=later(1))

    assert [each.is_settled for each in found] == [True] * 3
