"""Which rows have letters that cannot be read with certainty, and what is loaded."""

import pytest
import sheets
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import letters as lists
from cvms_pipeline.domain.reading import legibility

ADVICE = '; correct the letters, or save the original as "CSV UTF-8" and drop it again'
WESTERN = "José Martínez|Renée Nuñez|Björn Müller|François Lê|Ana García|Zoë O’Hara"
CENTRAL = "Jiří Černý|Łukasz Wójcik|Zdeňka Dvořák|Gergely Szőke|Agnieszka Żak"
CYRILLIC = "Иван Петров|Ольга Коваль"
OTHER_ENCODINGS = [
    (WESTERN, "mac_roman"),
    (WESTERN.replace("’", ""), "cp437"),
    (WESTERN.replace("’", ""), "cp850"),
    (CENTRAL, "cp1250"),
    (CENTRAL, "iso8859_2"),
    (CENTRAL, "cp852"),
    (CYRILLIC, "cp1251"),
    (CYRILLIC, "koi8_r"),
    (CYRILLIC, "cp866"),
    ("Γιώργος Παπαδόπουλος|Ελένη Δημητρίου", "cp1253"),
    ("דוד כהן|שרה לוי", "cp1255"),
    ("محمد العلي|فاطمة حسن", "cp1256"),
    ("Öykü Yıldız|Şule Çağlar", "cp1254"),
    ("Mirosława Wójcik|Łucja Nowak", "cp1257"),  # Polish in the Baltic encoding
    ("Zdzisława Wójcik", "iso8859_13"),
    ("Lucreția Popa|Grația Nicuța", "mac_romanian"),
    ("王伟 张芳|李娜 刘洋", "gb18030"),
    ("田中 太郎|鈴木 花子", "cp932"),
]
READ_TWICE = [
    ("MarÃ\xada", "María"),
    ("GarcÃ\xada", "García"),
    ("RenÃ©e", "Renée"),
    ("NÃºÃ±ez", "Núñez"),
    ("Ã…strÃ¶m", "Åström"),
    ("Ã\x81ngel", "Ángel"),  # a byte that Windows-1252 does not define
    ("Oâ€™Hara", "O’Hara"),
    ("MUÃ‘OZ", "MUÑOZ"),
    ("Mar√≠a", "María"),  # read as MacRoman
    ("Jos├⌐", "José"),  # as code page 437
    ("MĂĽller", "Müller"),  # as Windows-1250
    ("JosГ©", "José"),  # as Windows-1251
    ("Ð˜Ð²Ð°Ð½", "Иван"),
    ("JosÃƒÂ©", "José"),  # three times
    ("Marı´a", "María"),  # the accent beside its letter
    ("Mar´ıa", "María"),
    ("Luı`sa", "Luìsa"),
]
SOUND = [
    "María",
    "JOÃO",
    "Ângela",
    "Núñez",
    "O’Hara",
    "O´Hara",
    "Ta´afuli",
    "Yıldız",
    "Żółć",
    "ČŠ",
    "Łukasz",
    "Nguyễn",
    "Gal·la",
    "Иван",
    "Müller–Lüdenscheidt",
]
DAMAGED = [
    "Jos\ufffd",  # a program has replaced the letter
    "MarÃa",  # the second half, a soft hyphen, is lost
    "Ãngel",
]


def rows(names):
    lines = [
        f"{first},{last},1/2/1990,a{number}@example.org"
        for number, (first, last) in enumerate(name.split(" ", 1) for name in names)
    ]
    return sheets.below_header(*lines, "Pat,Lee,1/2/1990,pat@example.org")


def reasons_of(first_name):
    judged = sheets.validate(rows([f"{first_name} Lee"]).encode())
    return [(r.code, r.text) for r in judged.rejections.itertuples()]


@pytest.mark.parametrize(("names", "encoding"), OTHER_ENCODINGS)
def test_of_a_file_in_another_encoding_only_plain_rows_are_loaded(names, encoding):
    judged = sheets.validate(rows(names.split("|")).encode(encoding))

    assert judged.encoding == "unknown"
    assert list(judged.values["first_name"]) == ["Pat"]
    assert set(judged.rejections["code"]) == {"text-encoding"}


def test_names_in_windows_1252_are_loaded():
    judged = sheets.validate(rows(WESTERN.split("|")).encode("windows-1252"))

    assert judged.encoding == "windows-1252"
    assert judged.rejections.empty
    assert list(judged.values["first_name"])[:2] == ["José", "Renée"]


