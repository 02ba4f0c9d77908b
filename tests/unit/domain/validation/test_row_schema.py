"""Every reason of a row that its values give, with its exact text."""

import datetime as dt

import pytest
import sheets

from cvms_pipeline.domain.reading import reader
from cvms_pipeline.domain.validation import row_schema
from cvms_pipeline.domain.vocabulary.upload import Lane

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
    "'t Hooft 's-Gravesande",  # Dutch
    "'T HOOFT",
    "\u2019Akahi \u02bbAkahi",  # an okina
    "Ann'",
    "\u0410\u043d\u043d\u0430 Smith",  # two alphabets in two words
    "Anna-\u041c\u0430\u0440\u0438\u044f",
    "\u041d\u0438\u043a\u043e\u043b\u0430\u0439\u2162",  # a Roman numeral is no letter
    "\uff21nn",  # a wide letter
    "O`Brien O´Brien O′Brien O＇Brien O\u201bBrien",  # typed as apostrophes
    "OʹBrien Oʾ Oʿ Oʽ Kꞌiche",  # half rings, and a letter that looks like one
    "Rocky Ⅲ",  # a Roman numeral, one character
    "Marcel·lí Marie‧Ann マリア・ルス ﾏﾘｱ･ﾙｽ",  # middle dots
    "ג׳ון בן־דוד",  # a geresh and a maqaf
    "Հա՚կոբ Տեր֊Պետրոսյան",  # an Armenian apostrophe and hyphen
    "علی‌رضا",  # a joiner that Persian needs
    "क्‍ष",  # one of an Indic script
    "Ann\x1b",  # a control character, which is removed
    "\u202aAnn\u202c",  # an embedding, which is removed
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
    "Ann☺",
    "\U0001f600",
    "Ann²",  # a superscript, no decimal digit
    "Ann½",
    "123",  # no letter
    "-",
    ".",
    "'",
    "\u02bb",  # an apostrophe that Unicode calls a letter
    "\u02bc",  # another
    "\u02bf",  # a half ring
    "Ⅲ",  # a number
    "·",
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
    "\u043d\u043e\u044f\u0431\u0440\u044c 5",  # a letter that is no digit
    "Oct 5",
    "Jan 2 1990",
    "NaT",
    "today",
    "32874",  # the number Excel keeps
]
EMAILS = [
    "a@b.org",
    "first.last+tag@mail.example.org",
    "o'brien@example.museum",
    "ann/bob@example.org",  # odd, but mail servers take it
    "a!#$%&'*+/=?^~b@example.org",
    "_ann@example.org",
    "ann_@example.org",
    "ann-@example.org",
    "a.-b@example.org",
    "1@1.co",
    "a@xn--bcher-kva.example",
    "a@example.xn--p1ai",
    "a@test.invalid.org",
    "a" * 64 + "@b.org",
    "a@" + "b" * 63 + ".org",
    "a" * 64 + "@" + "b" * 63 + "." + "c" * 63 + "." + "d" * 57 + ".org",  # 254
]
ODD_EMAILS = [
    "bademail",
    "Nicholas.NoEmail@",
    "@example.org",
    "a@example",  # no dot
    "a@@example.org",
    "a@b@example.org",
    "a b@example.org",
    "Dr. ann@example.org",
    "a@exa mple.org",
    "a@.org",
    "a@-b.org",
    "a@b-.org",
    "a@b_c.org",
    "a@" + "b" * 64 + ".org",
    "a" * 65 + "@b.org",
    "a" * 64 + "@" + "b" * 63 + "." + "c" * 63 + "." + "d" * 58 + ".org",  # 255
    "renée@example.org",
    "a@büro.example",
    "a@b.org,c@d.org",
    "a@[127.0.0.1]",
    "ann@192.0.2.1",
    "ann@example.123",
    "ann@example.c",
    "ann@example.c1",
    "ann@example.invalid",
    "ann@example.TEST",
    "ann@mail.localhost",
    "ann|bob@example.org",
    "ann`bob@example.org",
    "ann{bob}c@example.org",
]
MARKED_EMAILS = [
    ("'una@example.org", "una@example.org"),
    ("ann..lee@example.org", "ann.lee@example.org"),
    (".ann@example.org", "ann@example.org"),
    ("ann.@example.org", "ann@example.org"),
    *((f"{mark}ann@example.org", "ann@example.org") for mark in "*#`=-+{|~!$%&/?^("),
    *((f"ann@example.org{mark}", "ann@example.org") for mark in ";,.>:)/'\"-_|"),
    *((f"ann{mark}@example.org", "ann@example.org") for mark in "!%'+=~?"),
    ("{ann}@example.org", "ann@example.org"),
    ("<ann@example.org>", "ann@example.org"),
    ("Ann Lee <ann@example.org>", "ann@example.org"),
    ("mailto:ann@example.org", "ann@example.org"),
    ("MAILTO:ann@example.org", "ann@example.org"),
    ('"ann@example.org"', "ann@example.org"),
    ("‘ann@example.org’", "ann@example.org"),
    ("“ann@example.org”", "ann@example.org"),
    ("ann @ example.org", "ann@example.org"),
    ("a@example.", None),
    ("ann@example..org", "ann@example.org"),
    ("ann@example.org.COVID19VACCINE", "ann@example.org"),
    ("ann@example.org.2.covid19vaccine", "ann@example.org"),
]
LOOK_ALIKES = [
    (
        "email",
        "o’brien@example.org",
        "email-invalid",
        "Email: invalid email address: o’brien@example.org"
        " (the character ’ is U+2019 RIGHT SINGLE QUOTATION MARK; type ')",
    ),
    (
        "email",
        "ann‑lee@example.org",
        "email-invalid",
        "Email: invalid email address: ann‑lee@example.org"
        " (the character ‑ is U+2011 NON-BREAKING HYPHEN; type -)",
    ),
    (
        "email",
        "аnn@example.org",
        "email-invalid",
        "Email: invalid email address: аnn@example.org"
        " (the character а is U+0430 CYRILLIC SMALL LETTER A; type a)",
    ),
    (
        "email",
        "ann＠example．org",
        "email-invalid",
        "Email: invalid email address: ann＠example．org"
        " (the character ＠ is U+FF20 FULLWIDTH COMMERCIAL AT; type @;"
        " the character ． is U+FF0E FULLWIDTH FULL STOP; type .)",
    ),
    (
        "first",
        "Аnna",
        "name-characters",
        "FirstName: invalid characters: Аnna"
        " (the character А is U+0410 CYRILLIC CAPITAL LETTER A; type A)",
    ),
    (
        "last",
        "Anнa",
        "name-characters",
        "LastName: invalid characters: Anнa"
        " (the character н is U+043D CYRILLIC SMALL LETTER EN; type a Latin letter)",
    ),
    (
        "last",
        "Мариa",
        "name-characters",
        "LastName: invalid characters: Мариa"
        " (the character a is U+0061 LATIN SMALL LETTER A; type а (U+0430))",
    ),
    (
        "last",
        "Γιώργοs",
        "name-characters",
        "LastName: invalid characters: Γιώργοs"
        " (the character s is U+0073 LATIN SMALL LETTER S; type a Greek letter)",
    ),
    (
        "last",
        "Smith−Jones",
        "name-characters",
        "LastName: invalid characters: Smith−Jones"
        " (the character − is U+2212 MINUS SIGN; type -)",
    ),
    (
        "born",
        "12⁄8⁄1955",
        "birth-date-invalid",
        "Date of birth: invalid Date of birth: 12⁄8⁄1955"
        " (the character ⁄ is U+2044 FRACTION SLASH; type /)",
    ),
    (
        "born",
        "O1/05/l990",
        "birth-date-invalid",
        "Date of birth: invalid Date of birth: O1/05/l990"
        " (the character O is U+004F LATIN CAPITAL LETTER O; type 0;"
        " the character l is U+006C LATIN SMALL LETTER L; type 1)",
    ),
    (
        "born",
        "１/2/1990",
        "birth-date-invalid",
        "Date of birth: invalid Date of birth: １/2/1990"
        " (the character １ is U+FF11 FULLWIDTH DIGIT ONE; type 1)",
    ),
    (
        "born",
        "١٢/٨/١٩٥٥",
        "birth-date-invalid",
        "Date of birth: invalid Date of birth:"
        " ١٢/٨/١٩٥٥"
        " (the character ١ is U+0661 ARABIC-INDIC DIGIT ONE; type 1;"
        " the character ٢ is U+0662 ARABIC-INDIC DIGIT TWO; type 2;"
        " the character ٨ is U+0668 ARABIC-INDIC DIGIT EIGHT; type 8; and 2 more)",
    ),
]
STUCK = [
    ("'Ann", "Ann"),
    ("'ann", "ann"),
    ("'Ann'", "Ann"),
    ("'O'Neil", "O'Neil"),
    ("'Tim", "Tim"),  # no Dutch 't
]


