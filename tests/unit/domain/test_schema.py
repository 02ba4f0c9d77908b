"""Every reason of a row that its values give, with its exact text."""

import datetime as dt

import pytest
import sheets

from cvms_pipeline.domain import reading, schema
from cvms_pipeline.domain.upload import Lane

NAMES = [
    "Ann",
    "Jean-Luc",
    "O'Neil",
    "O’Neil O‘Neil OʼNeil OʻNeil",
    "Anne‐Marie Anne‑Marie Anne–Marie",
    "Dr. John Smith 3rd",
    "José Nuñez",
    "Ægir Øst Łukasz Đặng",
    "Мария",
    "محمد",
    "דוד",
    "山田太郎",
    "ひらがな カタカナー",
    "김민준",
    "สมชาย",  # Thai, with a vowel mark
    "प्रिया",  # Devanagari, with a virama
    "தமிழ்",
    "عبد٣",  # an Arabic digit
    "NA",
    "None",
    "null",
    "X",
    "A1",
    "x" * 80,
    "\U00020000" * 80,  # beyond the Basic Multilingual Plane
]
ODD_NAMES = [
    "Ann#",
    "Ann@home",
    "Ann,Lee",
    "Ann/Lee",
    "Ann_Lee",
    "Ann\\Lee",
    'Ann "Annie"',
    "Ann (Annie)",
    "Ann?",
    "Ann—Lee",  # an em dash
    "Ann`s",
    "Ann´s",
    "Ann\x1b",  # a control character
    "Ann\ufffd",  # what a wrong decoding leaves
    "Ann☺",
    "\U0001f600",
    "Ann²",  # a superscript, no decimal digit
    "Ann½",
    "AnnⅣ",  # a Roman numeral, one letter number
    "Ann\u202e",  # a direction override
    "123",  # no letter
    "-",
    ".",
    "'",
    "\u02bb",  # an apostrophe that Unicode calls a letter
    "\u02bc",  # another
    "\u0301",  # an accent on nothing
]
DATES = [
    "1/2/1990",
    "01/02/1990",
    "1/02/1990",
    "12/31/1999",
    "2/29/2000",
    "2/29/2024",
    "1/5/2026",  # today
    "1/5/1906",  # 120 years ago
]
ODD_DATES = [
    "12/8/19555",
    "1/2/90",
    "1990-01-02",
    "13/1/1990",
    "0/1/1990",
    "1/0/1990",
    "2/29/1900",
    "2/30/2000",
    "4/31/1990",
    "1/6/2026",  # tomorrow
    "1/4/1906",  # 120 years ago yesterday
    "1/1/0000",
    "1/1/0001",
    "12/31/9999",
    "001/2/1990",
    "1.2.1990",
    "1/2/1990 00:00",
    "1/2/1990x",
    "1 /2/1990",
    "+1/2/1990",
    "-1/2/1990",
    "1/2/-990",
    "١/٢/١٩٩٠",  # Arabic digits
    "１/２/１９９０",  # full-width digits
    "Jan 2 1990",
    "NaT",
    "today",
    "32874",  # the number Excel keeps
]
EMAILS = [
    "a@b.org",
    "first.last+tag@mail.example.org",
    "o'brien@example.museum",
    "!#$%&'*+/=?^_`{|}~-@example.org",
    ".a.@example.org",  # the HTML standard does not mind
    "a@1.2",
    "a@xn--bcher-kva.example",
    "a@" + "b" * 63 + ".org",
    "a" * 248 + "@b.org",  # 254 characters
]
ODD_EMAILS = [
    "bademail",
    "Nicholas.NoEmail@",
    "@example.org",
    "a@example",  # no dot
    "a@@example.org",
    "a@b@example.org",
    "a b@example.org",
    "a@exa mple.org",
    "a@.org",
    "a@example.",
    "a@exa..org",
    "a@-b.org",
    "a@b-.org",
    "a@b_c.org",
    "a@" + "b" * 64 + ".org",
    "a" * 249 + "@b.org",  # 255 characters
    "renée@example.org",
    "a@büro.example",
    "<a@b.org>",
    "mailto:a@b.org",
    "a@b.org,c@d.org",
    "a@[127.0.0.1]",
]


@pytest.mark.parametrize("column", ["first", "last"])
def test_names_of_any_script_are_good(column):
    assert sheets.judged_rows(column, NAMES) == []


@pytest.mark.parametrize(
    ("column", "label"), [("first", "FirstName"), ("last", "LastName")]
)
def test_a_name_with_odd_characters_is_rejected(column, label):
    assert sheets.judged_rows(column, ODD_NAMES) == [
        ("name-characters", f"{label}: invalid characters: {name}")
        for name in ODD_NAMES
    ]


