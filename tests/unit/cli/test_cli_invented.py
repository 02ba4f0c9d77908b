import datetime as dt
import io
import xml.etree.ElementTree as ET
import zipfile

from cvms_pipeline.cli import invented, workbook

NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


def test_no_two_of_many_people_share_a_match_key():
    people = invented.many(5_000, "Bodelu")

    keys = {(p.first_name, p.last_name, p.birth_date) for p in people}
    assert len(keys) == len(people)


def test_each_second_has_another_edition():
    editions = [invented.edition(NOON + dt.timedelta(seconds=s)) for s in range(2_000)]

    assert len(set(editions)) == len(editions)
    assert all(word.isalpha() and word.istitle() for word in editions)


def test_everybody_has_an_address_that_reaches_nobody():
    people = invented.many(100, "Bodelu")

    assert all(person.email.endswith("@example.org") for person in people)


def test_a_workbook_is_a_zip_archive_of_well_formed_parts():
    data = workbook.xlsx([("First name", "Tom & <Jo>")])

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = ET.fromstring(parts["xl/worksheets/sheet1.xml"])  # noqa: S314 # ours
    assert "".join(sheet.itertext()) == "First nameTom & <Jo>"
    assert all(ET.fromstring(part) is not None for part in parts.values())  # noqa: S314


def test_a_workbook_is_the_same_bytes_each_time():
    rows = [("First name",), ("Ann",)]

    assert workbook.xlsx(rows) == workbook.xlsx(rows)
