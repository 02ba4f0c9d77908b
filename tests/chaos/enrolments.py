"""What must have come of those who used their invitations: enrolled once, or told why.

Nobody knows whether a link was used first or its address was corrected first.  So
whoever could set a password must be enrolled at the address that the link went to, and
the address of everybody else must have been corrected.
"""

import collections
from typing import Any

from tests.chaos import mail, observed, people, registrants

COMPLETE = "Your registration is complete"


def judge(
    invited: registrants.Registrants, seen: observed.Observed, verdict: Any
) -> None:
    """Tell of registrations that are missing, wrong, or there more than once."""
    forms = {row["recipient_id"]: row for row in seen.registrations}
    told = _count_told(seen.letters)
    by_name = {each["username"]: each for each in seen.recipients}
    for somebody in invited.enrolled:
        recipient = by_name.get(somebody.username, {"id": None})
        form = forms.pop(recipient["id"], None)
        if form is None or form["address_1"] != somebody.address:
            verdict.lost.append(f"{somebody.username}: no registration")
        elif not (recipient["password_set_at"] and recipient["registered_at"]):
            verdict.lost.append(f"{somebody.username}: enrolled without a mark")
        elif recipient["email"] != somebody.email:
            verdict.lost.append(f"{somebody.username}: the address was changed")
        if not told[somebody.email]:
            verdict.lost.append(f"{somebody.username}: no message of the registration")
        elif told[somebody.email] > 1:
            verdict.doubled.append(f"{somebody.username}: told of it twice")
    verdict.doubled += [f"{each}: nobody has sent that form" for each in forms]
    earlier = {a for history in people.addresses(seen).values() for a in history[:-1]}
    for somebody in invited.ended:
        if somebody.email not in earlier:
            verdict.lost.append(f"{somebody.username}: the link ended for no reason")


def _count_told(letters: list[mail.Letter]) -> collections.Counter[str]:
    """Return how many were told of a registration, by address; repeated ones once."""
    once = {each.message_id: each for each in letters}
    return collections.Counter(
        each.to for each in once.values() if each.subject.startswith(COMPLETE)
    )
