import dataclasses

import pytest
from desks import clinic

from cvms_pipeline.store import engine, providers


def test_an_added_provider_comes_back_as_it_was(desk):
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
        providers.disable(conn, "mercy")
        disabled = providers.get(conn, "mercy")
        providers.enable(conn, "mercy")
        enabled = providers.get(conn, "mercy")

    assert (disabled.is_enabled, enabled.is_enabled) == (False, True)


def test_looking_for_an_unknown_provider_finds_none(desk):
    with desk.store.begin() as conn:
        assert providers.find(conn, "nobody") is None


@pytest.mark.parametrize("act", [providers.get, providers.disable, providers.enable])
def test_an_unknown_provider_is_named(desk, act):
    expected = pytest.raises(providers.ProviderUnknown, match="nobody")
    with expected, desk.store.begin() as conn:
        act(conn, "nobody")


def test_the_database_refuses_a_pin_that_is_none(desk):
    with pytest.raises(engine.StoreError) as raised:
        desk.execute("UPDATE cvms.providers SET vfc_pin = 'NCA12345'")

    assert raised.value.constraint == "ck_providers_vfc_pin"
