"""No name, date or address of a person reaches Dagster, whatever goes wrong."""

import errno
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import canaries
import dagster as dg
import dagster_operations
import installations
import pandas as pd
import pandera.pandas as pa
import pyarrow
import pytest
import sqlalchemy as sa

from cvms_pipeline import disk
from cvms_pipeline.database import copy
from cvms_pipeline.domain.matching import duplicates
from cvms_pipeline.domain.reading import reader
from cvms_pipeline.domain.reporting import error_report, outcome
from cvms_pipeline.domain.sheets import packing
from cvms_pipeline.domain.validation import row_schema
from cvms_pipeline.mail import messages, notices
from cvms_pipeline.store import loading, recipients
from cvms_pipeline.use_cases import compose, process

FIRST, LAST = "Zebulonia", "Quackenbush"
EMAIL = "canary.bird@nest.example.org"
PERSON = f"{FIRST},{LAST},7/19/1931,{EMAIL}"
FILE_NAME = f"{FIRST} {LAST} 7-19-1931.csv"
ROWS = [
    PERSON,
    PERSON,  # in the file twice
    f"{FIRST}#,{LAST},7/19/1931,{EMAIL}",
    f"{FIRST},{LAST},7/19/19311,{EMAIL}",
    f"{FIRST},{LAST}son,7/19/1931,canary.bird",
    f"{FIRST},{LAST},7/19/1931,{EMAIL},{EMAIL}",
]
TO_RECIPIENTS = "send_invitations"

Break = Callable[[dagster_operations.Desk, pytest.MonkeyPatch], None]


@pytest.fixture
def instance(tmp_path) -> Iterator[dg.DagsterInstance]:
    """An instance whose storage is files, so that they can be searched."""
    no_output = {
        "module": "dagster._core.storage.noop_compute_log_manager",
        "class": "NoOpComputeLogManager",
    }
    folder = tmp_path / "dagster"
    folder.mkdir()
    with dg.instance_for_test(
        temp_dir=str(folder), overrides={"compute_logs": no_output}
    ) as made:
        yield made


def raising(module: object, name: str, error: Exception | None = None) -> Break:
    """Let `name` raise an exception that says all it knows of the person."""

    def fail(*arguments: object, **options: object) -> None:
        try:
            {}[PERSON]  # a cause and a context that say it, too
        except KeyError as cause:
            raise (error or ValueError(f"{PERSON} in {FILE_NAME}")) from cause

    return lambda desk, patch: patch.setattr(module, name, fail)


def pandera_error(desk: dagster_operations.Desk, patch: pytest.MonkeyPatch) -> None:
    def validate(*arguments: object, **options: object) -> None:
        wanted = pa.DataFrameSchema({"name": pa.Column(str, pa.Check.isin(["Ann"]))})
        wanted.validate(pd.DataFrame({"name": [FIRST, EMAIL]}), lazy=True)

    patch.setattr(row_schema, "validate_rows", validate)


def database_detail(table: str) -> Break:
    """Let Postgres answer `DETAIL: Failing row contains (Zebulonia, ...)`."""
    statement = f"ALTER TABLE cvms.{table} ADD CONSTRAINT never CHECK (false) NOT VALID"
    return lambda desk, patch: desk.site.execute(statement)


