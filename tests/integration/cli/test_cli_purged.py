"""What the command line still says of an upload whose rejected rows have gone."""

import datetime as dt

import pytest

from cvms_pipeline.store import retention


@pytest.fixture
def purged(done, pipeline) -> str:
    now = pipeline.now() + dt.timedelta(days=91)
    with pipeline.store.begin() as conn:
        conn.exec_driver_sql("UPDATE cvms.messages SET status = 'withdrawn'"
                             " WHERE status = 'waiting'")  # fmt: skip
        gone = retention.purge_rejected_rows(conn, before=now, now=now, limit=10)
    assert list(gone) == [done]
    return done


def test_its_counts_and_reasons_are_still_there(terminal, purged):
    found = terminal.cvms("upload", purged, "--json").json

    assert (found["rows"], found["loaded"], found["rejected"]) == (4, 2, 2)
    assert found["reasons"]["duplicate-in-file"] == 1
    assert found["rejections"] == []


def test_a_person_reads_the_reasons_and_when_the_rows_went(terminal, purged):
    shown = terminal.cvms("upload", purged).out

    assert "duplicate-in-file 1" in shown
    assert "Rows purged" in shown


def test_asking_for_its_error_report_is_answered_in_words(terminal, purged):
    asked = terminal.cvms("report", purged)

    assert asked.code != 0
    assert "rows were purged on" in " ".join(asked.err.split())
