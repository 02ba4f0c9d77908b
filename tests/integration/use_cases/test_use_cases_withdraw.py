"""A withdrawn upload: what its provider is told, and what a repeated run does."""

import dataclasses
import datetime as dt
import uuid

import pytest
from installations import ANN, BAD, BOB, HEADER

from cvms_pipeline.domain.vocabulary import upload
from cvms_pipeline.store import listing
from cvms_pipeline.use_cases import deliver, history, process
from cvms_pipeline.use_cases.provider_actions import submit, withdraw


def words(text):
    return " ".join(text.split())


def take_back(site, upload_id, **facts):
    return withdraw.withdraw(site.pipeline, upload_id, why="the wrong file", **facts)


def people(site):
    return site.column("SELECT count(*) FROM cvms.recipients")[0]


@pytest.fixture
def sent(site):
    """An upload of the portal, whose invitations wait."""
    data = "\n".join([HEADER, ANN, BOB, BAD]).encode()
    upload_id = submit_file(site, data)
    site.process(upload_id)
    return upload_id


def submit_file(site, data):
    """Send a file as the portal does; return the upload's id."""
    submission = submit.Submission(
        upload_id=upload.make_id(site.clock()),
        data=data,
        file_name="staff.csv",
        lane=upload.Lane.LOW_VOLUME,
        provider="mercy",
        sent_by=str(uuid.uuid4()),
    )
    return submit.submit(site.pipeline, submission).id


def test_the_receipt_says_that_the_upload_was_withdrawn(site, sent):
    found = take_back(site, sent)

    moment = found.withdrawn_at.astimezone(site.pipeline.zone)
    told = words(site.receipt(sent))
    assert told.startswith("This Bulk Employee upload was withdrawn on")
    assert (
        "None of its records is in the system, and nobody was invited because of it. If"
        " the people are to be registered, send the file again."
    ) in told
    assert f"{moment:%Y}" in told
    assert "Successfully Loaded" not in told


def test_a_notice_that_was_not_sent_yet_says_so_too(site):
    upload_id = site.receive([ANN])
    site.execute("UPDATE cvms.uploads SET sent_from = 'portal'")
    read = process.read_rows(site.pipeline, upload_id, "run").sheet
    judged = process.validate_rows(site.pipeline, upload_id, read)
    planned = process.find_duplicates(site.pipeline, upload_id, judged)
    process.load(site.pipeline, upload_id, planned)

    take_back(site, upload_id)
    deliver.send_notice(site.pipeline, upload_id)

    (notice,) = site.mail()
    assert notice["Subject"] == "Bulk Employee Upload - Withdrawn"


def test_invitations_of_a_portal_upload_wait_and_of_a_dropped_file_do_not(site, sent):
    dropped = site.bring(["Di,Lee,1/2/1990,di@b.example.org"])
    assert deliver.send_invitations(site.pipeline, dropped).sent == 1
    assert deliver.send_invitations(site.pipeline, sent).sent == 0
    assert withdraw.can_withdraw(site.pipeline, site.upload(sent))
    assert not withdraw.can_withdraw(site.pipeline, site.upload(dropped))

    site.clock.forward(minutes=10)

    assert deliver.send_invitations(site.pipeline, sent).sent == 2
    with pytest.raises(
        withdraw.NotWithdrawable, match="its invitations are being sent"
    ):
        take_back(site, sent)


def test_the_delay_is_a_setting(site):
    site.pipeline = dataclasses.replace(
        site.pipeline, invitation_delay=dt.timedelta(minutes=3)
    )
    upload_id = submit_file(site, "\n".join([HEADER, ANN]).encode())
    site.process(upload_id)

    site.clock.forward(minutes=3)

    assert deliver.send_invitations(site.pipeline, upload_id).sent == 1


def test_a_dropped_file_can_be_withdrawn_until_somebody_is_invited(site):
    upload_id = site.bring([ANN, BAD])

    assert take_back(site, upload_id).status is upload.UploadStatus.WITHDRAWN
    assert people(site) == 0


def test_running_it_again_loads_nobody_and_says_withdrawn(site, sent):
    take_back(site, sent)
    before = site.everything()

    loaded = site.process(sent, "again")

    assert (loaded.is_withdrawn, loaded.accounted_for) == (True, 3)
    assert people(site) == 0
    assert site.upload(sent).status is upload.UploadStatus.WITHDRAWN
    assert site.everything() == before


def test_the_same_file_again_is_not_said_to_be_loaded(site):
    upload_id = site.bring([ANN])
    take_back(site, upload_id)

    again = site.bring([ANN])

    assert site.upload(again).loaded == 1
    assert "The same file" not in site.receipt(again)


def test_a_provider_withdraws_only_its_own(site, sent):
    with pytest.raises(history.UploadUnknown):
        take_back(site, sent, provider="county")
    take_back(site, sent, provider="mercy")


def test_waiting_for_a_delay_is_no_backlog(site, sent):
    with site.pipeline.store.begin() as conn:
        assert listing.count_backlog(conn).messages_unsent == 0
