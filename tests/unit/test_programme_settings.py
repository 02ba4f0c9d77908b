"""The settings of the vaccination programme, as recipients see them."""

import os

import pytest

from cvms_pipeline import bootstrap
from cvms_pipeline.domain.vocabulary import programme
from cvms_pipeline.settings import loading, variables

ENGLISH, SPANISH = programme.Language


@pytest.fixture
def load(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("CVMS_")]:
        monkeypatch.delenv(name)
    return lambda **values: loading.load(home=tmp_path, **values)


def describe(chosen):
    return bootstrap._describe_programme(chosen)


def test_the_default_groups_are_in_both_languages(load):
    found = describe(load())

    assert [shown[:7] for _, shown in found.list_groups(SPANISH)] == [
        f"Grupo {number}" for number in range(1, 6)
    ]
    assert all(stored == shown for stored, shown in found.list_groups(ENGLISH))
    assert found.counties == ()


def test_a_group_is_stored_in_english_and_shown_in_the_language(load):
    found = describe(
        load(vaccine_groups="Adults | Others", vaccine_groups_es="Adultos|Los demás")
    )

    assert found.list_groups(SPANISH) == [
        ("Adults", "Adultos"),
        ("Others", "Los demás"),
    ]
    assert found.describe_group("Others", SPANISH) == "Los demás"
    assert found.describe_group("Children", SPANISH) == "Children"


def test_own_groups_without_spanish_ones_are_shown_in_english(load):
    found = describe(load(vaccine_groups="Adults|Others"))

    assert found.list_groups(SPANISH) == [("Adults", "Adults"), ("Others", "Others")]


# Lists that cannot be used, and what the error says.
WRONG = [
    ({"vaccine_groups": " | "}, "CVMS_VACCINE_GROUPS: must name at least one group"),
    ({"vaccine_groups": "A|A"}, "CVMS_VACCINE_GROUPS: must name each group once"),
    (
        {"vaccine_groups": "A|B", "vaccine_groups_es": "A"},
        "CVMS_VACCINE_GROUPS_ES: must have as many groups as CVMS_VACCINE_GROUPS",
    ),
    ({"vaccine_group_url": "nowhere"}, "CVMS_VACCINE_GROUP_URL: must start with http:"),
]


@pytest.mark.parametrize(("values", "text"), WRONG)
def test_a_list_that_cannot_be_used_is_explained(load, values, text):
    with pytest.raises(variables.SettingError, match=text):
        load(**values)


def test_the_settings_given_to_other_processes_are_the_same(load, monkeypatch):
    chosen = load(vaccine_groups="Adults|Others", counties="Durham|Wake")
    for name, value in chosen.as_variables().items():
        monkeypatch.setenv(name, value)

    again = loading.load()

    assert describe(again) == describe(chosen)
    assert describe(again).counties == ("Durham", "Wake")
