import dataclasses

import pytest
from upload_steps import clinic

from cvms_pipeline.database import engine
from cvms_pipeline.store import providers


def test_an_added_provider_is_read_back_unchanged(desk):
    added = dataclasses.replace(clinic("wake"), vfc_pin="VAC2021")

    with desk.store.begin() as conn:
        providers.add(conn, added)

    with desk.store.begin() as conn:
        assert providers.get(conn, "wake") == added


def test_providers_are_listed_in_order_of_slug(desk):
    with desk.store.begin() as conn:
        listed = providers.list_all(conn)

    assert [each.slug for each in listed] == ["duke", "mercy"]


def test_a_slug_is_given_once(desk):
    expected = pytest.raises(providers.ProviderExists, match="mercy")
    with expected, desk.store.begin() as conn:
        providers.add(conn, clinic("mercy"))


def test_a_disabled_provider_can_be_enabled_again(desk):
    with desk.store.begin() as conn:
        providers.change(conn, "mercy", is_enabled=False)
        disabled = providers.get(conn, "mercy")
        providers.change(conn, "mercy", is_enabled=True)
        enabled = providers.get(conn, "mercy")

    assert (disabled.is_enabled, enabled.is_enabled) == (False, True)


def test_looking_for_an_unknown_provider_finds_none(desk):
    with desk.store.begin() as conn:
        assert providers.find(conn, "nobody") is None


# Functions that need a provider, and their arguments besides its slug.
_FUNCTIONS = [
    (providers.get, {}),
    (providers.change, {"is_enabled": True}),
    (providers.change, {"emails": ("staff@b.example.org",)}),
]


@pytest.mark.parametrize(("function", "arguments"), _FUNCTIONS)
def test_an_error_names_the_unknown_provider(desk, function, arguments):
    expected = pytest.raises(providers.ProviderUnknown, match="nobody")
    with expected, desk.store.begin() as conn:
        function(conn, "nobody", **arguments)


def test_the_database_refuses_an_invalid_pin(desk):
    with pytest.raises(engine.StoreError) as raised:
        desk.execute("UPDATE cvms.providers SET vfc_pin = 'NCA12345'")

    assert raised.value.constraint == "ck_providers_vfc_pin"
