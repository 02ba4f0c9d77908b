from cvms_pipeline import settings
from cvms_pipeline.cli import demo, playing
from cvms_pipeline.cli import terminal as terminals_
from cvms_pipeline.domain import upload

EDITION = "Bodelu"


def play_to_the_end(store, work, edition):
    play = playing.begin(settings.load(), store, edition)
    for _ in range(4):  # one more than there are turns one after another
        play.step()
        work()
    play.step()
    return play


def test_every_sample_has_its_outcome_however_often_they_are_played(
    terminal, store, work
):
    for edition in ("Bodelu", "Bodeju"):
        play = play_to_the_end(store, work, edition)

        assert play.is_over
        assert [t.sample.file_name for t in play.turns if not t.is_as_expected] == []


def test_a_sample_waits_for_the_one_it_builds_on(terminal, store, work):
    play = playing.begin(settings.load(), store, EDITION)

    play.step()

    dropped = {t.sample.file_name for t in play.turns if t.dropped}
    assert "all_good.csv" in dropped
    assert not {"every_reason.csv", "corrected_report.csv"} & dropped
    assert not play.is_over


def test_an_outcome_that_is_not_the_expected_one_is_marked(terminal, store, work):
    play = playing.begin(settings.load(), store, EDITION)
    play.step()
    work()
    play.step()
    turn = play.turns[0]
    expected = turn.sample.expected
    assert turn.is_as_expected

    object.__setattr__(expected, "loaded", expected.loaded + 1)

    assert not turn.is_as_expected
    out = terminals_.out()
    with out.capture() as shown:
        out.print(demo.table(play))
    row = next(r for r in shown.get().splitlines() if "all_good.csv" in r)
    assert "✗" in row
    assert row.split()[-2] == "✗"


def test_a_failed_upload_ends_its_turn_unexpectedly(terminal, store, work):
    play = playing.begin(settings.load(), store, EDITION)
    play.step()
    work()
    play.step()
    turn = play.turns[0]

    turn.told_at = None
    object.__setattr__(turn.upload, "status", upload.UploadStatus.FAILED)

    assert turn.is_over
    assert not turn.is_as_expected


def test_a_disabled_sample_provider_may_upload_again(terminal, store):
    playing.begin(settings.load(), store, EDITION)
    assert terminal.cvms("providers", "disable", "mercy-hospital").code == 0

    playing.begin(settings.load(), store, EDITION)

    facts = terminal.cvms("providers", "show", "mercy-hospital", "--json").json
    assert facts["is_enabled"]


def test_the_small_samples_are_written_once_for_people_to_drop(alone):
    folder = demo.write_samples(settings.load())
    (folder / "all_good.csv").write_text("changed")

    demo.write_samples(settings.load())

    assert (folder / "all_good.csv").read_text() == "changed"
    assert not (folder / "five_thousand.csv").exists()
    assert (folder / "staff.xlsx").exists()
