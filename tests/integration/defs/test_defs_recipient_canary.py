"""Nothing that a recipient types, or is sent to open, reaches Dagster or an error."""

import re
from collections.abc import Iterator

import canaries
import dagster as dg
import pytest
import test_defs_canary
import test_defs_canary_tables as dagster_tables

from cvms_pipeline.database import engine
from cvms_pipeline.use_cases.recipients import access, registration

SCHEMAS = ["dagster"]
NEVER = "ALTER TABLE cvms.{} ADD CONSTRAINT never CHECK (false) NOT VALID"
AGAIN = "ALTER TABLE cvms.{} DROP CONSTRAINT never"


@pytest.fixture
def instance(tmp_path, site) -> Iterator[dg.DagsterInstance]:
    """An instance on the product's own storage, in the site's database."""
    (tmp_path / "dagster").mkdir()
    with dg.instance_for_test(
        temp_dir=str(tmp_path / "dagster"),
        overrides={
            "storage": {"custom": dagster_tables.STORAGE},
            "compute_logs": dagster_tables.NO_OUTPUT,
        },
    ) as made:
        yield made


def list_tokens(site):
    texts = [m.get_body(("plain",)).get_content() for m in site.mail()]
    return {token for t in texts for token in re.findall(r"/set-password/(\S+)/", t)}


def type_answers(site):
    return {
        "phone": "9195550123",
        "address_1": "7 Canarywood Road",
        "city": "Quackenbush",
        "state": "NC",
        "zip": "27701",
        "county": "Canarywood",
        "sex": "female",
        "races": ["white"],
        "ethnicity": "hispanic",
        "language": "spanish",
        "vaccine_group": site.pipeline.programme.groups["en"][0],
    }


@pytest.fixture
def said(caplog, capfd):
    caplog.set_level("DEBUG")

    def read():
        return "".join(capfd.readouterr()) + "\n".join(
            f"{record.getMessage()} {record.exc_info}" for record in caplog.records
        )

    return read


def test_links_answers_and_drafts_are_in_no_table_of_dagster_s_no_log_and_no_error(
    desk, tmp_path, said
):
    site = desk.site
    upload_id = desk.bring([test_defs_canary.PERSON])
    assert desk.run(upload_id, test_defs_canary.TO_RECIPIENTS).success
    (token,) = list_tokens(site)
    (name,) = site.column("SELECT username FROM cvms.recipients")
    with pytest.raises(access.WrongUsername) as wrong:
        access.use_link(site.pipeline, token, username=test_defs_canary.EMAIL)
    mine = access.use_link(site.pipeline, token, username=name)
    typed, errors = type_answers(site), [wrong.value]
    registration.save_draft(site.pipeline, mine, step="detail", answers=typed)
    sent = registration.clean(site.pipeline, typed)
    for table, attempt in (
        ("registrations", lambda: registration.send(site.pipeline, mine, sent)),
        (
            "registration_drafts",
            lambda: registration.save_draft(
                site.pipeline, mine, step="detail", answers=typed
            ),
        ),
    ):
        site.execute(NEVER.format(table))
        with pytest.raises(engine.StoreError) as raised:
            attempt()
        errors.append(raised.value)
        site.execute(AGAIN.format(table))
    registration.send(site.pipeline, mine, sent)
    site.clock.forward(minutes=10)
    access.ask_links(site.pipeline, test_defs_canary.EMAIL)
    assert desk.run(None, "send_alerts").success
    site.clock.forward(days=100)
    retention = desk.run(
        None,
        "retention",
        run_config={"dry_run": False},
    )

    assert retention.success
    tokens = list_tokens(site)
    assert len(tokens) == 2
    written = said()
    with site.pipeline.store.begin() as conn:
        assert canaries.find_in_tables(conn, SCHEMAS) == {}
    assert canaries.find_in_files(tmp_path / "dagster") == {}
    assert canaries.find(written) == []
    assert canaries.find_in_processes() == []
    for each in errors:
        assert canaries.find(f"{each} {each!r} {each.__context__!r}") == []
    for each in tokens:
        assert each not in written
        for file in (tmp_path / "dagster").rglob("*"):
            assert not file.is_file() or each.encode() not in file.read_bytes()


def test_the_audit_and_the_outbox_hold_no_answer(desk):
    site = desk.site
    desk.bring([test_defs_canary.PERSON])
    (mine,) = site.column("SELECT id::text FROM cvms.recipients")
    sent = registration.clean(site.pipeline, type_answers(site))

    registration.send(site.pipeline, mine, sent)

    kept = site.table("SELECT * FROM cvms.audit").to_csv()
    kept += site.table("SELECT purpose, details FROM cvms.messages").to_csv()
    assert canaries.find(kept) == []
