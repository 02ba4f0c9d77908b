"""An upload whose rejected rows were purged, on the command line."""

import datetime as dt

import pytest

from cvms_pipeline.store import rejected_rows


@pytest.fixture
def purged(done, pipeline) -> str:
    now = pipeline.now() + dt.timedelta(days=91)
    with pipeline.store.begin() as conn:
        conn.exec_driver_sql("UPDATE cvms.messages SET status = 'withdrawn'"
                             " WHERE status = 'waiting'")  # fmt: skip
        gone = rejected_rows.purge(conn, before=now, now=now, limit=10)
    assert list(gone) == [done]
    return done


def test_its_counts_and_reasons_remain(terminal, purged):
    found = terminal.cvms("upload", purged, "--json").json

    assert (found["rows"], found["loaded"], found["rejected"]) == (4, 2, 2)
    assert found["reasons"]["duplicate-in-file"] == 1
    assert found["rejections"] == []


def test_the_text_shows_the_reasons_and_when_the_rows_were_purged(terminal, purged):
    shown = terminal.cvms("upload", purged).out

    assert "duplicate-in-file 1" in shown
    assert "Rows purged" in shown


def test_its_error_report_is_refused_with_an_explanation(terminal, purged):
    ended = terminal.cvms("report", purged)

    assert ended.code != 0
    assert "rows were purged on" in " ".join(ended.err.split())