def test_a_name_over_80_characters_is_rejected():
    assert sheets.judged_row(first="x" * 81, last="é" * 81) == [
        ("name-length", "FirstName: longer than 80 characters"),
        ("name-length", "LastName: longer than 80 characters"),
    ]


def test_a_name_is_measured_after_cleaning():
    assert sheets.judged_row(first=" " + "e\u0301" * 80 + "\u200b ") == []


def test_birth_dates_from_120_years_ago_to_today_are_good():
    assert sheets.judged_rows("born", DATES) == []


def test_any_other_birth_date_is_rejected():
    assert sheets.judged_rows("born", ODD_DATES) == [
        ("birth-date-invalid", f"Date of birth: invalid Date of birth: {date}")
        for date in ODD_DATES
    ]


@pytest.mark.parametrize(
    ("date", "is_good"), [("2/28/1900", False), ("3/1/1900", True)]
)
def test_a_leap_day_without_a_match_120_years_ago_counts_from_march(date, is_good):
    data = sheets.below_header(f"Ann,Lee,{date},a@b.org")

    judged = sheets.judge(data, today=dt.date(2020, 2, 29))

    assert (len(judged.valid) == 1) is is_good


def test_addresses_with_a_dotted_domain_are_good():
    assert sheets.judged_rows("email", EMAILS) == []


def test_any_other_address_is_rejected():
    assert sheets.judged_rows("email", ODD_EMAILS) == [
        ("email-invalid", f"Email: invalid email address: {email}")
        for email in ODD_EMAILS
    ]


@pytest.mark.parametrize(
    ("cells", "labels"),
    [
        ({"last": "", "born": ""}, "LastName, Date of birth"),
        ({"first": " \u00a0\u200b"}, "FirstName"),  # nothing that anyone can see
        ({"email": "\t"}, "Email"),
        (
            {"first": "", "last": "", "born": "", "email": "\u200b"},
            "FirstName, LastName, Date of birth, Email",
        ),
    ],
)
def test_empty_fields_are_listed_in_one_reason(cells, labels):
    kept_from_being_blank = ",x"
    row = sheets.row(**cells) + kept_from_being_blank
    data = f"{sheets.HEADER},Notes\n{row}"

    assert sheets.reasons_of(sheets.judge(data)) == [
        ("required-missing", f"Required fields are missing: [{labels}]")
    ]


def test_a_row_gets_all_its_reasons_in_column_order():
    long = "#" * 81

    assert sheets.judged_row(first=long, last="", born="1990", email="bad") == [
        ("required-missing", "Required fields are missing: [LastName]"),
        ("name-characters", f"FirstName: invalid characters: {long}"),
        ("name-length", "FirstName: longer than 80 characters"),
        ("birth-date-invalid", "Date of birth: invalid Date of birth: 1990"),
        ("email-invalid", "Email: invalid email address: bad"),
    ]


def test_values_are_shown_cleaned():
    assert sheets.judged_row(first=" Ann \n #") == [
        ("name-characters", "FirstName: invalid characters: Ann #")
    ]


def test_rejections_stand_in_order_of_line():
    judged = sheets.judge(
        sheets.below_header("Ann,Lee,1/2/1990,bad", "a,b", sheets.GOOD, ",Lee,x,")
    )

    assert [(line, code) for line, code, _ in sheets.told(judged)] == [
        (2, "email-invalid"),
        (3, "row-cells"),
        (5, "required-missing"),
        (5, "birth-date-invalid"),
    ]


def test_thousands_of_rejected_rows_each_keep_their_reasons():
    rows = ["Ann#,Lee,1/2/1990,bad", sheets.GOOD, ",Lee,1/2/1990,a@b.org"] * 1_500
    sheet = reading.read(sheets.below_header(*rows).encode(), lane=Lane.HIGH_VOLUME)

    judged = schema.judge(sheet, today=sheets.TODAY)

    assert judged.rejections["code"].value_counts().to_dict() == {
        "name-characters": 1_500,
        "email-invalid": 1_500,
        "required-missing": 1_500,
    }
    assert judged.valid.index.tolist() == list(range(3, 4_503, 3))


def test_of_rejected_rows_only_the_original_text_is_kept():
    judged = sheets.judge(sheets.below_header(sheets.GOOD, "too,few", ",Lee,,"))

    assert judged.values.index.tolist() == [2]
    assert judged.cells.index.tolist() == [2, 3, 4]


def test_a_refused_sheet_stays_as_it_is():
    refused = sheets.read(b"")

    judged = schema.judge(refused, today=sheets.TODAY)

    assert judged.refusal == refused.refusal
    assert len(judged.rejections) == 0
