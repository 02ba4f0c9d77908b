"""What no upload asks for: the nightly retention, and how far recipients are."""

import test_up_again

FUNNEL = """
query Funnel {
  assetOrError(assetKey: {path: ["recipient_funnel"]}) {
    ... on Asset {
      assetMaterializations(limit: 1) {
        metadataEntries { label ... on IntMetadataEntry { intValue } }
      }
    }
  }
}
"""


def test_retention_may_do_all_that_it_has_to_do(up):
    """Its processes have a role of their own in Postgres, with few privileges."""
    answer = up.graphql(
        test_up_again.LAUNCH,
        params={
            "selector": {**test_up_again.JOB, "pipelineName": "retention"},
            "mode": "default",
            "runConfigData": {"dry_run": False},
        },
    )

    run = up.ended(answer["run"]["runId"])

    assert run["status"] == "SUCCESS"
    assert set(test_up_again.steps(run).values()) == {"SUCCESS"}


def test_the_funnel_counts_who_was_loaded(up, people):
    up.bring(people(1))

    def count_loaded():
        found = up.graphql(FUNNEL).get("assetMaterializations", [])
        entries = [entry for each in found for entry in each["metadataEntries"]]
        return {each["label"]: each.get("intValue") for each in entries}.get("loaded")

    assert up.eventually(count_loaded) > 0