@pytest.mark.parametrize("column", ["first", "last"])
def test_names_of_any_script_are_good(column):
    assert sheets.reasons_in_rows(column, NAMES) == []


@pytest.mark.parametrize(
    ("column", "label"), [("first", "FirstName"), ("last", "LastName")]
)
def test_a_name_with_invalid_characters_is_rejected(column, label):
    assert sheets.reasons_in_rows(column, ODD_NAMES) == [
        ("name-characters", f"{label}: invalid characters: {name}")
        for name in ODD_NAMES
    ]


def test_a_name_over_80_characters_is_rejected():
    assert sheets.reasons_in_row(first="x" * 81, last="é" * 81) == [
        ("name-length", "FirstName: longer than 80 characters"),
        ("name-length", "LastName: longer than 80 characters"),
    ]


def test_a_name_is_measured_after_cleaning():
    assert sheets.reasons_in_row(first=" " + "e\u0301" * 80 + "\u200b ") == []


def test_birth_dates_from_120_years_ago_to_today_are_good():
    assert sheets.reasons_in_rows("born", DATES) == []


def test_any_other_birth_date_is_rejected():
    assert sheets.reasons_in_rows("born", ODD_DATES) == [
        ("birth-date-invalid", f"Date of birth: invalid Date of birth: {date}")
        for date in ODD_DATES
    ]


