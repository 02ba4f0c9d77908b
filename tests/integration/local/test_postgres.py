import os
import pathlib
import shutil
import signal
import stat
import tempfile
from collections.abc import Callable, Iterator

import psutil
import pytest
import sqlalchemy as sa

from cvms_pipeline.local.postgres import embedded
from cvms_pipeline.settings import loading


@pytest.fixture(scope="module")
def server() -> Iterator[embedded.EmbeddedPostgres]:
    """A running server below a closed folder."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="cvms-"))
    started = embedded.EmbeddedPostgres(folder / "data")
    started.start()
    yield started
    started.stop()
    shutil.rmtree(folder)


def ask(url: str | sa.URL, question: str) -> object:
    engine = sa.create_engine(url)
    try:
        with engine.connect() as connection:
            return connection.execute(sa.text(question)).scalar()
    finally:
        engine.dispose()


def pid_of(server: embedded.EmbeddedPostgres) -> int:
    pidfile = server.data / "postgres" / embedded.MAJOR / "postmaster.pid"
    return int(pidfile.read_text().splitlines()[0])


def socket_folder(server: embedded.EmbeddedPostgres) -> pathlib.Path:
    return pathlib.Path(str(sa.make_url(server.url).query["host"]))


def test_its_url_leads_to_the_database(server: embedded.EmbeddedPostgres) -> None:
    assert ask(server.url, "SELECT current_database()") == "cvms"


def test_a_port_in_the_environment_does_not_lead_astray(
    server: embedded.EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", "7777")

    assert ask(server.url, "SELECT 1") == 1


def test_the_settings_find_its_urls(server: embedded.EmbeddedPostgres) -> None:
    found = loading.load(home=server.data.parent, database_url=None)

    assert found.urls.owner == server.url
    assert found.urls.embedded_file.stat().st_mode & 0o777 == 0o600
    assert found.urls.embedded_owner_file.stat().st_mode & 0o777 == 0o600
    assert sa.make_url(found.urls.store).username == "cvms_service"


def test_nobody_connects_without_the_password(
    server: embedded.EmbeddedPostgres,
) -> None:
    url = sa.make_url(server.url)

    with pytest.raises(sa.exc.OperationalError, match="no password supplied"):
        ask(
            sa.URL.create(
                url.drivername,
                username=url.username,
                database=url.database,
                query=url.query,
            ),
            "SELECT 1",
        )
    with pytest.raises(sa.exc.OperationalError, match="authentication failed"):
        ask(url.set(password="guess"), "SELECT 1")


def test_nobody_else_reaches_the_socket(server: embedded.EmbeddedPostgres) -> None:
    folder = socket_folder(server)

    assert folder == server.data / "postgres" / "socket"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / ".s.PGSQL.5432").stat().st_mode) == 0o700


def test_it_listens_on_no_port(server: embedded.EmbeddedPostgres) -> None:
    process = psutil.Process(pid_of(server))

    assert process.net_connections("inet") == []


def test_the_password_is_on_no_command_line(server: embedded.EmbeddedPostgres) -> None:
    password = sa.make_url(server.url).password

    assert password
    assert password not in " ".join(server.build_command())


def test_upper_and_lower_case_are_known_in_every_script(
    server: embedded.EmbeddedPostgres,
) -> None:
    assert ask(server.url, "SELECT lower('ÀÉÎØŠЖΣ')") == "àéîøšжσ"


SECRET = "Zebulon"
STATEMENTS_THAT_FAIL = [
    "SELECT 'Zebulon'::date",  # the value is in the message itself
    "SELECT * FROM nowhere WHERE name = 'Zebulon'",  # in the statement
    # in the DETAIL
    "CREATE TEMP TABLE t (n text UNIQUE);"
    " INSERT INTO t VALUES ('Zebulon'), ('Zebulon')",
]


@pytest.mark.parametrize("statement", STATEMENTS_THAT_FAIL)
def test_a_value_in_a_statement_that_fails_is_not_logged(
    server: embedded.EmbeddedPostgres, statement: str
) -> None:
    with pytest.raises(sa.exc.DBAPIError, match=SECRET):
        ask(server.url, statement)

    log = server.data / "logs" / "postgres.log"
    assert SECRET not in log.read_text()
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_no_other_folder_changes_mode_or_owner(place: pathlib.Path) -> None:
    parent = place / "closed"
    parent.mkdir(mode=0o700)
    before = parent.stat(), place.stat()

    server = embedded.EmbeddedPostgres(parent / "data")
    server.start()
    server.stop()

    after = parent.stat(), place.stat()
    for was, is_ in zip(before, after, strict=True):
        assert (was.st_mode, was.st_uid, was.st_gid) == (
            is_.st_mode,
            is_.st_uid,
            is_.st_gid,
        )


def test_a_killed_server_starts_again_with_its_data(
    place: pathlib.Path, eventually: Callable[[Callable[[], object]], None]
) -> None:
    server = embedded.EmbeddedPostgres(place / "data")
    server.start()
    ask(server.url, "SELECT 1")
    pid = pid_of(server)
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not server.is_running() and not psutil.pid_exists(pid))

    again = embedded.EmbeddedPostgres(place / "data")
    again.start()

    assert ask(again.url, "SELECT 1") == 1
    again.stop()
    assert not again.is_running()


def test_another_process_with_the_pid_of_a_dead_server_is_not_ended(
    place: pathlib.Path,
) -> None:
    server = embedded.EmbeddedPostgres(place / "data")
    server.ensure_initialised()
    pidfile = place / "data" / "postgres" / embedded.MAJOR / "postmaster.pid"
    pidfile.write_text(f"{os.getppid()}\n/x\n0\n5432\n/x\n\n0 0\nready\n")

    assert not server.is_running()
    server.stop()
    server.start()

    assert pid_of(server) != os.getppid()
    server.stop()


def test_a_server_without_its_pid_file_is_stopped_and_leaves_no_child_behind(
    place: pathlib.Path,
) -> None:
    server = embedded.EmbeddedPostgres(place / "data")
    server.start()
    child = pid_of(server)
    (place / "data" / "postgres" / embedded.MAJOR / "postmaster.pid").unlink()

    server.stop()

    assert not psutil.pid_exists(child)


def test_data_that_a_killed_first_start_left_incomplete_is_created_again(
    place: pathlib.Path,
) -> None:
    left = place / "data" / "postgres" / f".{embedded.MAJOR}.part"
    left.mkdir(parents=True)
    left.parent.chmod(0o700)
    (left / "PG_VERSION").write_text("18")

    server = embedded.EmbeddedPostgres(place / "data")
    server.start()

    assert ask(server.url, "SELECT 1") == 1
    server.stop()
    assert not left.exists()


def test_a_path_too_long_for_a_socket_still_works(place: pathlib.Path) -> None:
    server = embedded.EmbeddedPostgres(place / ("long " * 30) / "data")

    server.start()

    folder = socket_folder(server)
    assert ask(server.url, "SELECT 1") == 1
    assert folder.parent == pathlib.Path(tempfile.gettempdir())
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    server.stop()
    folder.rmdir()


def test_a_server_that_cannot_start_names_its_log(place: pathlib.Path) -> None:
    server = embedded.EmbeddedPostgres(place / "data")
    server.ensure_initialised()
    (place / "data" / "postgres" / embedded.MAJOR / "global" / "pg_control").unlink()

    with pytest.raises(embedded.PostgresFailed, match=r"see .*postgres\.log"):
        server.start()
