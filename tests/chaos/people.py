"""The people of a chaos run: who must be stored, with which address, and why."""

import collections
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.chaos import observed, plan

Matched = Sequence[tuple[plan.Drop, Mapping[str, Any]]]
_DUPLICATE = ({"duplicate-in-file"}, {"duplicate-recipient"})


def touched(seen: observed.Observed) -> dict[tuple[str, int], list[str]]:
    """Return what came of each line: by upload and line."""
    found: dict[tuple[str, int], list[str]] = collections.defaultdict(list)
    for row in seen.recipients:
        found[row["upload_id"], row["source_line"]].append("loaded")
    for row in seen.changes:
        found[row["upload_id"], row["source_line"]].append("changed")
    for row in seen.rejected:
        found[row["upload_id"], row["line"]].append(f"rejected: {row['message']}")
    return found


def key_of(recipient: Mapping[str, Any]) -> plan.Cells:
    """Return what says "same person" of somebody who is stored."""
    return (
        recipient["first_name"].casefold(),
        recipient["last_name"].casefold(),
        recipient["birth_date"].isoformat(),
    )


def count_twice(seen: observed.Observed, doubled: list[str]) -> None:
    """Tell of everybody who is stored more than once."""
    counts = collections.Counter(map(key_of, seen.recipients))
    doubled += [f"recipient {key[0]} twice" for key, n in counts.items() if n > 1]


def addresses(seen: observed.Observed) -> dict[Any, list[str]]:
    """Return for each recipient its addresses, the one it was loaded with first."""
    changes = collections.defaultdict(list)
    for change in seen.changes:
        changes[change["recipient_id"]].append(change)
    found = {}
    for recipient in seen.recipients:
        own = _in_order(changes[recipient["id"]], recipient["email"])
        first = own[0]["old_email"] if own else recipient["email"]
        found[recipient["id"]] = [first, *(change["new_email"] for change in own)]
    return found


def _in_order(changes: Sequence[Mapping[str, Any]], last: str) -> list[Any]:
    """Return the changes so that each goes on from the one before and ends at `last`.

    All of them, if there is such an order; else as many as there is one for.  The
    clock need not tell: a transaction may begin first and be committed later.  And an
    address may come back, so that there is more than one way through.
    """
    longest: list[Any] = []
    for at, change in enumerate(changes):
        if change["new_email"] == last:
            others = [*changes[:at], *changes[at + 1 :]]
            made = [*_in_order(others, change["old_email"]), change]
            if len(made) == len(changes):
                return made
            longest = max(longest, made, key=len)
    return longest


def wrongs(matched: Matched, seen: observed.Observed) -> Iterator[str]:
    """Yield who is missing, who is too many, and whose history does not hold."""
    stored = {key_of(each): each for each in seen.recipients}
    histories = addresses(seen)
    named = set()
    loading = [(d, u) for d, u in matched if not u["refusal_code"] and not d.refusal]
    rejected = {(r["upload_id"], r["line"]): r for r in seen.rejected}
    for drop, upload in loading:
        good = {line: row for line, row in drop.rows.items() if row.why is None}
        for line, row in good.items():
            named.add(row.key)
            recipient = stored.get(row.key)
            if recipient is None:
                yield f"{drop.name}, line {line}: nobody is stored"
                continue
            refused = rejected.get((upload["id"], line))
            is_first = not any(o < line and good[o].key == row.key for o in good)
            history = histories[recipient["id"]]
            if refused and not _is_right(
                refused, recipient, history, drop, row, is_first
            ):
                yield f"{drop.name}, line {line}: wrongly {refused['message']}"
    yield from (f"nobody dropped {key[0]}" for key in stored.keys() - named)
    lengths = collections.Counter(change["recipient_id"] for change in seen.changes)
    for recipient_id, history in histories.items():
        if len(history) != lengths[recipient_id] + 1:
            yield f"recipient {recipient_id}: its changes do not hang together"


def _is_right(
    refused: Mapping[str, Any],
    recipient: Mapping[str, Any],
    history: Sequence[str],
    drop: plan.Drop,
    row: plan.Row,
    is_first: bool,
) -> bool:
    """Return whether a good row had to be rejected: a duplicate, and no correction."""
    if set(refused["codes"]) not in _DUPLICATE:
        return False
    is_known_address = row.cells[3] in history
    is_other_provider = recipient["provider"] != drop.slug
    return (
        is_known_address
        or is_other_provider
        or not is_first
        or has_shared_birth_date(drop, row)
        or recipient["password_set_at"] is not None  # the address is the owner's
    )


def has_shared_birth_date(drop: plan.Drop, row: plan.Row) -> bool:
    """Return whether so many rows share a birth date that none corrects an address.

    Our own reading of the rule: five rows of the file, and two in a hundred of them.
    """
    good = [each for each in drop.rows.values() if each.why is None]
    sharing = sum(each.key[2] == row.key[2] for each in good)
    return sharing >= 5 and sharing * 50 >= len(drop.rows)