SWAPPED = "Date of birth: day and month may be swapped: {}"
DAY_FIRST = [
    (["13/5/1990", "3/4/1990"], ["3/4/1990"]),  # nothing speaks for month first
    (["13/05/1990", "03/04/1990", "3/04/1990"], ["03/04/1990", "3/04/1990"]),
    (["13/5/1990", "3/4/1990", "5/13/1990"], []),  # as many of both
    (["13/5/1990", "14/5/1990", "3/4/1990", "5/13/1990"], ["3/4/1990"]),
    (["13/5/1990", "3/4/1990", "5/13/1990", "5/14/1990"], []),  # one typing error
    (["3/4/1990", "5/6/1991"], []),  # nothing speaks for either
    (["13/5/1990", "4/4/1990"], []),  # the same in both
    (["31/4/1990", "3/4/1990"], ["3/4/1990"]),  # in no calendar, but the day is first
    (["4/31/1990", "13/5/1990", "3/4/1990"], []),  # and here the month
    (["13/13/1990", "13/0/1990", "3/4/1990"], []),
    (["32/1/1990", "3/4/1990"], []),
    (["13.5.1990", "3/4/1990"], ["3/4/1990"]),  # other forms with the day first
    (["13/5/90", "3/4/1990"], ["3/4/1990"]),
    (["13-05-1990", "3/4/1990"], ["3/4/1990"]),
    (["13-05-19", "1990-05-13", "13:5:1990", "3/4/1990"], []),  # the year may be first
    (["5-13-1990", "5.13.90", "13/5/1990", "14/5/1990", "3/4/1990"], []),
    (["29/2/1981", "3/4/1990"], ["3/4/1990"]),  # no leap year
    (["29/2/1980", "3/4/1990"], ["3/4/1990"]),
    (["13/5/1990", "3/4/2190"], []),  # invalid in any case
    (["12/12/1990", "13/5/1990", "12/11/1990"], ["12/11/1990"]),
]


@pytest.mark.parametrize(("dates", "held"), DAY_FIRST)
def test_dates_that_could_be_either_are_held_up_in_a_file_with_the_day_first(
    dates, held
):
    found = sheets.reasons_in_rows("born", dates)

    ambiguous = [text for code, text in found if code == "birth-date-ambiguous"]
    assert ambiguous == [SWAPPED.format(date) for date in held]


@pytest.mark.parametrize(
    ("date", "is_good"), [("2/28/1900", False), ("3/1/1900", True)]
)
def test_a_leap_day_without_a_match_120_years_ago_counts_from_march(date, is_good):
    data = sheets.below_header(f"Ann,Lee,{date},a@b.org")

    validated = sheets.validate(data, today=dt.date(2020, 2, 29))

    assert (len(validated.valid_values) == 1) is is_good


def test_addresses_with_a_dotted_domain_are_good():
    assert sheets.reasons_in_rows("email", EMAILS) == []


def test_any_other_address_is_rejected():
    assert sheets.reasons_in_rows("email", ODD_EMAILS) == [
        ("email-invalid", f"Email: invalid email address: {email}")
        for email in ODD_EMAILS
    ]


@pytest.mark.parametrize(("written", "plain"), MARKED_EMAILS)
def test_a_mark_stuck_to_an_address_is_refused_with_what_to_write(written, plain):
    advice = "" if plain is None else f". Write {plain}."

    assert sheets.reasons_in_row(email=written) == [
        ("email-invalid", f"Email: invalid email address: {written}{advice}")
    ]


