"""Who is a duplicate, who is an update, and who is inserted."""

import pandas as pd
import pytest
import sheets

from cvms_pipeline.domain import duplicates

IN_FILE = "Email: invalid email address: Duplicated {} (same person as line {})"
IN_STORE = "Email: invalid email address: Duplicated {}"


def ann(email, first="Ann"):
    return f"{first},Lee,1/2/1990,{email}"


def stored(*lines, **changes):
    """Return the matches of `lines` with Ann, whom Mercy loaded long ago."""
    known = {
        "recipient_id": "r1",
        "email": "old@b.org",
        "provider": "mercy",
        "is_registered": False,
        "upload": "earlier-upload",
        "source_line": 2,
    }
    rows = [known | changes for _ in lines]
    return pd.DataFrame(rows, index=pd.Index(lines, name="line"))


def planned(sheet):
    ids = sheet.plan["recipient_id"].fillna("").tolist()
    return list(zip(sheet.plan.index, sheet.plan["action"], ids, strict=True))


def told(sheet):
    return [(line, text) for line, _, text in sheets.told(sheet)]


def test_rows_of_different_recipients_are_inserted():
    sheet = sheets.check(
        sheets.below_header(ann("a@b.org"), ann("a@b.org", first="Bob"))
    )

    assert planned(sheet) == [(2, "insert", ""), (3, "insert", "")]
    assert told(sheet) == []


def test_the_plan_says_whose_username_is_taken():
    rows = [ann("a@b.org", first=name) for name in ("Ann", "Bob", "Bob", "Cy")]
    judged = sheets.judge(sheets.below_header(*rows))

    sheet = duplicates.decide(
        judged,
        duplicates.NO_MATCHES,
        provider="mercy",
        upload="this",
        taken=pd.Index([3, 4, 5]),
    )

    assert sheet.plan["is_taken"].to_dict() == {2: False, 3: True, 5: True}


def test_the_first_of_twins_loads_and_the_others_name_its_line():
    rows = [ann("a@b.org"), ann("x"), ann("A@b.org", first="ANN"), ann("c@b.org")]

    sheet = sheets.check(sheets.below_header(*rows))

    assert planned(sheet) == [(2, "insert", "")]
    assert sheets.told(sheet)[1:] == [
        (4, "duplicate-in-file", IN_FILE.format("A@b.org", 2)),
        (5, "duplicate-in-file", IN_FILE.format("c@b.org", 2)),
    ]


def test_a_rejected_row_is_nobodys_twin():
    sheet = sheets.check(sheets.below_header(ann("bad"), ann("a@b.org")))

    assert planned(sheet) == [(3, "insert", "")]


def test_birth_dates_written_differently_are_the_same():
    sheet = sheets.check(
        sheets.below_header(ann("a@b.org"), "Ann,Lee,01/02/1990,a@b.org")
    )

    assert told(sheet) == [(3, IN_FILE.format("a@b.org", 2))]


def test_the_same_e_mail_as_in_the_store_is_a_duplicate():
    sheet = sheets.check(sheets.below_header(ann("OLD@B.org")), stored(2))

    assert planned(sheet) == []
    assert sheets.told(sheet) == [
        (2, "duplicate-recipient", IN_STORE.format("OLD@B.org"))
    ]


def test_another_e_mail_from_the_same_provider_is_an_update():
    sheet = sheets.check(sheets.below_header(ann("new@b.org")), stored(2))

    assert planned(sheet) == [(2, "update", "r1")]
    assert told(sheet) == []


@pytest.mark.parametrize(
    ("changes", "provider"),
    [
        ({"provider": "other"}, "mercy"),  # somebody else's recipient
        ({"is_registered": True}, "mercy"),  # has set a password already
        ({}, None),  # nobody says who uploads
        ({"provider": None}, "mercy"),  # nobody's recipient
    ],
)
def test_another_e_mail_is_a_duplicate_where_it_may_not_be_changed(changes, provider):
    sheet = sheets.check(
        sheets.below_header(ann("new@b.org")), stored(2, **changes), provider=provider
    )

    assert planned(sheet) == []
    assert told(sheet) == [(2, IN_STORE.format("new@b.org"))]


def test_of_twins_in_the_store_the_first_new_e_mail_is_the_update():
    rows = [ann("old@b.org"), ann("new@b.org"), ann("newer@b.org"), ann("old@b.org")]

    sheet = sheets.check(sheets.below_header(*rows), stored(2, 3, 4, 5))

    assert planned(sheet) == [(3, "update", "r1")]
    assert told(sheet) == [
        (2, IN_STORE.format("old@b.org")),
        (4, IN_FILE.format("newer@b.org", 3)),
        (5, IN_FILE.format("old@b.org", 3)),
    ]


def test_a_recipient_that_this_upload_loaded_is_no_duplicate_of_itself():
    rows = [ann("old@b.org"), ann("new@b.org")]
    own = stored(2, 3, upload="this-upload", source_line=2)

    sheet = sheets.check(sheets.below_header(*rows), own)

    assert planned(sheet) == [(2, "insert", "r1")]
    assert told(sheet) == [(3, IN_FILE.format("new@b.org", 2))]


def test_the_same_line_of_another_upload_is_a_duplicate():
    sheet = sheets.check(
        sheets.below_header(ann("old@b.org")),
        stored(2, upload="this-upload"),
        upload=None,
    )

    assert told(sheet) == [(2, IN_STORE.format("old@b.org"))]


def test_the_matches_may_come_in_any_order():
    rows = [ann("a@b.org", first=name) for name in ("Ann", "Bob", "Cleo")]
    matches = pd.concat([stored(4, recipient_id="r4"), stored(2, recipient_id="r2")])

    sheet = sheets.check(sheets.below_header(*rows), matches)

    assert planned(sheet) == [
        (2, "update", "r2"),
        (3, "insert", ""),
        (4, "update", "r4"),
    ]


def test_keys_are_what_rows_are_compared_by():
    values = sheets.judge(sheets.below_header("ÅNN,O’Neil,1/2/1990,A@B.org")).valid

    keys = duplicates.keys(values)

    assert keys.loc[2].tolist() == [
        "ånn",
        "o'neil",
        pd.Timestamp(1990, 1, 2),
        "a@b.org",
    ]


def test_a_refused_sheet_has_no_plan():
    assert len(sheets.check(b"").plan) == 0
