"""The model that evaluates a chaos run finds each kind of wrong result."""

import copy
import datetime as dt
import itertools

import pytest

from tests.chaos import (
    asking,
    enrolments,
    faults,
    mail,
    observed,
    people,
    plan,
    registrants,
    verdict,
)

ID = "20260101-u"
CELLS = ("Ann", "O'Dwyer", "2/2/1931", "p1@mercy.example.org")
USERNAME = f"{CELLS[3]}.COVID19VACCINE"
BAD = ("Bob", "", "3/3/1932", "p2@mercy.example.org")
WHY = "Required fields are missing: [LastName]"
ROWS = {2: plan.Row(cells=CELLS), 3: plan.Row(cells=BAD, why=WHY, mended=CELLS)}
DROP = plan.Drop(
    name="staff-1.csv",
    slug="mercy",
    lane=plan.LOW,
    habit="whole",
    data=plan.rendered(ROWS),
    rows=ROWS,
)
REPORT = plan.rendered(
    {2: plan.Row(cells=(*BAD, f"Line 3: {WHY}"))}, plan.REPORT_HEADER
)
BODY = (
    "Filename: staff-1.csv\nNumber of Records In File: 2\n"
    "Number of Records Successfully Loaded: 1\nNumber of Records Failed: 1\n"
    f"Upload: {ID}\n"
)


def all_is_well() -> observed.Observed:
    upload = {
        "id": ID,
        "file_name": "staff-1.csv",
        "sent_from": "folder",
        "status": "completed_with_errors",
        "refusal_code": None,
        "rows": 2,
        "loaded": 1,
        "rejected": 1,
    }
    ann = {
        "id": "r1",
        "first_name": "Ann",
        "last_name": "O'Dwyer",
        "birth_date": dt.date(1931, 2, 2),
        "email": CELLS[3],
        "username": USERNAME,
        "password_set_at": dt.datetime(2026, 1, 2, tzinfo=dt.UTC),
        "registered_at": dt.datetime(2026, 1, 2, tzinfo=dt.UTC),
        "provider": "mercy",
        "upload_id": ID,
        "source_line": 2,
    }
    rejected = {
        "upload_id": ID,
        "line": 3,
        "message": f"Line 3: {WHY}",
        "codes": ["required-missing"],
    }
    return observed.Observed(
        uploads=[upload],
        recipients=[ann],
        changes=[],
        rejected=[rejected],
        messages=[],
        registrations=[{"recipient_id": "r1", "address_1": "1 Canary Lane"}],
        partitions={ID},
        made={(asset, ID) for asset in observed.ASSETS},
        last_runs=[{"job": "process_upload", "status": "SUCCESS", "upload_id": ID}],
        open_runs=0,
        reports={ID: REPORT},
        results={f"staff-1-{ID}": {"BulkError.csv": REPORT, "receipt.txt": b"told"}},
        archive={ID: DROP.data},
        letters=[
            letter("<n>", "staff@mercy.example.org", "Bulk Employee Upload - Failure"),
            letter("<i>", CELLS[3], mail.WELCOME),
            letter("<r>", CELLS[3], f"{enrolments.COMPLETE}: portal"),
        ],
        left=[],
    )


def letter(message_id: str, to: str, subject: str) -> mail.Letter:
    is_notice = to.startswith("staff@")
    return mail.Letter(
        message_id=message_id,
        to=to,
        subject=subject,
        text=BODY if is_notice else "",
        attached=REPORT if is_notice else None,
    )


def name_kinds(judged: verdict.Verdict) -> set[str]:
    kinds = ("lost", "doubled", "unfinished", "repeated")
    return {kind for kind in kinds if getattr(judged, kind)}


def found(seen: observed.Observed) -> set[str]:
    return name_kinds(verdict.judge({DROP.name: DROP}, seen))


def found_of_enrolled(
    seen: observed.Observed, *, email: str = CELLS[3], is_ended: bool = False
) -> set[str]:
    invited = registrants.Registrants(
        asked=asking.Asking(url=""), letters=[], seed=1, most=1
    )
    ann = registrants.Registrant(
        username=USERNAME, email=email, address="1 Canary Lane"
    )
    (invited.ended if is_ended else invited.enrolled).append(ann)
    judged = verdict.Verdict()
    enrolments.judge(invited, seen, judged)
    return name_kinds(judged)


def test_a_correct_result_has_no_findings():
    assert found(all_is_well()) == set()


# What is done to a run in which all is well, and what must be found then.
HARMS = [
    (lambda s: s.uploads.clear(), "lost"),  # an upload has vanished
    (lambda s: s.uploads.append(dict(s.uploads[0], id="x")), "doubled"),
    (lambda s: s.uploads[0].update(status="processing"), "unfinished"),
    (lambda s: s.uploads[0].update(sent_from="portal"), "lost"),
    (lambda s: s.uploads[0].update(status="failed"), "unfinished"),
    (lambda s: s.uploads[0].update(rows=3), "lost"),  # counts that do not add up
    (lambda s: s.recipients.clear(), "lost"),
    (lambda s: s.recipients.append(dict(s.recipients[0], id="r2")), "doubled"),
    (lambda s: s.rejected.clear(), "lost"),
    (lambda s: s.rejected[0].update(message="Line 3: other"), "lost"),
    (lambda s: s.rejected.append(dict(s.rejected[0], line=2)), "doubled"),
    (lambda s: s.partitions.clear(), "lost"),
    (lambda s: s.made.clear(), "unfinished"),
    (lambda s: s.last_runs[0].update(status="FAILURE"), "unfinished"),
    (lambda s: setattr(s, "open_runs", 1), "unfinished"),
    (lambda s: s.reports.clear(), "lost"),
    (lambda s: s.results.clear(), "lost"),
    (lambda s: s.archive.update({ID: b"half"}), "lost"),
    (lambda s: s.letters.pop(0), "lost"),  # the notice
    (lambda s: s.letters.pop(1), "lost"),  # the invitation
    (lambda s: s.letters.append(s.letters[0]), "repeated"),
    (
        lambda s: s.letters.append(letter("<m>", CELLS[3], s.letters[1].subject)),
        "doubled",
    ),
    (
        lambda s: s.messages.append({"status": "waiting", "kind": "notice"}),
        "unfinished",
    ),
    (lambda s: s.left.append("mercy/low_volume/x.csv"), "unfinished"),
]


