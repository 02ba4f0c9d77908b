"""Staff judge the file of a case and load it for a provider: once, linked both ways."""

import concurrent.futures

import help_desks
import pytest
from help_desks import MIA, RIA, SAM, SUE
from installations import ANN, BAD, BOB, HEADER

from cvms_pipeline.domain.vocabulary import cases, upload
from cvms_pipeline.files import archive
from cvms_pipeline.use_cases import deliver, drop
from cvms_pipeline.use_cases.help_desk import handling, loading, opening, reading
from cvms_pipeline.use_cases.provider_actions import withdraw

Lane = upload.Lane


def attached(*rows: str, name: str = "Our staff.csv") -> opening.AttachedFile:
    data = "\r\n".join([HEADER, *rows]).encode()
    return opening.AttachedFile(file_name=name, data=data)


def opened(site, *rows: str) -> tuple[int, str]:
    """Open a case with a file; return its number and the file's id."""
    number = help_desks.open_case(site, file=attached(*rows)).number
    (file,) = help_desks.look(site, number).files
    return number, file.id


def load(site, number, file_id, *, provider="mercy", by=SAM, version=1):
    return loading.load_file(
        site.pipeline, number, file_id, provider=provider, by=by, version=version
    )


def test_a_file_is_judged_as_in_a_review_and_loaded_as_an_upload_of_the_provider(site):
    number, file_id = opened(site, ANN, BOB, BAD)

    judged = loading.judge_file(
        site.pipeline, number, file_id, provider="mercy", by=SAM
    )
    made = load(site, number, file_id)
    site.process(made.id)

    assert judged.rows["verdict"].tolist() == ["loads", "loads", "rejected"]
    assert judged.problems["line"].tolist() == [4, 4]
    done = site.upload(made.id)
    assert (done.provider, done.lane, done.loaded) == ("mercy", Lane.LOW_VOLUME, 2)
    assert (done.sent_from, done.sent_by) == (upload.Way.HELP_DESK, SAM.account_id)
    seen = help_desks.look(site, number)
    assert (seen.state, seen.upload_id) == (cases.State.IN_PROGRESS, made.id)
    assert seen.files[0].upload_id == made.id
    shown = {
        person.name: reading.list_cases_of_upload(site.pipeline, made.id, by=person)
        for person in (SAM, RIA, MIA)  # whose provider did not ask
    }
    assert shown == {
        SAM.name: {number: True},
        RIA.name: {number: True},
        MIA.name: {number: False},
    }
    notice = f"SELECT addresses FROM cvms.messages WHERE purpose = 'notice:{made.id}'"  # noqa: S608 # an id
    assert site.column(notice) == [["staff@mercy.example.org", RIA.email]]
    deliver.send_alerts(site.pipeline)
    told = [m["To"] for m in site.mail() if m["Subject"].startswith("Re: Case")]
    assert told == [RIA.email]


def test_a_refused_notice_is_sent_again_to_provider_and_requester(site):
    number, file_id = opened(site, ANN)
    made = load(site, number, file_id)
    site.process(made.id)
    site.execute("UPDATE cvms.messages SET status = 'refused', sent_at = NULL")
    site.execute("UPDATE cvms.providers SET emails = ARRAY['new@mercy.example.org']")
    notice = "FROM cvms.messages WHERE kind = 'notice'"

    deliver.resend_messages(site.pipeline, site.column(f"SELECT id::text {notice}"))

    assert site.column(f"SELECT addresses {notice}") == [
        ["new@mercy.example.org", RIA.email]
    ]


def test_a_file_that_is_loaded_twice_is_one_upload(site):
    number, file_id = opened(site, ANN)

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        loaded = [pool.submit(load, site, number, file_id) for _ in range(3)]
    again = load(site, number, file_id, by=SUE)

    assert {each.result().id for each in loaded} == {again.id}
    actions = [each.action.value for each in help_desks.look(site, number).activity]
    assert actions.count("loaded") == 1
    assert site.column("SELECT count(*) FROM cvms.uploads") == [1]


def test_a_crash_before_the_link_is_made_up_for_by_loading_again(site, monkeypatch):
    number, file_id = opened(site, ANN)
    with monkeypatch.context() as patch:
        patch.setattr(loading, "_link", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            load(site, number, file_id)
    before = help_desks.look(site, number)

    made = load(site, number, file_id, version=before.version)

    assert before.files[0].loaded_at is None
    assert help_desks.look(site, number).files[0].loaded_at is not None
    assert site.column("SELECT id FROM cvms.uploads") == [made.id]


def test_a_file_is_loaded_for_another_provider_only_after_a_withdrawal(site):
    site.add_provider("elm")
    number, file_id = opened(site, ANN)
    wrong = load(site, number, file_id)
    version = help_desks.look(site, number).version
    with pytest.raises(loading.FileLoaded):
        load(site, number, file_id, provider="elm", version=version)
    site.process(wrong.id)
    withdraw.withdraw(site.pipeline, wrong.id, why="wrong provider")

    with pytest.raises(handling.StaleCase):
        load(site, number, file_id, provider="elm", version=1)
    right = load(site, number, file_id, provider="elm", version=version)
    site.process(right.id)

    assert site.upload(right.id).loaded == 1
    assert help_desks.look(site, number).files[0].upload_id == right.id
    assert reading.list_cases_of_upload(site.pipeline, wrong.id, by=SAM) == {
        number: True
    }


def test_more_than_100_rows_are_judged_and_loaded_in_high_volume(site):
    rows = [f"A{n},Lee,1/2/1990,a{n}@b.example.org" for n in range(101)]
    number, file_id = opened(site, *rows)

    judged = loading.judge_file(
        site.pipeline, number, file_id, provider="mercy", by=SAM
    )

    assert len(judged.rows) == 101
    assert load(site, number, file_id).lane is Lane.HIGH_VOLUME


def test_what_cannot_be_loaded_changes_nothing(site):
    number = help_desks.open_case(site, MIA, file=attached(ANN, name="a.csv")).number
    other, refused = opened(site)  # a header and no row
    site.add_provider("elm", is_enabled=False)
    (file,) = help_desks.look(site, number).files

    with pytest.raises(loading.FileRefused):
        load(site, other, refused)
    with pytest.raises(drop.ProviderDisabled):
        load(site, number, file.id, provider="elm")
    with pytest.raises(handling.ForStaff):
        load(site, number, file.id, by=MIA)
    with pytest.raises(reading.FileUnknown):
        load(site, other, file.id)
    site.pipeline.case_files.path(file.id).chmod(0o600)
    site.pipeline.case_files.path(file.id).write_bytes(b"something else")
    with pytest.raises(archive.ArchiveDamaged):
        load(site, number, file.id)

    assert site.column("SELECT count(*) FROM cvms.uploads") == [0]
    assert help_desks.look(site, number).version == 1
