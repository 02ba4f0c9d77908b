"""A review says what the load then does, and the reviewed bytes are what is loaded."""

import string

import installations
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from installations import ANN, BAD, BOB, HEADER, LOW

from cvms_pipeline.domain.vocabulary import reasons, upload
from cvms_pipeline.portal.provider import review_words
from cvms_pipeline.store import rejected_rows
from cvms_pipeline.use_cases import drop
from cvms_pipeline.use_cases.provider_actions import review

ACCOUNT = "7c3f4f7e-5a0b-4a51-9d0e-1d7f3f1f9f10"
NEW_ADDRESS = "Ann,Lee,1/2/1990,new@b.example.org"


def make_file(*rows: str) -> bytes:
    return "\r\n".join([HEADER, *rows]).encode()


def begin(site, *rows: str, provider="mercy", data: bytes | None = None):
    return review.begin(
        site.pipeline,
        make_file(*rows) if data is None else data,
        file_name="staff.csv",
        provider=provider,
        sent_by=ACCOUNT,
    )


def create(site, review_id, **facts):
    facts = {"provider": "mercy", "sent_by": ACCOUNT, **facts}
    return review.create(site.pipeline, review_id, **facts)


def verdicts_of(shown) -> dict[int, str]:
    return shown.rows["verdict"].to_dict()


def folder_of(site, review_id):
    return site.pipeline.reviews.root / review_id


def test_a_row_of_each_kind_is_shown_with_what_will_happen(site):
    site.bring([ANN])

    shown = begin(site, NEW_ADDRESS, BOB, BOB, BAD, BOB.replace("Bob", "Ann"))
    again = begin(site, ANN)

    assert list(verdicts_of(shown).values()) == [
        "corrects",
        "loads",
        "repeats",
        "rejected",
        "loads",
    ]
    assert verdicts_of(again) == {2: "known"}
    assert shown.rows["same_as"].tolist() == ["", "", "3", "", ""]


def test_nothing_is_loaded_and_nothing_sent_by_a_review(site):
    begin(site, ANN, BAD)

    for table in ("uploads", "recipients", "messages", "rejected_rows"):
        assert site.table(f"SELECT * FROM cvms.{table}").empty  # noqa: S608 # names above


def test_the_file_waits_in_a_private_folder(site):
    shown = begin(site, ANN)

    folder = folder_of(site, shown.file.id)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {each.name: each.stat().st_mode & 0o777 for each in folder.iterdir()} == {
        "file": 0o600,
        "facts.json": 0o600,
    }
    assert (folder / "file").read_bytes() == make_file(ANN)


def test_the_reviewed_bytes_become_the_upload_with_the_id_of_the_review(site):
    shown = begin(site, ANN, BAD)

    made = create(site, shown.file.id)

    assert (made.id, made.lane, made.file_name) == (shown.file.id, LOW, "staff.csv")
    assert (made.sent_from, made.sent_by) == (upload.Way.PORTAL, ACCOUNT)
    assert site.pipeline.archive.read(made.id) == make_file(ANN, BAD)
    assert [each.name for each in folder_of(site, made.id).iterdir()] == ["facts.json"]


def test_created_twice_it_is_one_upload(site):
    shown = begin(site, ANN)

    first, again = create(site, shown.file.id), create(site, shown.file.id)

    assert first.id == again.id
    assert len(site.table("SELECT id FROM cvms.uploads")) == 1


def test_a_file_that_was_changed_since_is_not_loaded(site):
    shown = begin(site, ANN)
    (folder_of(site, shown.file.id) / "file").write_bytes(make_file(BOB))

    with pytest.raises(review.FileChanged):
        create(site, shown.file.id)

    assert site.table("SELECT id FROM cvms.uploads").empty


def test_cancel_removes_the_file_and_nothing_can_be_created(site):
    shown = begin(site, ANN)

    review.cancel(site.pipeline, shown.file.id, provider="mercy")

    assert not folder_of(site, shown.file.id).exists()
    with pytest.raises(review.ReviewUnknown):
        create(site, shown.file.id)
    with pytest.raises(review.ReviewUnknown):
        review.read(site.pipeline, shown.file.id, provider="mercy")


def test_what_was_created_cannot_be_cancelled_or_reviewed(site):
    shown = begin(site, ANN)
    create(site, shown.file.id)

    with pytest.raises(review.ReviewDecided):
        review.cancel(site.pipeline, shown.file.id, provider="mercy")
    with pytest.raises(review.ReviewDecided):
        review.read(site.pipeline, shown.file.id, provider="mercy")


