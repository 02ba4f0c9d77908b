"""Markdown and HTML of providers: Dagster's UI, which renders both, is given none."""

import json
import os
import re

import dagster as dg
import pytest
from installations import HEADER

from cvms_pipeline.files import access
from cvms_pipeline.use_cases import process

MARK = "xssmark"
MARKUP = [
    f"![{MARK}](http://evil.example.org/{MARK}.png)",
    f"[{MARK}](javascript:alert(1))",
    f"<img src=x onerror=alert('{MARK}')>",
    f"<script>alert('{MARK}')</script>",
    f"# {MARK}",
    f"| {MARK} | --- |",
    f"`{MARK}`",
    f"{{{{ {MARK} }}}}",
]
# Where a provider can write, and the file that has the markup there.
CELLS = "\n".join([HEADER, *(f'"{m}","{m}","{m}","{m}"' for m in MARKUP), "Ann,,,"])
QUOTED = ",".join(f'"{markup}"' for markup in MARKUP)
PLACES = {
    "cells": CELLS,
    "ignored columns": f"{HEADER},{QUOTED}\nAnn,Lee,1/2/1990,a@b.org",
    "columns that are missing": f"{QUOTED}\nAnn,Lee,1/2/1990,a@b.org",
    "a column that is there twice": f"{HEADER},Email,{QUOTED}\nAnn,Lee,1/2/1990,a@b.c",
    "broken quotes": f'{HEADER}\n"{MARKUP[2]}\nAnn,Lee,1/2/1990,a@b.org',
    "too many cells": f"{HEADER}\nAnn,Lee,1/2/1990,a@b.org,{QUOTED}",
    "no table": f"PK\x03\x04{MARKUP[0]}",
}
FILE_NAME = f"[{MARK}](javascript:alert(1))<img src=x onerror=alert(2)>.csv"
FOLDER = f"[{MARK}](javascript:alert(1))"


OUR_LINK = re.compile(r"\[(Re-execute|[0-9a-z-]+)\]\(/(runs|assets)/[0-9a-z_?=&-]+\)")
OUR_TEXT = re.compile(r"(?:\*\*(?:[0-9]+ )?failed\*\*|\\[\n`]|[\w\s,.;:()…–-])*")


def told(instance) -> list[dg.EventLogEntry | dg.DagsterRun]:
    """Return every event and every run that Dagster has stored."""
    runs = instance.get_runs()
    return [*runs, *(event for run in runs for event in instance.all_logs(run.run_id))]


def assert_nothing_to_render(*values: object) -> None:
    """Check that no text of a provider's is in these, and only our links Markdown."""
    text = "\n".join(dg.serialize_value(value) for value in values)
    assert MARK not in text.lower()
    kind = "MarkdownMetadataEntryData"
    found = re.findall(rf'"__class__": "{kind}", "md_str": ("[^"]*")', text)
    assert len(found) == text.count(kind)
    shown = [OUR_LINK.sub("", json.loads(each)) for each in found]
    assert [each for each in shown if not OUR_TEXT.fullmatch(each)] == []
    assert "UrlMetadataEntryData" not in text


@pytest.fixture
def renamed(desk) -> None:
    """The provider's name is of that kind, too."""
    name = f"Mercy {MARKUP[1]} {MARKUP[2]}"
    desk.site.execute(f"UPDATE cvms.providers SET name = $${name}$$")  # noqa: S608 # ours


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("slug", ["mercy", FOLDER])
def test_no_markup_of_a_provider_reaches_what_the_ui_shows(desk, renamed, place, slug):
    upload_id = desk.receive(PLACES[place].encode(), slug=slug, file_name=FILE_NAME)

    assert desk.run(upload_id).success
    assert desk.run(upload_id, "send_invitations").success
    assert desk.run(None, "send_alerts").success
    overview = desk.sensor("overview")

    assert_nothing_to_render(*told(desk.instance), *overview.asset_events)


def test_the_markup_was_there_to_be_shown(desk):
    for number, content in enumerate(PLACES.values()):
        desk.bring(content.encode(), file_name=f"{number} {FILE_NAME}")

    kept = {
        "SELECT file_name FROM cvms.uploads": 7,
        "SELECT ignored_columns::text FROM cvms.uploads": 1,
        "SELECT refusal_message FROM cvms.uploads": 1,
        "SELECT message FROM cvms.rejected_rows": 1,
    }
    for query, least in kept.items():
        found = [text for text in desk.site.column(query) if MARK in str(text)]
        assert len(found) >= least, query


def test_the_requests_of_sensors_contain_no_markup(desk, renamed):
    desk.site.drop(CELLS.encode(), file_name=FILE_NAME)
    desk.site.drop(CELLS.encode(), slug=FOLDER, file_name=FILE_NAME)
    uploads = desk.site.take_in()
    desk.site.execute("UPDATE cvms.uploads SET status = 'received'")

    asked = desk.sensor("incoming_uploads")

    assert {each.partition_key for each in asked.run_requests} == {
        upload.id for upload in uploads
    }
    assert_nothing_to_render(*asked.asset_events)
    assert MARK not in repr(asked)


def test_a_failed_run_and_the_check_of_failed_uploads_show_no_markup(
    desk, renamed, monkeypatch
):
    def fail(*arguments):
        path = desk.site.lane() / FILE_NAME
        with access.translate_errors(desk.site.lane().parent):
            os.rmdir(path)  # noqa: PTH106 # an error that names the file
        raise ValueError(MARKUP)

    upload_id = desk.receive(CELLS.encode(), file_name=FILE_NAME)
    with monkeypatch.context() as patch:
        patch.setattr("cvms_pipeline.defs.recovery.MAX_STEP_RETRIES", 1)
        patch.setattr(process, "validate_rows", fail)
        assert not desk.run(upload_id).success
    process.mark_failed(desk.site.pipeline, upload_id, run_id="r", job="j")
    today, red, _ = desk.sensor("overview").asset_events

    assert red.metadata["upload ids"].value == upload_id
    assert_nothing_to_render(*told(desk.instance), today, red)
