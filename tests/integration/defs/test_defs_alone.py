"""`defs` can be loaded by itself, as `dg` does with the folder of that name."""

from pathlib import Path

import dagster as dg
import pytest

from cvms_pipeline.defs import assets

MODULE = Path(__file__).parents[3] / "cvms_pipeline" / "definitions.py"


@pytest.fixture
def loaded(monkeypatch) -> dg.Definitions:
    monkeypatch.setenv("CVMS_WORKERS", "none")  # who read the settings would fail
    return dg.load_from_defs_folder(path_within_project=MODULE)


def keys_of(found) -> set[dg.AssetKey]:
    specs = (each for each in found if isinstance(each, dg.AssetSpec))
    made = (each for each in found if isinstance(each, dg.AssetsDefinition))
    return {spec.key for spec in specs} | {key for each in made for key in each.keys}


def test_definitions_loaded_from_the_folder_have_every_asset_and_job(loaded):
    assert keys_of(loaded.assets) == keys_of(assets.build_assets())
    assert {job.name for job in loaded.jobs} >= {"process_upload", "retention"}
