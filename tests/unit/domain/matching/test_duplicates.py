"""Which rows are duplicates, which are updates, and which are inserted."""

import pandas as pd
import pytest
import sheets

from cvms_pipeline.domain.matching import duplicates

IN_FILE = "Email: invalid email address: Duplicated {} (same person as line {})"
IN_STORE = "Email: invalid email address: Duplicated {}"


def ann(email, first="Ann"):
    return f"{first},Lee,1/2/1990,{email}"


def stored(*lines, **changes):
    """Return the matches of `lines` with Ann, loaded by an earlier upload of Mercy."""
    known = {
        "recipient_id": "r1",
        "email": "old@b.org",
        "provider": "mercy",
        "is_registered": False,
        "upload": "earlier-upload",
        "source_line": 2,
    }
    rows = [known | changes for _ in lines]
    matches = pd.DataFrame(rows, index=pd.Index(lines, name="line"))
    return matches.astype(duplicates.NO_MATCHES.dtypes.to_dict())


def planned(sheet):
    ids = sheet.plan["recipient_id"].fillna("").tolist()
    return list(zip(sheet.plan.index, sheet.plan["action"], ids, strict=True))


def texts_by_line(sheet):
    return [(line, text) for line, _, text in sheets.rejections_of(sheet)]


def test_rows_of_different_recipients_are_inserted():
    sheet = sheets.plan(
        sheets.below_header(ann("a@b.org"), ann("a@b.org", first="Bob"))
    )

    assert planned(sheet) == [(2, "insert", ""), (3, "insert", "")]
    assert texts_by_line(sheet) == []


def test_the_plan_marks_rows_with_a_taken_username():
    rows = [ann("a@b.org", first=name) for name in ("Ann", "Bob", "Bob", "Cy")]
    validated = sheets.validate(sheets.below_header(*rows))

    sheet = duplicates.plan_rows(
        validated,
        duplicates.NO_MATCHES,
        provider="mercy",
        upload="this",
        taken=pd.Index([3, 4, 5]),
    )

    assert sheet.plan["is_taken"].to_dict() == {2: False, 3: True, 5: True}


def test_the_first_of_duplicates_loads_and_the_others_name_its_line():
    rows = [ann("a@b.org"), ann("x"), ann("A@b.org", first="ANN"), ann("c@b.org")]

    sheet = sheets.plan(sheets.below_header(*rows))

    assert planned(sheet) == [(2, "insert", "")]
    assert sheets.rejections_of(sheet)[1:] == [
        (4, "duplicate-in-file", IN_FILE.format("A@b.org", 2)),
        (5, "duplicate-in-file", IN_FILE.format("c@b.org", 2)),
    ]


def test_a_rejected_row_makes_no_other_row_a_duplicate():
    sheet = sheets.plan(sheets.below_header(ann("bad"), ann("a@b.org")))

    assert planned(sheet) == [(3, "insert", "")]


def test_birth_dates_written_differently_are_the_same():
    sheet = sheets.plan(
        sheets.below_header(ann("a@b.org"), "Ann,Lee,01/02/1990,a@b.org")
    )

    assert texts_by_line(sheet) == [(3, IN_FILE.format("a@b.org", 2))]


def test_the_same_e_mail_as_in_the_store_is_a_duplicate():
    sheet = sheets.plan(sheets.below_header(ann("OLD@B.org")), stored(2))

    assert planned(sheet) == []
    assert sheets.rejections_of(sheet) == [
        (2, "duplicate-recipient", IN_STORE.format("OLD@B.org"))
    ]


def test_another_e_mail_from_the_same_provider_is_an_update():
    sheet = sheets.plan(sheets.below_header(ann("new@b.org")), stored(2))

    assert planned(sheet) == [(2, "update", "r1")]
    assert texts_by_line(sheet) == []


@pytest.mark.parametrize(
    ("changes", "provider"),
    [
        ({"provider": "other"}, "mercy"),  # another provider's recipient
        ({"is_registered": True}, "mercy"),  # has set a password already
        ({}, None),  # the provider is not known
        ({"provider": None}, "mercy"),  # it is not known who loaded the recipient
    ],
)
def test_another_e_mail_is_a_duplicate_where_it_may_not_be_changed(changes, provider):
    sheet = sheets.plan(
        sheets.below_header(ann("new@b.org")), stored(2, **changes), provider=provider
    )

    assert planned(sheet) == []
    assert texts_by_line(sheet) == [(2, IN_STORE.format("new@b.org"))]


