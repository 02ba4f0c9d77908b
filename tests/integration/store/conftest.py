"""A desk for every test of the store."""

import pytest
from upload_steps import Desk, clinic

from cvms_pipeline.database import engine
from cvms_pipeline.store import providers


@pytest.fixture
def desk(store: engine.Store) -> Desk:
    """A desk at a store that knows the providers `mercy` and `duke`."""
    with store.begin() as conn:
        for slug in ("mercy", "duke"):
            providers.add(conn, clinic(slug))
    return Desk(store=store)
