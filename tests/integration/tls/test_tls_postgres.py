"""TLS to Postgres by its URL: for our store, Dagster's storage, broker and backend."""

import contextlib
import ssl
from collections.abc import Iterator

import dagster_postgres.utils
import kombu
import pytest
import sqlalchemy as sa
import tls_server
import trustme
from celery import Celery

from cvms_pipeline.database import engine
from cvms_pipeline.settings import loading

# kombu's own, when it makes its tables.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")


@pytest.fixture(scope="session")
def authority():
    return trustme.CA()


@pytest.fixture
def door(postgres, authority) -> Iterator[tls_server.Door]:
    """A door with a certificate for `localhost`, but not for 127.0.0.1."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with tls_server.opened(postgres.folder / ".s.PGSQL.5432", context) as opened:
        yield opened


@pytest.fixture
def root(authority, tmp_path) -> str:
    path = tmp_path / "root of trust.crt"  # a blank, which a URL must spell
    authority.cert_pem.write_to_path(path)
    return str(path).replace(" ", "%20")


@pytest.fixture
def chosen(door, database_url, root, tmp_path) -> loading.Settings:
    return loaded(
        door, database_url, tmp_path, f"sslmode=verify-full&sslrootcert={root}"
    )


def loaded(door, database_url, home, how, host="localhost") -> loading.Settings:
    name = sa.make_url(database_url).database
    url = f"postgresql://postgres@{host}:{door.port}/{name}?{how}"
    return loading.load(home=home, database_url=url)


def our_store(chosen):
    store = engine.Store(chosen.urls.store)
    with contextlib.closing(store), store.begin() as conn:
        conn.execute(sa.text("SELECT 1"))


def dagster_s_storage(chosen):
    made = dagster_postgres.utils.create_pg_engine(chosen.urls.schema("dagster"))
    with made.connect() as conn:
        conn.execute(sa.text("SELECT 1"))
    made.dispose()


def the_broker(chosen):
    with kombu.Connection(chosen.urls.broker) as connection:
        channel = connection.channel()
        channel.queue_declare("letters")
        channel.session.close()
        channel.session.get_bind().dispose()


def the_result_backend(chosen):
    app = Celery(broker="memory://", backend=chosen.urls.result_backend)
    assert app.backend.get_state("none") == "PENDING"


WAYS = [our_store, dagster_s_storage, the_broker, the_result_backend]


@pytest.mark.parametrize("go", WAYS)
def test_a_url_that_demands_tls_connects_with_tls(chosen, door, go):
    go(chosen)

    assert (door.with_tls > 0, door.without) == (True, 0)


@pytest.mark.parametrize("go", WAYS)
def test_a_certificate_of_another_name_is_refused(
    door, database_url, root, tmp_path, go
):
    how = f"sslmode=verify-full&sslrootcert={root}"
    other = loaded(door, database_url, tmp_path, how, host="127.0.0.1")

    with pytest.raises(Exception, match=r"certificate|cannot be reached") as raised:
        go(other)

    assert "certificate" in str(raised.value)


def test_a_certificate_of_an_unknown_authority_is_refused(door, database_url, tmp_path):
    stranger = tmp_path / "stranger.crt"
    trustme.CA().cert_pem.write_to_path(stranger)
    how = f"sslmode=verify-full&sslrootcert={stranger}"

    with pytest.raises(engine.StoreAway, match="certificate verify failed"):
        our_store(loaded(door, database_url, tmp_path, how))


def test_a_server_without_tls_is_refused_if_the_url_demands_tls(
    postgres, database_url, root, tmp_path
):
    socket = postgres.folder / ".s.PGSQL.5432"
    how = f"sslmode=verify-full&sslrootcert={root}"

    with (
        tls_server.opened(socket, None) as plain,
        pytest.raises(engine.StoreAway, match="does not support SSL"),
    ):
        our_store(loaded(plain, database_url, tmp_path, how))

    assert (plain.with_tls, plain.without) == (0, 0)