def test_a_rejected_name_is_shown_as_it_probably_was():
    judged = sheets.validate(rows(WESTERN.split("|")).encode("mac_roman"))

    assert judged.rejections["text"][0] == (
        "FirstName: letters cannot be read with certainty: Jos\ufffd (probably José);"
        " LastName: letters cannot be read with certainty: Mart\ufffdnez (probably"
        f" Martínez){ADVICE}"
    )


@pytest.mark.parametrize(("name", "original"), READ_TWICE)
def test_a_name_of_which_letters_became_several_is_rejected_with_the_original(
    name, original
):
    assert reasons_of(name) == [
        (
            "text-encoding",
            f"FirstName: letters cannot be read with certainty: {name} (probably"
            f" {original}){ADVICE}",
        )
    ]


@pytest.mark.parametrize("name", DAMAGED)
def test_a_name_with_lost_letters_is_rejected_without_a_guess(name):
    assert reasons_of(name) == [
        (
            "text-encoding",
            f"FirstName: letters cannot be read with certainty: {name}{ADVICE}",
        )
    ]


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_name_in_utf_8_is_loaded(name):
    assert reasons_of(name) == []
    assert legibility.find_original(name) is None


def test_a_stray_byte_in_utf_8_rejects_its_row_only():
    data = rows(["María García", "Jesús Díaz"]).encode().replace(b"Pat", b"Ren\xe9e")

    judged = sheets.validate(data)

    assert judged.encoding == "utf-8"
    assert list(judged.values["first_name"]) == ["María", "Jesús"]
    assert list(judged.rejections["text"]) == [
        "FirstName: letters cannot be read with certainty: Ren\ufffde (probably"
        f" Renée){ADVICE}"
    ]


def test_a_stray_byte_in_an_ignored_column_rejects_no_row():
    data = (
        "First name,Last name,Date of birth,Email,Note\n"
        "María,García,1/2/1990,maria@example.org,x\n"
    ).encode()

    judged = sheets.validate(data.replace(b",x", b",caf\xe9"))

    assert judged.rejections.empty
    assert list(judged.values["first_name"]) == ["María"]


def test_bytes_that_no_encoding_defines_reject_their_row_only():
    data = (
        rows(["Ren\xe9e Lee"]).encode("windows-1252") + b"\nJo,L\x81,1/2/1990,j@b.org"
    )

    judged = sheets.validate(data)

    assert "Pat" in set(judged.values["first_name"])
    assert judged.rejections["line"].tolist()[-1] == 4


def test_a_rejected_row_is_rejected_again_when_it_is_dropped_unchanged():
    judged = sheets.validate(rows(WESTERN.split("|")).encode("mac_roman"))

    again = sheets.validate(rows(judged.cells.iloc[:4]["first_name"] + " Lee").encode())

    assert list(again.values["first_name"]) == ["Pat"]


KINDS = [
    (encoding, country)
    for encoding, countries in lists.MEASURED.items()
    for country in countries
    if encoding != "windows-1252"
]


@st.composite
def files(draw):
    encoding, country = draw(st.sampled_from(KINDS))
    held_back = [
        name
        for name in lists.split(country)[1]
        if lists.encode(name, encoding) not in {None, lists.encode(name, "cp1252")}
    ]
    chosen = st.lists(st.sampled_from(held_back), min_size=5, max_size=15, unique=True)
    return encoding, draw(chosen) if len(held_back) >= 5 else []


@settings(deadline=None, derandomize=True, max_examples=40)
@given(files())
def test_of_no_file_in_another_encoding_is_a_wrong_name_loaded(file):
    encoding, names = file

    judged = sheets.validate(rows([f"{name} Lee" for name in names]).encode(encoding))

    assert set(judged.values["first_name"]) <= {*names, "Pat"}


@settings(deadline=None, derandomize=True, max_examples=40)
@given(
    st.sampled_from(["es_ES", "fr_FR", "de_DE", "pt_PT", "sv_SE", "cs_CZ", "ru_RU"]),
    st.sampled_from(["windows-1252", "latin-1", "mac_roman", "cp437", "cp850"]),
    st.data(),
)
def test_no_name_that_was_encoded_twice_is_loaded(country, page, data):
    name = data.draw(st.sampled_from(lists.split(country)[1]))
    raw = name.encode()
    try:
        twice = raw.decode(page)
    except UnicodeDecodeError:
        twice = raw.decode("latin-1")

    judged = sheets.validate(rows([f"{twice} Lee"]).encode())

    assert list(judged.values["first_name"]) == ["Pat"]
