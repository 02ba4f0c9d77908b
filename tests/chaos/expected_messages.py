"""Which messages the mail server must have received: one for each purpose."""

import collections
from collections.abc import Mapping, Sequence
from typing import Any

from tests.chaos import installation, mail, observed, people, plan

NOTICES = "Bulk Employee Upload - "
UNKNOWN = "CVMS upload: A file in a folder of no enabled provider"


def judge(matched: people.Matched, seen: observed.Observed, verdict: Any) -> None:
    """Tell of messages that are missing, wrong, or sent more than once."""
    once = {letter.message_id: letter for letter in seen.letters}
    counts = collections.Counter(letter.message_id for letter in seen.letters)
    verdict.repeated += [id for id, n in counts.items() for _ in range(n - 1)]
    by_upload = collections.defaultdict(list)
    invited: collections.Counter[str] = collections.Counter()
    for letter in once.values():
        if letter.subject.startswith(NOTICES):
            by_upload[letter.fact("Upload")].append(letter)
        elif letter.subject == UNKNOWN:
            by_upload[letter.text.partition(" as ")[2].split(";")[0]].append(letter)
        elif letter.subject == mail.WELCOME:
            invited[letter.to] += 1
    for drop, upload in matched:
        _notices(drop, upload, by_upload[upload["id"]], seen, verdict)
    _invitations(invited, seen, verdict)
    waiting = [each for each in seen.messages if each["status"] == "waiting"]
    verdict.unfinished += [f"{each['kind']} waits" for each in waiting]


def alerts(seen: observed.Observed) -> list[mail.Letter]:
    """Return the messages to data-ops that tell of failed runs."""
    return [each for each in seen.letters if "A run has failed" in each.subject]


def _notices(
    drop: plan.Drop,
    upload: Mapping[str, Any],
    found: Sequence[mail.Letter],
    seen: observed.Observed,
    verdict: Any,
) -> None:
    if not found:
        verdict.lost.append(f"{drop.name}: no notice")
    elif len(found) > 1:
        verdict.doubled.append(f"{drop.name}: {len(found)} notices")
    elif drop.is_known and not _tells(found[0], drop, upload, seen):
        verdict.lost.append(f"{drop.name}: the notice tells something else")


def _tells(
    letter: mail.Letter,
    drop: plan.Drop,
    upload: Mapping[str, Any],
    seen: observed.Observed,
) -> bool:
    """Return whether a notice says what the tables say, with the report."""
    is_good = not upload["rejected"] and not upload["refusal_code"]
    in_file, failed = upload["rows"], upload["rejected"]
    if upload["refusal_code"]:
        counted = upload["refused_rows"]
        in_file = failed = "\N{EN DASH}" if counted is None else counted
    loaded = (letter.fact("Number of Records Successfully Loaded") or "").split()
    return (
        letter.to == installation.address(drop.slug)
        and letter.subject == NOTICES + ("Success" if is_good else "Failure")
        and letter.fact("Filename") == drop.name
        and letter.fact("Number of Records In File") == str(in_file)
        and loaded[:1] == [str(upload["loaded"])]
        and letter.fact("Number of Records Failed") == str(failed)
        and letter.attached == seen.reports.get(upload["id"])
    )


def _invitations(
    invited: Mapping[str, int], seen: observed.Observed, verdict: Any
) -> None:
    """One to each recipient's address; to earlier ones, if they were sent in time."""
    most: collections.Counter[str] = collections.Counter()
    for history in people.addresses(seen).values():
        most.update(history)
        if not invited.get(history[-1]):
            verdict.lost.append(f"{history[-1]}: no invitation")
    for address, count in invited.items():
        if count > most[address]:
            verdict.doubled.append(f"{address}: {count} invitations")
