"""What the page of `todays_uploads` shows, and in which order."""

import dataclasses
import logging
import re

import dagster as dg
import pytest
from test_defs_requests import NOW, known

from cvms_pipeline.defs import overview
from cvms_pipeline.domain.vocabulary import reasons, upload
from cvms_pipeline.store import listing, uploads
from cvms_pipeline.use_cases import history

LOG = logging.getLogger("test")
SPACE = "\N{NO-BREAK SPACE}"
COMPLETED, REFUSED, FAILED = (
    upload.UploadStatus.COMPLETED,
    upload.UploadStatus.REFUSED,
    upload.UploadStatus.FAILED,
)


def summary(provider: str | None = "mercy", **counts: float) -> listing.ProviderSummary:
    names = [field.name for field in dataclasses.fields(listing.ProviderSummary)]
    facts = {**dict.fromkeys(names, 0), "seconds_to_notice": None, **counts}
    return listing.ProviderSummary(**{**facts, "provider": provider})


def stands(
    *day: uploads.Upload,
    failed: tuple[uploads.Upload, ...] = (),
    providers: tuple[listing.ProviderSummary, ...] = (),
) -> history.Overview:
    told = [
        listing.ReasonCount(code=reasons.EMAIL_INVALID, uploads=1, rows=2),
        listing.ReasonCount(code=reasons.FILE_EMPTY, uploads=1, rows=0),
    ]
    return history.Overview(
        day=NOW.date(),
        hour=15,
        providers=providers or (summary(),),
        reasons=told,
        latest=day,
        refused=[each for each in day if each.refusal is not None],
        failed=failed,
    )


def events_of(state: history.Overview):
    """Return the materialization of the day, and the results of the two checks."""
    return overview.make_asset_events(state, LOG)


def shown_of(state: history.Overview) -> dict[str, str | float]:
    """Return what the page shows below each key, with usual spaces."""
    made, *_ = events_of(state)
    values = {key: each.value for key, each in made.metadata.items()}
    return {
        key: value.replace(SPACE, " ") if isinstance(value, str) else value
        for key, value in values.items()
    }


def refused_upload(upload_id: str, **facts: object) -> uploads.Upload:
    refusal = reasons.make_refusal(reasons.FILE_EMPTY)
    return known(upload_id, status=REFUSED, refusal=refusal, **facts)


HEADLINES = {
    "21 uploads, 2 refused, **1 failed**; 66 of 2,383 rows rejected": stands(
        failed=(known("u1", status=FAILED),),
        providers=(
            summary(uploads=20, refused=2, failed=1, rows=2000, rejected=66),
            summary(None, uploads=1, rows=383),
        ),
    ),
    "1 upload; 0 of 5 rows rejected": stands(providers=(summary(uploads=1, rows=5),)),
    "2 uploads, 1 waiting; 0 of 5 rows rejected": stands(
        providers=(summary(uploads=2, waiting=1, rows=5),)
    ),
    "0 uploads, **1 failed on an earlier day**; 0 of 0 rows rejected": stands(
        failed=(known("u1", status=FAILED),)
    ),
}


@pytest.mark.parametrize("headline", HEADLINES)
def test_the_headline_counts_what_came_in_and_what_became_of_it(headline):
    shown = str(shown_of(HEADLINES[headline])["today"])

    assert shown.split("\\\n")[0] == headline


def lines_of(state: history.Overview) -> list[str]:
    """Return the lines of the table, below its header."""
    header, *lines = str(shown_of(state)["uploads"]).split("\\\n")
    assert header.split() == [
        "upload",
        "provider",
        "rows",
        "loaded",
        "rejected,",
        "why",
    ]
    return lines


def test_the_headline_is_followed_by_who_has_sent_how_much():
    seven = tuple(summary(f"p{n}", uploads=n, rows=1000 * n) for n in range(1, 8))
    few = (summary("mercy", uploads=1, rows=5), summary(None), summary("wake"))

    _, many = str(shown_of(stands(providers=seven))["today"]).split("\\\n")
    _, one = str(shown_of(stands(providers=few))["today"]).split("\\\n")

    assert many.startswith("p7 7 (7,000 rows), p6 6 (6,000 rows), ")
    assert many.endswith("p2 2 (2,000 rows), 1 more providers")
    assert one == "mercy 1 (5 rows)"


def test_what_is_broken_is_above_what_was_refused_what_waits_and_what_was_loaded():
    rejected = known("u5", status=COMPLETED, rejected=1, reasons={"row-cells": 1})
    broken = known("u1", status=FAILED)

    lines = lines_of(
        stands(
            known("u6", status=COMPLETED, withdrawn_at=NOW),
            known("u4", status=COMPLETED),
            rejected,
            known("u3"),
            refused_upload("u2"),
            broken,
            failed=(broken,),
        )
    )

    ids = [found[1] for line in lines if (found := re.match(r"\[(.+?)\]", line))]
    assert ids == ["u1", "u2", "u3", "u5", "u4", "u6"]
    assert lines[0].endswith("mercy       – **failed**")
    assert lines[3].endswith("mercy       – received")
    assert lines[-1].endswith("mercy       – withdrawn")