@pytest.mark.parametrize(("harm", "kind"), HARMS)
def test_every_kind_of_wrong_result_is_found(harm, kind):
    seen = copy.deepcopy(all_is_well())

    harm(seen)

    assert kind in found(seen)


ENROLLED_HARMS = [
    (lambda s: s.registrations.clear(), "lost"),
    (lambda s: s.registrations[0].update(address_1="2 Canary Lane"), "lost"),
    (lambda s: s.registrations.append({"recipient_id": "r2"}), "doubled"),
    (lambda s: s.recipients.clear(), "lost"),
    (lambda s: s.recipients[0].update(password_set_at=None), "lost"),
    (lambda s: s.recipients[0].update(registered_at=None), "lost"),
    (lambda s: s.recipients[0].update(email="new@mercy.example.org"), "lost"),
    (lambda s: s.letters.pop(), "lost"),  # that the registration is complete
    (
        lambda s: s.letters.append(letter("<m>", CELLS[3], enrolments.COMPLETE)),
        "doubled",
    ),
]


@pytest.mark.parametrize(("harm", "kind"), ENROLLED_HARMS)
def test_every_kind_of_wrong_registration_is_found(harm, kind):
    seen = copy.deepcopy(all_is_well())
    assert found_of_enrolled(seen) == set()

    harm(seen)

    assert kind in found_of_enrolled(seen)


def test_a_link_ends_by_a_correction_alone():
    seen = copy.deepcopy(all_is_well())
    seen.registrations.clear()
    assert found_of_enrolled(seen, is_ended=True) == {"lost"}

    seen.changes.append(
        {"recipient_id": "r1", "old_email": "a@b.example.org", "new_email": CELLS[3]}
    )

    ended = {"email": "a@b.example.org", "is_ended": True}
    assert found_of_enrolled(seen, **ended) == set()


def test_the_same_seed_gives_the_same_files_and_faults():
    one, other = plan.Dealer(5), plan.Dealer(5)

    assert [one.deal() for _ in range(50)] == [other.deal() for _ in range(50)]
    assert faults.schedule(5, kills=20, seconds=60) == faults.schedule(
        5, kills=20, seconds=60
    )


def test_with_enough_kills_every_process_is_killed():
    struck = {each.what for each in faults.schedule(3, kills=20, seconds=60)}

    assert struck == {*faults.KILLS, "mail", "disk"}


# The last address, and each change in whatever order the tables give them.
HISTORIES = [
    ("b", ["a b"]),
    ("c", ["b c", "a b"]),
    ("c", ["a b", "b a", "a c"]),
    ("d", ["a b", "b c", "c b", "b d"]),  # an address that came back, and went again
    ("d", ["c b", "a b", "b d", "b c"]),
    ("d", ["b d", "d b", "a b", "b c", "c b", "b d"]),
]


@pytest.mark.parametrize(("last", "written"), HISTORIES)
def test_a_possible_order_is_found_even_if_addresses_return(last, written):
    seen = all_is_well()
    changes = [change.split() for change in written]
    seen.changes.extend(
        {"recipient_id": "r1", "old_email": old, "new_email": new}
        for old, new in changes
    )
    seen.recipients[0]["email"] = last

    history = people.addresses(seen)["r1"]

    assert sorted(map(" ".join, itertools.pairwise(history))) == sorted(written)
    assert (history[0], history[-1]) == ("a", last)


def test_an_order_with_a_missing_correction_is_noticed():
    seen = all_is_well()
    seen.recipients[0]["email"] = "d"
    seen.changes.extend(
        {"recipient_id": "r1", "old_email": old, "new_email": new}
        for old, new in ["ab", "cd"]
    )

    assert people.addresses(seen)["r1"] == ["c", "d"]


@pytest.mark.parametrize(
    ("sharing", "rows", "is_shared"),
    [
        (5, 20, True),
        (4, 20, False),  # four rows are not many
        (5, 250, True),
        (5, 251, False),  # five are not many of 251
    ],
)
def test_a_birth_date_is_shared_from_five_rows_and_two_percent_on(
    sharing, rows, is_shared
):
    def row(number: int) -> plan.Row:
        year = 1970 if number < sharing else 1700 + number
        born = f"1/1/{year}"
        return plan.Row(cells=(plan.letters("Ann", number), "Lee", born, "a@b.org"))

    found = {number + 2: row(number) for number in range(rows)}
    drop = plan.Drop(
        name="s.csv", slug="mercy", lane=plan.LOW, habit="whole", data=b"", rows=found
    )

    assert people.has_shared_birth_date(drop, found[2]) is is_shared