def test_another_provider_finds_no_such_review(site):
    site.add_provider("other")
    shown = begin(site, ANN)

    with pytest.raises(review.ReviewUnknown):
        review.read(site.pipeline, shown.file.id, provider="other")
    with pytest.raises(review.ReviewUnknown):
        review.cancel(site.pipeline, shown.file.id, provider="other")
    with pytest.raises(review.ReviewUnknown):
        create(site, shown.file.id, provider="other")
    assert folder_of(site, shown.file.id).exists()


def test_log_out_removes_what_waits_for_that_account_only(site):
    mine, created = begin(site, ANN), begin(site, BOB)
    create(site, created.file.id)
    other = review.begin(
        site.pipeline,
        make_file(BAD),
        file_name="b.csv",
        provider="mercy",
        sent_by=ACCOUNT.replace("7", "8"),
    )

    review.leave(site.pipeline, sent_by=ACCOUNT)

    assert not folder_of(site, mine.file.id).exists()
    assert folder_of(site, other.file.id).exists()
    assert len(site.table("SELECT id FROM cvms.uploads")) == 1


def test_a_file_waits_for_a_day(site):
    shown = begin(site, ANN)

    site.clock.forward(hours=25)
    with pytest.raises(review.ReviewUnknown):
        create(site, shown.file.id)
    assert review.remove_expired(site.pipeline) == 1

    assert not folder_of(site, shown.file.id).exists()


def test_lines_that_another_upload_has_changed_since_are_named(site):
    shown = begin(site, ANN, BOB, BAD)
    seen = {str(line): verdict for line, verdict in verdicts_of(shown).items()}
    site.bring([ANN])

    create(site, shown.file.id, seen=seen)
    site.process(shown.file.id)

    changed = review.list_changes(site.pipeline, shown.file.id, provider="mercy")
    assert changed == {2: (review.Verdict.LOADS, review.Verdict.KNOWN)}
    assert review.list_changes(site.pipeline, shown.file.id, provider="other") == {}


def test_nothing_is_named_where_all_is_as_it_was_shown(site):
    shown = begin(site, ANN, BOB, BOB, BAD)
    seen = {str(line): verdict for line, verdict in verdicts_of(shown).items()}

    create(site, shown.file.id, seen=seen)
    site.process(shown.file.id)

    assert review.list_changes(site.pipeline, shown.file.id, provider="mercy") == {}


