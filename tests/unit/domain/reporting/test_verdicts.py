"""What happens to each row, and in which cell each problem is."""

import sheets

from cvms_pipeline.domain.reporting import verdicts


def planned(*rows):
    return sheets.plan(sheets.below_header(*rows))


def problems_of(*rows):
    placed = verdicts.place_problems(planned(*rows).rejections)
    return list(placed.itertuples(index=False, name=None))


def test_each_row_has_one_verdict_and_a_duplicate_names_the_other_line():
    found = verdicts.find_verdicts(
        planned(
            "Ann,Lee,1/2/1990,ann@b.org",
            "ANN,Lee,1/2/1990,ann@b.org",
            "Bob,,1/2/1990,bob@b.org",
        )
    )

    assert found.index.tolist() == [2, 3, 4]
    assert found["verdict"].tolist() == ["loads", "repeats", "rejected"]
    assert found["same_as"].tolist() == ["", "2", ""]


def test_a_file_without_problems_has_none():
    assert problems_of("Ann,Lee,1/2/1990,ann@b.org") == []


def test_a_problem_is_in_the_cell_that_its_text_names():
    assert problems_of("Ann#,Lee,13/41/1990,bademail") == [
        (2, "first_name", "name-characters", "invalid characters: Ann#"),
        (2, "birth_date", "birth-date-invalid", "invalid Date of birth: 13/41/1990"),
        (2, "email", "email-invalid", "invalid email address: bademail"),
    ]


def test_every_empty_cell_has_its_own_problem():
    assert problems_of(",Lee,,a@b.org") == [
        (2, "first_name", "required-missing", "Required fields are missing"),
        (2, "birth_date", "required-missing", "Required fields are missing"),
    ]


def test_problems_of_a_row_as_a_whole_are_in_no_cell():
    assert problems_of(
        "Ann,Lee,1/2/1990,a@b.org,x,y", "Bob,Lee,1/2/1990,b@b.org",
        "Bob,Lee,1/2/1990,b@b.org",
    ) == [
        (2, "", "row-cells", "Row has 6 cells, expected 4"),
        (
            4,
            "",
            "duplicate-in-file",
            "Email: invalid email address: Duplicated b@b.org (same person as line 3)",
        ),
    ]  # fmt: skip


def test_letters_that_cannot_be_read_are_in_each_of_their_cells():
    text = "Jos\u00c3\u00a9,D\u00c3\u00adaz,1/2/1990,a@b.org"

    placed = verdicts.place_problems(sheets.plan(sheets.below_header(text)).rejections)

    assert placed["column"].tolist() == ["first_name", "last_name"]
    assert set(placed["code"]) == {"text-encoding"}
    assert placed["text"].str.startswith("letters cannot be read with certainty").all()