def test_of_duplicates_of_a_stored_recipient_the_first_new_e_mail_is_the_update():
    rows = [ann("old@b.org"), ann("new@b.org"), ann("newer@b.org"), ann("old@b.org")]

    sheet = sheets.plan(sheets.below_header(*rows), stored(2, 3, 4, 5))

    assert planned(sheet) == [(3, "update", "r1")]
    assert texts_by_line(sheet) == [
        (2, IN_STORE.format("old@b.org")),
        (4, IN_FILE.format("newer@b.org", 3)),
        (5, IN_FILE.format("old@b.org", 3)),
    ]


def test_a_recipient_that_this_upload_loaded_is_no_duplicate_of_itself():
    rows = [ann("old@b.org"), ann("new@b.org")]
    own = stored(2, 3, upload="this-upload", source_line=2)

    sheet = sheets.plan(sheets.below_header(*rows), own)

    assert planned(sheet) == [(2, "insert", "r1")]
    assert texts_by_line(sheet) == [(3, IN_FILE.format("new@b.org", 2))]


def test_the_same_line_of_another_upload_is_a_duplicate():
    sheet = sheets.plan(
        sheets.below_header(ann("old@b.org")),
        stored(2, upload="this-upload"),
        upload=None,
    )

    assert texts_by_line(sheet) == [(2, IN_STORE.format("old@b.org"))]


def test_the_matches_may_come_in_any_order():
    rows = [ann("a@b.org", first=name) for name in ("Ann", "Bob", "Cleo")]
    matches = pd.concat([stored(4, recipient_id="r4"), stored(2, recipient_id="r2")])

    sheet = sheets.plan(sheets.below_header(*rows), matches)

    assert planned(sheet) == [
        (2, "update", "r2"),
        (3, "insert", ""),
        (4, "update", "r4"),
    ]


def test_keys_have_normalised_names_dates_and_addresses():
    values = sheets.validate(
        sheets.below_header("ÅNN,O’Neil,1/2/1990,A@B.org")
    ).valid_values

    keys = duplicates.make_keys(values)

    assert keys.loc[2].tolist() == [
        "ånn",
        "o'neil",
        pd.Timestamp(1990, 1, 2),
        "a@b.org",
    ]


def test_a_refused_sheet_has_no_plan():
    assert len(sheets.plan(b"").plan) == 0


def lees(*emails, born="1/1/1970"):
    """Return a row for each address: another person, and the same birth date."""
    return [f"Lee{chr(65 + n)},Lee,{born},{email}" for n, email in enumerate(emails)]


def others(count):
    """Return rows of that many people with a birth date of their own."""
    return [f"Ann,Lee,{n % 12 + 1}/2/{1910 + n // 12},a@b.org" for n in range(count)]


WITHHELD = (
    "Email: invalid email address: Duplicated {} (the stored address was not changed,"
    " because {} rows of this file have the same birth date)"
)
NEW = [f"new{n}@b.org" for n in range(8)]


@pytest.mark.parametrize(
    ("sharing", "alone", "is_corrected"),
    [
        (4, 0, True),  # one row too few
        (5, 0, False),
        (5, 245, False),  # 2 % of the rows
        (5, 246, True),  # less than 2 %
        (8, 4, False),
    ],
)
def test_a_birth_date_that_many_rows_share_corrects_nobody(
    sharing, alone, is_corrected
):
    rows = [*lees(*NEW[:sharing]), *others(alone)]

    sheet = duplicates.plan_rows(
        sheets.validate(sheets.below_header(*rows), lane=sheets.Lane.HIGH_VOLUME),
        stored(2),
        provider="mercy",
        upload="this-upload",
    )

    expected = [] if is_corrected else [(2, WITHHELD.format(NEW[0], sharing))]
    assert texts_by_line(sheet) == expected
    assert (sheet.plan["action"] == "update").sum() == is_corrected


def test_a_row_that_could_not_correct_anybody_gets_the_usual_text():
    rows = sheets.below_header(*lees(*NEW))
    own = stored(2, email=NEW[0])  # the same address
    registered = stored(3, is_registered=True)
    foreign = stored(4, provider="duke")

    sheet = sheets.plan(rows, pd.concat([own, registered, foreign]))

    assert texts_by_line(sheet) == [
        (line, IN_STORE.format(NEW[line - 2])) for line in (2, 3, 4)
    ]


def test_rows_that_an_upload_has_loaded_itself_are_planned_again_as_before():
    own = stored(2, upload="this-upload", source_line=2)

    sheet = sheets.plan(sheets.below_header(*lees(*NEW)), own)

    assert planned(sheet)[0] == (2, "insert", "r1")
    assert texts_by_line(sheet) == []