@pytest.mark.parametrize(("column", "written", "code", "text"), LOOK_ALIKES)
def test_a_character_that_looks_right_and_is_not_is_named(column, written, code, text):
    assert sheets.reasons_in_row(**{column: written}) == [(code, text)]


@pytest.mark.parametrize(("written", "plain"), STUCK)
def test_an_apostrophe_that_marks_a_text_cell_is_refused_with_what_to_write(
    written, plain
):
    assert sheets.reasons_in_row(first=written) == [
        ("name-characters", f"FirstName: invalid characters: {written}. Write {plain}.")
    ]


@pytest.mark.parametrize(
    "written", ["'1/2/1990", '"1/2/1990"', "1/2/1990.", "1/2/1990;"]
)
def test_a_mark_stuck_to_a_birth_date_is_refused_with_what_to_write(written):
    (reason,) = sheets.reasons_in_row(born=written)

    text = f"Date of birth: invalid Date of birth: {written}. Write 1/2/1990."
    assert reason == ("birth-date-invalid", text)


@pytest.mark.parametrize(
    ("cells", "labels"),
    [
        ({"last": "", "born": ""}, "LastName, Date of birth"),
        ({"first": " \u00a0\u200b"}, "FirstName"),  # nothing that anyone can see
        ({"email": "\t"}, "Email"),
        (
            {"first": "", "last": "", "born": "\u200b"},
            "FirstName, LastName, Date of birth",
        ),
    ],
)
def test_empty_fields_are_listed_in_one_reason(cells, labels):
    kept_from_being_blank = ",x"
    row = sheets.row(**cells) + kept_from_being_blank
    data = f"{sheets.HEADER},Notes\n{row}"

    assert sheets.reasons_of(sheets.validate(data)) == [
        ("required-missing", f"Required fields are missing: [{labels}]")
    ]


def test_a_row_gets_all_its_reasons_in_column_order():
    long = "#" * 81

    assert sheets.reasons_in_row(first=long, last="", born="1990", email="bad") == [
        ("required-missing", "Required fields are missing: [LastName]"),
        ("name-characters", f"FirstName: invalid characters: {long}"),
        ("name-length", "FirstName: longer than 80 characters"),
        ("birth-date-invalid", "Date of birth: invalid Date of birth: 1990"),
        ("email-invalid", "Email: invalid email address: bad"),
    ]


def test_values_are_shown_cleaned():
    assert sheets.reasons_in_row(first=" Ann \n #") == [
        ("name-characters", "FirstName: invalid characters: Ann #")
    ]


def test_rejections_are_in_order_of_line():
    validated = sheets.validate(
        sheets.below_header("Ann,Lee,1/2/1990,bad", "a,b", sheets.GOOD, ",Lee,x,")
    )

    assert [(line, code) for line, code, _ in sheets.rejections_of(validated)] == [
        (2, "email-invalid"),
        (3, "row-cells"),
        (5, "required-missing"),
        (5, "birth-date-invalid"),
    ]


def test_thousands_of_rejected_rows_each_keep_their_reasons():
    rows = ["Ann#,Lee,1/2/1990,bad", sheets.GOOD, ",Lee,1/2/1990,a@b.org"] * 1_500
    sheet = reader.read_sheet(
        sheets.below_header(*rows).encode(), lane=Lane.HIGH_VOLUME
    )

    validated = row_schema.validate_rows(sheet, today=sheets.TODAY)

    assert validated.rejections["code"].value_counts().to_dict() == {
        "name-characters": 1_500,
        "email-invalid": 1_500,
        "required-missing": 1_500,
    }
    assert validated.valid_values.index.tolist() == list(range(3, 4_503, 3))


def test_of_rejected_rows_only_the_original_text_is_kept():
    validated = sheets.validate(sheets.below_header(sheets.GOOD, "too,few", ",Lee,,"))

    assert validated.values.index.tolist() == [2]
    assert validated.cells.index.tolist() == [2, 3, 4]


def test_a_refused_sheet_is_not_changed():
    refused = sheets.read(b"")

    validated = row_schema.validate_rows(refused, today=sheets.TODAY)

    assert validated.refusal == refused.refusal
    assert len(validated.rejections) == 0


def test_the_whole_schema_accepts_the_rows_that_are_handed_on():
    rows = [sheets.GOOD, "Ann#,Lee,1/2/1990,bad", ",Lee,1/2/1990,a@b.org", "a,b"]

    validated = sheets.validate(sheets.below_header(*rows))

    row_schema.build_schema(sheets.TODAY).validate(validated.values)
    assert len(validated.values) == 1