def test_a_loaded_upload_is_a_line_with_its_counts_its_first_reason_and_its_report():
    rejected = known(
        "20260105-153020-abcdefgh",
        status=upload.UploadStatus.COMPLETED_WITH_ERRORS,
        run_id="r1",
        decided_at=NOW,
        rows=46,
        loaded=43,
        rejected=3,
        reasons={"row-cells": 1, "email-invalid": 2},
    )
    clean = known(
        "u2",
        provider="wake-county-health",
        status=COMPLETED,
        decided_at=NOW,
        rows=5000,
        loaded=5000,
    )

    first, second = lines_of(stands(clean, rejected))

    assert first == (
        "[abcdefgh](/runs/r1) mercy                46     43 [3](/assets/error_report"
        "?view=partitions&partition=20260105-153020-abcdefgh) email-invalid"
    )
    assert second == (
        "[u2](/assets/recipients?view=partitions&partition=u2)       wake-county-health"
        " 5000   5000 0"
    )


def test_a_refused_upload_is_a_line_with_its_code():
    unread, long = (
        refused_upload("u1"),
        refused_upload("u2", refused_rows=5001, decided_at=NOW, provider=None),
    )

    first, second = lines_of(stands(unread, long))

    assert first.endswith("mercy       – refused file-empty")
    assert second.endswith("unknown  5001 refused file-empty")


def test_a_broken_upload_is_a_line_with_a_link_to_the_run_to_re_execute():
    failed = known(
        "u1",
        status=FAILED,
        run_id="r1",
        failed_run="r2",
        failure="Permission denied on a table (SQLSTATE 42501). Run `cvms db upgrade`.",
    )

    assert lines_of(stands(failed, failed=(failed,))) == [
        "[u1](/runs/r1)       mercy       – **failed** [Re-execute](/runs/r2)",
        "Permission denied on a table (SQLSTATE 42501). Run \\`cvms db upgrade\\`.",
    ]


def test_a_line_is_as_wide_as_the_page_for_the_longest_name_and_a_usual_reason():
    long = known(
        "20260105-153020-abcdefgh",
        provider="a" * 63,
        status=COMPLETED,
        rows=5000,
        loaded=4000,
        rejected=1000,
        reasons={"birth-date-invalid": 1000},
    )

    for line in str(shown_of(stands(long))["uploads"]).split("\\\n"):
        assert len(re.sub(r"\[(.*?)\]\(.*?\)", r"\1", line)) == 61


def test_a_busy_day_is_shown_without_a_button():
    many = [
        known(
            f"20260105-153020-upload{number:02}",
            status=COMPLETED,
            run_id=f"{number:036}",
            rejected=number % 2,
            reasons={"email-invalid": 1},
        )
        for number in range(100)
    ]

    shown = shown_of(stands(*many))

    texts = [text for text in shown.values() if isinstance(text, str)]
    assert max(map(len, texts)) < 1000
    assert "uploads 2" in shown
    assert all(f"[upload{number:02}](" in "".join(texts) for number in range(100))


def test_the_sums_of_providers_and_reasons_are_lines():
    shown = shown_of(
        stands(providers=(summary(uploads=2, rows=5, loaded=4, rejected=1),))
    )

    assert shown["by provider"] == (
        "uploads rows loaded rejected provider\\\n      2    5      4        1 mercy"
    )
    assert shown["by reason"] == (
        "uploads rows why\\\n      1    2 email-invalid\\\n      1    0 file-empty"
    )


def test_each_day_has_one_value_of_each_number_that_is_plotted():
    busy = summary(uploads=2, rows=40, rejected=10, seconds_to_notice=1.254)
    quiet = summary(None, uploads=1, rows=10)
    state = stands(providers=(quiet, busy))

    made, *_ = events_of(state)

    numbers = {k: v for k, v in shown_of(state).items() if not isinstance(v, str)}
    assert made.partition == "2026-01-05"
    assert numbers == {
        "uploads a day": 3,
        "rows a day": 50,
        "rejected percent": 20.0,
        "rows: mercy": 40,
        "rejected percent: mercy": 25.0,
        "seconds from drop to notice: mercy": 1.25,
        "rows: unknown": 10,
        "rejected percent: unknown": 0.0,
    }


def test_only_the_busiest_providers_have_plots_of_their_own():
    many = tuple(summary(f"p{number}", rows=number) for number in range(50))

    shown = shown_of(stands(providers=many))

    assert [key for key in shown if key.startswith("rows: ")] == [
        f"rows: p{number}" for number in range(49, 29, -1)
    ]


def test_the_overview_changes_when_an_upload_does_or_an_hour_begins():
    before, after = known("u1"), known("u1", status=COMPLETED)
    state = stands(before)

    first, again, changed, failed, later = map(
        overview.compute_fingerprint,
        [
            state,
            stands(before),
            stands(after),
            stands(before, failed=(after,)),
            dataclasses.replace(state, hour=16),
        ],
    )

    assert first == again
    assert first not in {changed, failed, later}


def test_a_failed_upload_is_an_error_and_a_refused_one_a_warning():
    _, failed, refused = events_of(
        stands(refused_upload("u2"), failed=(known("u1", status=FAILED),))
    )
    _, *passed = events_of(stands(known("u3", status=COMPLETED)))

    assert (failed.check_name, failed.passed) == ("no_upload_failed", False)
    assert failed.severity is dg.AssetCheckSeverity.ERROR
    assert failed.metadata["upload ids"].value == "u1"
    assert (refused.check_name, refused.passed) == ("no_upload_refused", False)
    assert refused.severity is dg.AssetCheckSeverity.WARN
    assert refused.metadata["upload ids"].value == "u2"
    assert [each.passed for each in passed] == [True, True]


def test_no_file_name_is_shown():
    every = (known("u1", status=COMPLETED), refused_upload("u2"), known("u3"))

    shown = events_of(stands(*every, failed=(known("u4", status=FAILED),)))

    assert "Canary" not in repr(shown)
