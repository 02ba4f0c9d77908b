import codecs
import datetime as dt

import pytest

from cvms_pipeline.domain.vocabulary import upload
from cvms_pipeline.use_cases import history
from cvms_pipeline.use_cases.provider_actions import receipts, submit

NOT_BACK = dict.fromkeys(("brought_back_by", "brought_back_line", "dismissed_why"))


def test_uploads_are_listed_latest_first(terminal, done, mercy, work):
    (terminal.lane(mercy) / "empty.csv").write_bytes(b"")
    (later,) = work()

    listed = terminal.cvms("uploads", "--json").json

    assert [each["id"] for each in listed] == [later, done]
    assert listed[0]["refusal"]["code"] == "file-empty"
    assert listed[1]["reasons"] == {"birth-date-invalid": 1, "name-characters": 1,
                                    "duplicate-in-file": 1}  # fmt: skip


def test_one_upload_shows_how_it_came_and_which_account_has_sent_it(
    terminal, pipeline, done, mercy
):
    account = "7c3f4f7e-5a0b-4a51-9d0e-1d7f3f1f9f10"
    sent = submit.submit(
        pipeline,
        submit.Submission(
            upload_id="20260101-120000-abcdefgh",
            data=b"First name\n",
            file_name="sent.csv",
            lane=upload.Lane.LOW_VOLUME,
            provider=mercy,
            sent_by=account,
        ),
    )

    found = terminal.cvms("upload", sent.id, "--json").json
    shown = terminal.cvms("upload", sent.id).out

    assert (found["sent_from"], found["sent_by"]) == ("portal", account)
    assert f"portal, by the account {account}" in " ".join(shown.split())
    dropped = " ".join(terminal.cvms("upload", done).out.split())
    assert "Sent from folder Bytes" in dropped


def test_the_list_leaves_out_uploads_of_other_providers(terminal, done):
    assert terminal.cvms("uploads", "--provider", "duke", "--json").json == []
    none = terminal.cvms("uploads", "--provider", "duke").out
    assert none == "No such uploads.\n"


def test_without_uploads_the_next_step_is_shown(terminal):
    assert "cvms drop --help" in terminal.cvms("uploads").out


def test_a_person_sees_uploads_with_their_counts(terminal, done):
    row = next(r for r in terminal.cvms("uploads").out.splitlines() if done in r)

    assert row.split() == [done, "completed", "4", "2", "0", "2"]


def test_one_upload_has_every_fact_of_the_contract(terminal, done, mercy):
    found = terminal.cvms("upload", done, "--json").json

    assert found.pop("received_at") <= found.pop("finished_at")
    assert done in found.pop("report")
    assert found == {
        "bytes": 199,
        "sha256": found["sha256"],
        "encoding": "utf-8",
        "delimiter": ",",
        "delayed_at": None,
        "run": "http://127.0.0.1:3000/runs/run",
        "invitations": {"waiting": 2},
        "failed_step": None,
        "failure": None,
        "id": done,
        "provider": mercy,
        "lane": "low_volume",
        "file_name": "staff.csv",
        "sent_from": "folder",
        "sent_by": None,
        "status": "completed_with_errors",
        "refusal": None,
        "rows": 4,
        "loaded": 2,
        "updated": 0,
        "rejected": 2,
        "passwords_set": 0,
        "registered": 0,
        "reasons": {
            "name-characters": 1,
            "birth-date-invalid": 1,
            "duplicate-in-file": 1,
        },
        "rejections": [
            {
                "line": 4,
                "codes": ["name-characters", "birth-date-invalid"],
                "message": "Line 4: FirstName: invalid characters: =Cy;"
                " Date of birth: invalid Date of birth: 13/41/1991",
            },
            {
                "line": 5,
                "codes": ["duplicate-in-file"],
                "message": "Line 5: Email: invalid email address: Duplicated"
                " other@b.example.org (same person as line 2)",
            },
        ],
        "parents": [],
        "children": [],
        "outstanding": 1,
        "dismissed": 0,
        "withdrawn_at": None,
        "withdrawn_why": None,
        "rejected_rows": [
            {"line": 4, "state": "outstanding", **NOT_BACK},
            {"line": 5, "state": "nothing to do", **NOT_BACK},
        ],
        "possible_duplicates": [],
        "refused_invitations": [],
    }


def test_an_upload_says_how_many_have_a_password_and_registered(
    terminal, done, pipeline
):
    with pipeline.store.begin() as conn:
        conn.exec_driver_sql("UPDATE cvms.recipients SET password_set_at = now()")
        conn.exec_driver_sql(
            "UPDATE cvms.recipients SET registered_at = now() WHERE first_name = 'Ann'"
        )

    shown = " ".join(terminal.cvms("upload", done).out.split())
    found = terminal.cvms("upload", done, "--json").json

    assert "Passwords set 2 Registered 1" in shown
    assert (found["passwords_set"], found["registered"]) == (2, 1)
    listed = terminal.cvms("uploads", "--json").json
    assert listed[0]["registered"] == 1


@pytest.fixture
def second_look(terminal, mercy, done, work, pipeline) -> str:
    """The id of an upload with a possible duplicate and a refused invitation."""
    header = "First name,Last name,Date of birth,Email"
    path = terminal.lane(mercy) / "more.csv"
    path.write_text(f"{header}\nLee,Bob,3/4/1991,bobby@b.example.org\n", "utf-8")
    (upload_id,) = work()
    with pipeline.store.begin() as conn:
        conn.exec_driver_sql(
            "UPDATE cvms.messages SET status = 'refused', last_error = 'SMTP 550'"
            " WHERE addresses = ARRAY['bobby@b.example.org']"
        )
    return upload_id


