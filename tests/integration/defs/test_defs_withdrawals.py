"""A withdrawn upload in Dagster: observed once, and loaded by no other run."""

import dagster as dg
from installations import ANN, BAD

from cvms_pipeline.use_cases.provider_actions import withdraw


def take_back(desk, upload_id):
    withdraw.withdraw(desk.site.pipeline, upload_id, why="canary words")


def observations(desk, cursor=None):
    """Return what the overview reports of withdrawn uploads, and its cursor."""
    told = desk.sensor("overview", cursor=cursor)
    if isinstance(told, dg.SkipReason):
        return [], cursor
    found = [e for e in told.asset_events if isinstance(e, dg.AssetObservation)]
    return found, told.cursor


def test_a_withdrawal_is_observed_once_with_counts_and_without_the_words(desk):
    first, second = desk.bring([ANN, BAD]), desk.bring([ANN.replace("Ann", "Di")])
    _, cursor = observations(desk)
    take_back(desk, first)

    (told,), cursor = observations(desk, cursor)

    assert (told.asset_key.path, told.partition) == (["recipients"], first)
    numbers = {name: each.value for name, each in told.metadata.items()}
    assert numbers.pop("withdrawn") > 0
    assert numbers == {"taken out": 1, "corrections undone": 0}
    assert "canary" not in repr(told)
    assert observations(desk, cursor) == ([], cursor)
    take_back(desk, second)
    (told,), _ = observations(desk, cursor)
    assert told.partition == second


def test_running_it_again_succeeds_and_says_that_it_is_withdrawn(desk):
    upload_id = desk.bring([ANN, BAD])
    take_back(desk, upload_id)

    assert desk.run(upload_id).success

    told = desk.materialization("recipients", upload_id)
    assert told["withdrawn"] == "yes"
    assert told["dagster/partition_row_count"] == 0
    assert desk.site.column("SELECT count(*) FROM cvms.recipients") == [0]
    assert desk.site.upload(upload_id).status == "withdrawn"
