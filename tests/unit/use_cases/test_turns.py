"""Whose file is taken in first."""

from pathlib import Path

from cvms_pipeline.domain.vocabulary import upload
from cvms_pipeline.files import incoming
from cvms_pipeline.use_cases import receive

LOW, HIGH = upload.Lane.LOW_VOLUME, upload.Lane.HIGH_VOLUME


def found(folder, name, lane=LOW):
    return incoming.Entry(
        path=Path(name),
        folder=folder,
        lane=lane,
        file_name=name,
        kind=incoming.Kind.FILE,
        identity=(),
        seconds_left=0,
    )


def names(files):
    return [each.file_name for each in receive.order_by_turns(files)]


def test_a_late_file_does_not_wait_behind_a_thousand_of_another_provider():
    many = [found("mercy", f"{nth}.csv") for nth in range(1_000)]

    assert names([*many, found("duke", "late.csv")])[:3] == [
        "0.csv",
        "late.csv",
        "1.csv",
    ]


def test_low_volume_comes_first_within_a_provider_and_within_a_turn():
    files = [
        found("mercy", "high.csv", HIGH),
        found("mercy", "low.csv"),
        found("duke", "high too.csv", HIGH),
    ]

    assert names(files) == ["low.csv", "high too.csv", "high.csv"]