def test_possible_duplicates_and_refused_invitations_are_in_the_json(
    terminal, done, second_look
):
    found = terminal.cvms("upload", second_look, "--json").json

    assert found["possible_duplicates"] == [
        {
            "line": 2,
            "likeness": "swapped-names",
            "upload": done,
            "other_line": 3,
            "is_own": True,
        }
    ]
    assert found["refused_invitations"] == [
        {
            "line": 2,
            "error": "SMTP 550",
            "reason": "the mail server knows no such mailbox, or accepts no mail for"
            " it (SMTP 550)",
        }
    ]


def test_a_person_sees_possible_duplicates_and_refused_invitations(
    terminal, done, second_look
):
    words = terminal.cvms("upload", second_look).out.replace("─", " ").split()
    shown = " ".join(words)

    assert f"Probably known already 2 swapped names: line 3 of {done}" in shown
    assert (
        "Invitations refused 2 the mail server knows no such mailbox, or accepts no"
        " mail for it (SMTP 550)"
    ) in shown


def test_data_ops_see_a_refused_invitation_among_the_messages(terminal, second_look):
    (refused,) = terminal.cvms("messages", "--refused", "--json").json

    assert (refused["kind"], refused["upload"]) == ("invitation", second_look)


def test_a_person_sees_an_upload_with_what_to_do(terminal, done):
    ended = terminal.cvms("upload", done)

    assert "Remove 1 row that repeats an earlier row of the file." in ended.out
    assert f"cvms report {done} BulkError.csv" in ended.out


def test_data_ops_see_since_when_a_provider_knows_of_a_delay(terminal, done, pipeline):
    with pipeline.store.begin() as conn:
        conn.exec_driver_sql(
            "UPDATE cvms.uploads SET delayed_at = '2026-03-01 12:00:00Z'"
        )

    assert "Said to be delayed" in terminal.cvms("upload", done).out
    shown = terminal.cvms("upload", done, "--json").json["delayed_at"]
    assert dt.datetime.fromisoformat(shown) == dt.datetime(
        2026, 3, 1, 12, tzinfo=dt.UTC
    )


@pytest.mark.parametrize("command", ["upload", "report"])
def test_an_unknown_upload_is_reported_with_the_command_that_lists_them(
    terminal, command
):
    ended = terminal.cvms(command, "20260301-120000-nothing2")

    assert (ended.code, ended.out) == (1, "")
    assert "cvms uploads" in ended.err


def test_the_error_report_is_the_one_the_provider_got(terminal, done, mercy):
    (published,) = terminal.lane(mercy, "results").glob("*/BulkError.csv")
    path = terminal.home / "again.csv"

    ended = terminal.cvms("report", done, path)

    assert ended.code == 0
    assert path.read_bytes() == published.read_bytes()
    assert path.read_bytes().startswith(codecs.BOM_UTF8 + b'"FirstName",')
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_error_report_goes_to_standard_output_without_a_path(terminal, done):
    ended = terminal.cvms("report", done)

    assert '"\'=Cy","Lee","13/41/1991"' in ended.out
    assert ended.out == terminal.cvms("report", done, "-").out


def test_an_existing_file_is_replaced_only_with_force(terminal, done):
    path = terminal.file("mine.csv", "mine")

    ended = terminal.cvms("report", done, path)

    assert (ended.code, path.read_text()) == (1, "mine")
    assert "--force" in ended.err
    assert terminal.cvms("report", done, path, "--force").code == 0
    assert path.read_bytes().startswith(codecs.BOM_UTF8)


def test_an_upload_without_rejected_rows_has_no_report(terminal, mercy, work):
    (terminal.lane(mercy) / "empty.csv").write_bytes(b"")
    (upload_id,) = work()

    ended = terminal.cvms("report", upload_id, terminal.home / "none.csv")

    assert ended.code == 1
    assert "has no error report: its status is refused" in ended.err
    assert not (terminal.home / "none.csv").exists()


def test_the_template_is_the_header_alone(alone):
    path = alone.home / "template.csv"

    assert alone.cvms("template", path).code == 0
    assert path.read_bytes() == b"First name,Last name,Date of birth,Email\r\n"
    assert alone.cvms("template").out.strip() == path.read_text().strip()


def test_a_receipt_is_verified_by_its_check_code(terminal, pipeline, done):
    found = history.get_upload(pipeline, done)
    code = receipts.make_code(pipeline, found)

    genuine = terminal.cvms("upload", done, "--receipt", code)
    forged = terminal.cvms("upload", done, "--receipt", "AAAA-AAAA-AAAA-AAAA")
    as_json = terminal.cvms("upload", done, "--receipt", code.lower(), "--json").json

    assert genuine.code == 0
    assert " ".join(genuine.out.split()) == (
        "This receipt is genuine: 4 rows in the file, 2 loaded, 2 rejected; SHA-256"
        f" {found.sha256}."
    )
    assert forged.code == 1
    assert (
        f"This is not the check code of the upload {done} as it is recorded. Compare"
        " the code and the id with the receipt."
    ) in " ".join(forged.err.split())
    assert as_json == {"id": done, "is_genuine": True}