def make_rows(count: int) -> list[str]:
    letters = string.ascii_lowercase
    names = (letters[n // 26] + letters[n % 26] for n in range(count))
    return [f"A{name},Lee,1/2/1990,{name}@b.org" for name in names]


def test_a_file_with_more_than_100_rows_waits_for_high_volume(site):
    shown = begin(site, *make_rows(101))

    assert shown.is_for_high_volume
    assert shown.checked.outcome.refusal.message == (
        "The file has 101 rows; the low_volume folder takes at most 100."
        " Drop it into the high_volume folder."
    )
    made = create(site, shown.file.id, lane=upload.Lane.HIGH_VOLUME)
    assert site.process(made.id).outcome.loaded == 101


def test_a_refused_file_does_not_wait(site):
    shown = begin(site, data=b"%PDF-1.7")

    assert shown.file is None
    assert shown.checked.outcome.refusal.code == reasons.FILE_NOT_CSV
    assert not list(site.pipeline.reviews.root.glob("*"))


def test_of_a_disabled_provider_nothing_is_reviewed(site):
    site.add_provider("gone", is_enabled=False)

    with pytest.raises(drop.ProviderDisabled):
        begin(site, ANN, provider="gone")


def test_the_audit_has_reviews_and_removals_without_contents(site):
    first, refused = begin(site, ANN, BAD), begin(site, data=b"")
    review.cancel(site.pipeline, first.file.id, provider="mercy")

    found = site.table("SELECT event, provider, details FROM cvms.audit ORDER BY id")
    entries = [tuple(each) for each in found.itertuples(index=False)][1:]
    counts = {"rows": 2, "loaded": 1, "updated": 0, "rejected": 1}
    assert entries == [
        ("file-reviewed", "mercy", counts),
        ("file-reviewed", "mercy", {"refusal": "file-empty"}),
        ("review-removed", "mercy", {"because": "cancelled"}),
    ]
    assert refused.file is None


NAMES = st.sampled_from(["Ann", "ANN", "Lee", "Bob", "Cy#", ""])
LAST_NAMES = st.sampled_from(["Lee", "Lée", "Ann", "Marsh"])
DATES = st.sampled_from(
    ["1/2/1990", "01/02/1990", "2/1/1990", "3/4/1991", "13/1/1990", "1990"]
)
ADDRESSES = st.sampled_from(["a@b.org", "A@b.org", "c@d.org", "bad", ""])
ODD = st.sampled_from(["", ",,,", "x", 'Ann,"Lee,1/2/1990,a@b.org', "a,b,c,d,e,f"])
ROWS = st.tuples(NAMES, LAST_NAMES, DATES, ADDRESSES).map(",".join)
FILES = st.lists(ROWS | ODD, max_size=9)
MANY = settings(
    max_examples=25,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def read_outcome(site: installations.Installation, upload_id: str):
    """Return by line what was loaded, corrected or rejected, with codes and texts."""
    lines = {
        "loads": "SELECT source_line FROM cvms.recipients WHERE upload_id = ",
        "corrects": "SELECT source_line FROM cvms.recipient_changes WHERE upload_id = ",
    }
    done = {
        line: verdict
        for verdict, query in lines.items()
        for line in site.column(f"{query}'{upload_id}'")
    }
    with site.pipeline.store.begin() as conn:
        rejected = rejected_rows.read(conn, upload_id)[["codes", "message"]]
    return done, rejected.to_dict("index")


def words_of_receipt(site, upload_id: str) -> str:
    return " ".join(site.receipt(upload_id).split())


def test_who_is_probably_known_is_shown_as_the_receipt_says_it(site):
    site.add_provider("duke")
    site.bring([BOB], slug="duke")
    earlier = site.bring([ANN])
    rows = [
        "Lee,Ann,1/2/1990,x@b.org",
        "Lee,Bob,3/4/1991,y@b.org",
        "Cy,Orr,5/6/1992,c@b.org",
    ]

    shown = begin(site, *rows, "Cy,Marsh,5/6/1992,c@b.org")

    told = review_words.describe_probably_known(shown.checked.outcome)
    assert told["points"] == [
        f"Line 2: the same birth date as line 2 of the upload {earlier}, first and last"
        " name swapped",
        "Line 5: the same first name, birth date and e-mail address as line 4, another"
        " last name",
    ]
    assert told["sentence"] == (
        "2 rows will be loaded, but are probably people who are known already. If it is"
        " the same person, cancel, remove the row from the file, and upload it again."
    )
    badges = {
        each.line: (each.verdict, each.look)
        for each in review_words.list_rows(shown, only_problems=False)
    }
    probably = ("Loads, probably known already", "warning")
    assert badges == {2: probably, 3: ("Loads", "good"), 4: badges[3], 5: probably}
    made = create(site, shown.file.id)
    site.process(made.id)
    assert f"- {' - '.join(told['points'])} " in words_of_receipt(site, made.id)


@MANY
@given(before=FILES, own=st.booleans(), now=FILES)
def test_what_a_review_shows_is_what_is_loaded_for_any_file(site, before, own, now):
    site.execute("TRUNCATE cvms.uploads, cvms.recipients CASCADE")
    if not site.column("SELECT count(*) FROM cvms.providers WHERE slug = 'other'")[0]:
        site.add_provider("other")
    site.bring(before, slug="mercy" if own else "other")
    shown = begin(site, *now)
    if shown.file is None:
        loaded = site.upload(site.bring(now))
        assert loaded.refusal == shown.checked.outcome.refusal
        return
    expected = shown.checked.rejected_rows.to_dict("index")

    verdicts = verdicts_of(shown)
    seen = {str(line): verdict for line, verdict in verdicts.items()}
    made = create(site, shown.file.id, seen=seen)
    outcome = site.process(made.id).outcome

    assert outcome == shown.checked.outcome
    done, rejected = read_outcome(site, made.id)
    assert done == {k: v for k, v in verdicts.items() if v in ("loads", "corrects")}
    assert rejected == expected
    assert set(rejected) | set(done) == set(verdicts)
    known = review_words.describe_probably_known(shown.checked.outcome)
    receipt = words_of_receipt(site, made.id)
    assert all(point in receipt for point in known.get("points", []))
    assert ("probably" in receipt) == bool(known)
    assert review.list_changes(site.pipeline, made.id, provider="mercy") == {}
