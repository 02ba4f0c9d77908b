from cvms_pipeline.cli import demo, samples
from cvms_pipeline.cli import terminal as cli_terminal
from cvms_pipeline.domain.vocabulary import upload

EDITION = "Bodelu"


def play_to_the_end(pipeline, work, edition):
    samples.register_providers(pipeline)
    played = demo.Demonstration(pipeline, edition)
    for _ in range(4):  # one more than the samples that build on one another
        played.advance()
        work()
    played.advance()
    return played


def play_once(pipeline, work):
    samples.register_providers(pipeline)
    played = demo.Demonstration(pipeline, EDITION)
    played.advance()
    work()
    played.advance()
    return played


def test_every_sample_has_its_outcome_however_often_they_are_played(pipeline, work):
    for edition in ("Bodelu", "Bodeju"):
        played = play_to_the_end(pipeline, work, edition)

        assert played.is_over
        assert [
            turn.sample.file_name for turn in played.turns if not turn.is_as_expected
        ] == []


def test_a_sample_waits_for_the_one_it_builds_on(pipeline):
    samples.register_providers(pipeline)
    played = demo.Demonstration(pipeline, EDITION)

    played.advance()

    dropped = {turn.sample.file_name for turn in played.turns if turn.dropped}
    assert "all_good.csv" in dropped
    assert not {"every_reason.csv", "corrected_report.csv"} & dropped
    assert not played.is_over


def test_an_outcome_that_is_not_the_expected_one_is_marked(pipeline, work):
    played = play_once(pipeline, work)
    turn = played.turns[0]
    assert turn.is_as_expected

    object.__setattr__(turn.upload, "loaded", turn.upload.loaded - 1)

    assert not turn.is_as_expected
    out = cli_terminal.out()
    with out.capture() as shown:
        out.print(played.make_table())
    row = next(r for r in shown.get().splitlines() if "all_good.csv" in r)
    assert row.split()[-2] == "✗"


def test_a_failed_upload_ends_its_turn_unexpectedly(pipeline, work):
    turn = play_once(pipeline, work).turns[0]

    turn.notified_at = None
    object.__setattr__(turn.upload, "status", upload.UploadStatus.FAILED)

    assert turn.is_over
    assert not turn.is_as_expected


def test_a_disabled_sample_provider_may_upload_again(terminal, pipeline):
    samples.register_providers(pipeline)
    assert terminal.cvms("providers", "disable", "mercy-hospital").code == 0

    samples.register_providers(pipeline)

    facts = terminal.cvms("providers", "show", "mercy-hospital", "--json").json
    assert facts["is_enabled"]


def test_the_small_samples_are_written_once_for_people_to_drop(tmp_path):
    folder = tmp_path / "samples"
    samples.write_small_files(folder)
    (folder / "all_good.csv").write_text("changed")

    samples.write_small_files(folder)

    assert (folder / "all_good.csv").read_text() == "changed"
    assert not (folder / "five_thousand.csv").exists()
    assert (folder / "staff.xlsx").exists()


def test_one_sample_comes_through_the_portal(pipeline, work):
    samples.register_providers(pipeline)
    account = "7c3f4f7e-5a0b-4a51-9d0e-1d7f3f1f9f10"
    played = demo.Demonstration(pipeline, EDITION, sender=account)
    for _ in range(4):
        played.advance()
        work()
    played.advance()

    sent = [each for each in played.turns if each.upload.sent_from == "portal"]

    assert [each.sample.file_name for each in sent] == ["every_reason.csv"]
    assert sent[0].upload.sent_by == account
    assert all(each.is_as_expected for each in played.turns)
