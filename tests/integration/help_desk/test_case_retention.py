"""Closed cases are erased in time; open ones stay; files of no case go."""

import os

import help_desks
import pytest
from help_desks import RIA, SAM

from cvms_pipeline.domain.vocabulary import cases
from cvms_pipeline.maintenance import case_retention, retention
from cvms_pipeline.use_cases import deliver
from cvms_pipeline.use_cases.help_desk import answering, loading, reading

LIMITS = retention.Limits(
    live_partitions=1,
    run_days=1,
    rejected_rows_days=1,
    archive_days=30,
    case_days=365,
    removed_days=30,
    draft_days=90,
    work_days=1,
)
TYPED = ("Ria", "ria@", "Elm", "NCA765432", "Please load", "Our staff", "Sam Staff")


def clean(site, *, dry_run=False) -> dict[str, tuple[int, int]]:
    results = case_retention.clean_cases(site.pipeline, LIMITS, dry_run=dry_run)
    return {each.what: (each.found, each.removed) for each in results}


def everything(site) -> str:
    names = ("cases", "case_activity", "case_files", "messages")
    rows = (site.table(f"SELECT * FROM cvms.{name}").to_csv() for name in names)  # noqa: S608 # names above
    return "".join(rows)


@pytest.fixture
def closed(site) -> int:
    """A case whose file was loaded, answered, assigned, and closed."""
    number = help_desks.open_case(site).number
    (file,) = help_desks.look(site, number).files
    made = loading.load_file(
        site.pipeline, number, file.id, provider="mercy", by=SAM, version=1
    )
    site.process(made.id)
    version = help_desks.look(site, number).version
    help_desks.handle(site.pipeline, number, to=SAM, by=SAM, version=version)
    answering.close(site.pipeline, number, by=RIA, key="c")
    deliver.send_alerts(site.pipeline)
    return number


def test_a_closed_case_loses_its_files_then_its_texts_and_names(site, closed):
    is_there = {"dry_run": True}
    assert clean(site) == dict.fromkeys(clean(site), (0, 0))

    site.clock.forward(days=31)
    assert clean(site, **is_there)["Files of cases"] == (1, 0)
    assert clean(site)["Files of cases"] == (1, 1)
    (file,) = help_desks.look(site, closed).files
    with pytest.raises(reading.FileUnknown):
        reading.read_file(site.pipeline, closed, file.id, by=RIA)
    assert help_desks.look(site, closed).organisation == "Elm Clinic"

    site.clock.forward(days=340)
    assert clean(site)["Texts and names of cases"] == (1, 1)
    assert clean(site) == dict.fromkeys(clean(site), (0, 0))
    seen = help_desks.look(site, closed)
    assert (seen.kind, seen.state) == (cases.Kind.BULK_UPLOAD, cases.State.CLOSED)
    assert seen.closed_at is not None
    kept = everything(site)
    assert not [typed for typed in TYPED if typed in kept]
    assert not list(site.pipeline.case_files.root.rglob("2*-*"))
    with pytest.raises(reading.CaseClosed):
        help_desks.handle(
            site.pipeline,
            closed,
            state=cases.State.RESOLVED,
            by=SAM,
            version=seen.version,
        )
    erased = "SELECT details FROM cvms.audit WHERE event = 'cases-erased'"
    assert site.column(erased) == [{"cases": [closed]}]


def test_open_cases_stay_and_a_file_without_a_case_goes_after_a_day(site):
    number = help_desks.open_case(site).number
    stray = site.pipeline.case_files.path("20260101-120000-abcdefgh")
    stray.parent.mkdir(mode=0o700, parents=True)
    stray.write_bytes(b"left by a crash")
    site.clock.forward(days=400)
    young = site.clock().timestamp()
    os.utime(stray, (young, young))
    assert clean(site)["Files of no case"] == (0, 0)

    os.utime(stray, (0, 0))

    assert clean(site) == {
        "Texts and names of cases": (0, 0),
        "Files of cases": (0, 0),
        "Files of no case": (1, 1),
    }
    seen = help_desks.look(site, number)
    assert seen.organisation == "Elm Clinic"
    (file,) = seen.files
    assert reading.read_file(site.pipeline, number, file.id, by=RIA).data


def test_a_file_that_cannot_be_removed_holds_up_no_other_case(site, closed):
    other = help_desks.open_case(site, key="other").number
    answering.close(site.pipeline, other, by=RIA, key="c")
    (stuck,) = help_desks.look(site, closed).files
    path = site.pipeline.case_files.path(stuck.id)
    path.unlink()
    (path / "kept").mkdir(parents=True)
    site.clock.forward(days=31)

    assert clean(site)["Files of cases"] == (2, 1)
    assert clean(site)["Files of cases"] == (1, 0)
    site.clock.forward(days=340)
    results = case_retention.clean_cases(site.pipeline, LIMITS, dry_run=False)

    assert [each.kept for each in results] == [1, 1, 0]
    erased = "SELECT number FROM cvms.cases WHERE erased_at IS NOT NULL"
    assert site.column(erased) == [other]
    first, second = retention.report_kept(site.pipeline, results)
    assert first.startswith("Texts and names of cases: 1 are left. ")
    assert second.startswith("Files of cases: 1 are left. ")