def type_check(desk: dagster_operations.Desk, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(process, "validate_rows", lambda *_: pd.DataFrame({"name": [PERSON]}))


def full_disk(desk: dagster_operations.Desk, patch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, *arguments: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", f"{path}/{FILE_NAME}")

    patch.setattr(disk, "write", refuse)


def unparsed_copy(desk: dagster_operations.Desk, patch: pytest.MonkeyPatch) -> None:
    """Let Arrow say of the text that COPY tells that it is no number, and quote it."""
    read = copy.read

    def as_numbers(conn, query, values, schema):
        wanted = dict.fromkeys(schema.names, pyarrow.int64())
        named = {**wanted, "codes": pyarrow.string(), "message": pyarrow.string()}
        with pytest.raises(pyarrow.ArrowInvalid, match=FIRST):
            read(conn, query, values, pyarrow.schema(named))
        return read(conn, query, values, pyarrow.schema(named))

    patch.setattr(copy, "read", as_numbers)


def bad_data(desk: dagster_operations.Desk, patch: pytest.MonkeyPatch) -> None:
    """Change nothing: the rows are bad enough."""


# What goes wrong, and in which job.
FAULTS: dict[str, tuple[Break, str]] = {
    "bad data": (bad_data, "process_upload"),
    "reading": (raising(reader, "read_sheet"), "process_upload"),
    "packing": (raising(packing, "pack_sheet"), "process_upload"),
    "unpacking": (raising(packing, "unpack_sheet"), "process_upload"),
    "judging": (raising(row_schema, "validate_rows"), "process_upload"),
    "pandera": (pandera_error, "process_upload"),
    "type check": (type_check, "process_upload"),
    "matching": (raising(duplicates, "plan_rows"), "process_upload"),
    "loading": (raising(loading, "load"), "process_upload"),
    "counting": (raising(outcome, "from_sheet"), "process_upload"),
    "recipients refused": (database_detail("recipients"), "process_upload"),
    "rejected rows refused": (database_detail("rejected_rows"), "process_upload"),
    "messages refused": (database_detail("messages"), "process_upload"),
    "looking up": (raising(recipients, "look_up"), "process_upload"),
    "report's rows": (unparsed_copy, "process_upload"),
    "report": (raising(error_report, "render_report"), "process_upload"),
    "receipt": (raising(notices, "make_receipt"), "process_upload"),
    "full disk": (full_disk, "process_upload"),
    "notice": (raising(notices, "make_notice"), "process_upload"),
    "writing": (raising(compose, "compose_message"), "process_upload"),
    "invitation": (raising(messages, "make_invitation"), TO_RECIPIENTS),
}


def told_to_dagster(desk: dagster_operations.Desk) -> str:
    """Return everything that the instance holds, as one text."""
    records = desk.instance.get_run_records()
    logs = [e for r in records for e in desk.instance.all_logs(r.dagster_run.run_id)]
    root = Path(desk.instance.root_directory)
    files = [path for path in root.rglob("*") if path.is_file()]
    return "\n".join(
        [
            *(dg.serialize_value(record.dagster_run) for record in records),
            *(dg.serialize_value(event) for event in logs),
            *map(str, files),
            *(path.read_bytes().decode("latin-1") for path in files),
        ]
    )


def assert_no_canary(text: str) -> None:
    assert canaries.find(text) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_no_error_reveals_a_name_to_dagster(desk, monkeypatch, capfd, fault):
    break_it, job = FAULTS[fault]
    upload_id = desk.receive(ROWS, file_name=FILE_NAME)
    if job == TO_RECIPIENTS:
        assert desk.run(upload_id).success
    with monkeypatch.context() as patch:
        break_it(desk, patch)
        result = desk.run(upload_id, job)

    assert result.success == (fault == "bad data")
    assert_no_canary(told_to_dagster(desk))
    assert_no_canary("".join(capfd.readouterr()))


LOST_RACE = """
CREATE SEQUENCE cvms.insertions;
CREATE FUNCTION cvms.lose_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF nextval('cvms.insertions') = 1 THEN
        RAISE unique_violation USING
            CONSTRAINT = 'recipients_match_key',
            MESSAGE = 'duplicate key: ' || NEW.email,
            DETAIL = NEW.first_name || ' ' || NEW.last_name || ' ' || NEW.birth_date;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER lose_once BEFORE INSERT ON cvms.recipients
FOR EACH ROW EXECUTE FUNCTION cvms.lose_once()
"""


def test_a_conflict_with_another_upload_reveals_no_name_to_dagster(desk, capfd):
    desk.site.execute(LOST_RACE)
    upload_id = desk.receive(ROWS, file_name=FILE_NAME)

    result = desk.run(upload_id)

    with desk.site.pipeline.store.begin() as conn:
        insertions = conn.scalar(sa.text("SELECT nextval('cvms.insertions')"))
        loaded = conn.scalar(sa.text("SELECT count(*) FROM cvms.recipients"))
    assert (result.success, insertions, loaded) == (True, 3, 1)  # lost, won, asked
    assert_no_canary(told_to_dagster(desk))
    assert_no_canary("".join(capfd.readouterr()))


def test_a_mail_server_that_repeats_the_address_reveals_nothing_to_dagster(
    site, instance, capfd
):
    answer = f"550 <{EMAIL}> {FIRST} {LAST} is unknown here"
    addresses = (EMAIL, "staff@mercy.example.org")
    mailbox = installations.Mailbox(answers=dict.fromkeys(addresses, answer))
    server = installations.MailServer(mailbox)
    server.start()
    try:
        desk = dagster_operations.at(site.by_smtp(server.port), instance)
        upload_id = desk.bring(ROWS, file_name=FILE_NAME)
        assert desk.run(upload_id, TO_RECIPIENTS).success
        desk.site.pipeline.mailer.close()
    finally:
        server.stop()

    shown = desk.materialization("recipient_invitations", upload_id)
    assert shown["refused by the mail server"] == 1
    assert_no_canary(told_to_dagster(desk))
    assert_no_canary("".join(capfd.readouterr()))


def test_sensors_reveal_neither_file_names_nor_folder_names_to_dagster(desk):
    desk.site.add_provider("mercy-two")
    desk.site.drop(ROWS, file_name=FILE_NAME)
    desk.site.drop(ROWS, slug=f"{FIRST}-{LAST}", file_name=FILE_NAME)
    for upload in desk.site.take_in():
        desk.instance.add_dynamic_partitions("uploads", [upload.id])
        assert desk.run(upload.id).success
        process.mark_failed(
            desk.site.pipeline, upload.id, run_id="r", job="send_notice"
        )
    desk.site.clock.forward(minutes=3)
    desk.site.execute("UPDATE cvms.uploads SET status = 'received', failed_at = NULL")

    asked = [desk.sensor(name) for name in ("incoming_uploads", "overview")]

    assert all(isinstance(each, dg.SensorResult) for each in asked)
    assert_no_canary("\n".join(map(repr, asked)))
    assert_no_canary(json.dumps([each.cursor for each in asked]))
