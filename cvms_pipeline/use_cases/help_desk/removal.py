"""Removing a recipient: staff find the person and ask, a supervisor approves.

The two are never the same account.  From the approval on nobody finds, matches, invites
or corrects the recipient; names and addresses are erased later (`maintenance.erasing`).
What is removed, and in which order, is `store.removals`.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from cvms_pipeline import errors
from cvms_pipeline.database import engine
from cvms_pipeline.domain.vocabulary import audit_events
from cvms_pipeline.domain.vocabulary import cases as vocabulary
from cvms_pipeline.store import audit, search
from cvms_pipeline.store.help_desk import cases
from cvms_pipeline.store.removals import removing, requests
from cvms_pipeline.use_cases import pipelines
from cvms_pipeline.use_cases.help_desk import handling, mails, people

AskedAlready = requests.AskedAlready
NothingAsked = requests.NothingAsked
RecipientUnknown = requests.RecipientUnknown
Removal = requests.Removal
RemovedAlready = requests.RemovedAlready
SameAccount = removing.SameAccount

_MAX_CANDIDATES = 50


class ForSupervisor(errors.PermanentError):
    """Only a supervisor of the help desk may approve a removal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A recipient who may be meant; loaded by `line` of `upload`, of `provider`."""

    recipient_id: str
    first_name: str = field(repr=False)
    last_name: str = field(repr=False)
    birth_date: dt.date = field(repr=False)
    email: str = field(repr=False)
    provider: str
    upload: str
    line: int
    loaded_at: dt.datetime


_FACTS = [each.name for each in fields(Candidate)]


def list_candidates(
    pipeline: pipelines.Pipeline,
    words: Sequence[str],
    *,
    by: people.Person,
    provider: str | None = None,
) -> Sequence[Candidate]:
    """Return up to 50 recipients of whom each word begins a name, or the address.

    Without words nobody is found.  The audit records how many were shown, neither which
    ones nor the words.

    Args:
        pipeline: The pipeline.
        words: Beginnings of names, or with `@` of the e-mail address.
        by: Who of the help desk searches.
        provider: Only the recipients that this provider has loaded; default: all.

    Raises:
        ForStaff: If `by` is not of the help desk.
    """
    _check_staff(by)
    with pipeline.store.begin() as conn:
        if not any(word.strip() for word in words):
            return []
        result = search.search_recipients(
            conn, words, provider=provider, limit=_MAX_CANDIDATES
        )
        found = [_to_candidate(row) for row in result.recipients.to_dict("records")]
        if found:
            _note(conn, by, provider, recipients=len(found))
    return found


def get_candidate(
    pipeline: pipelines.Pipeline, recipient_id: str, *, by: people.Person
) -> Candidate:
    """Return the recipient who is to be removed; the audit records who has looked.

    Raises:
        RecipientUnknown: If there is none, or the recipient was removed.
        ForStaff: If `by` is not of the help desk.
    """
    _check_staff(by)
    with pipeline.store.begin() as conn:
        row = search.find_recipient(conn, recipient_id)
        if row is None:
            raise RecipientUnknown
        found = _to_candidate(row)
        _note(conn, by, found.provider, recipient=recipient_id)
    return found


def find_removal(pipeline: pipelines.Pipeline, number: int) -> Removal | None:
    """Return the removal for which a case has asked, or None; no personal data."""
    with pipeline.store.begin() as conn:
        return requests.find(conn, number)


def ask(
    pipeline: pipelines.Pipeline,
    number: int,
    recipient_id: str,
    *,
    by: people.Person,
    version: int | None = None,
) -> None:
    """Ask for the removal of a recipient, in a case; a supervisor has to approve it.

    Until then the case may ask for another recipient instead.

    Raises:
        ForStaff: If `by` is not of the help desk.
        CaseUnknown, CaseClosed, StaleCase: As for every change of a case.
        RecipientUnknown: If there is no such recipient, or a removed one.
        AskedAlready: If another case has asked for it.
        RemovedAlready: If this case has removed somebody.
    """
    with handling.handled(pipeline, number, by=by, version=version) as desk:
        _check_open(desk.case)
        requests.ask(
            desk.conn, number, recipient_id, asked_by=by.account_id, now=pipeline.now()
        )
        desk.change(recipient_id=recipient_id)
        details = {"recipient": recipient_id}
        desk.add(vocabulary.Action.REMOVAL_ASKED, details=details, is_internal=True)


def approve(
    pipeline: pipelines.Pipeline,
    number: int,
    *,
    by: people.Person,
    version: int,
    end_log_in: Callable[[str], None] | None = None,
) -> None:
    """Remove the recipient for whom a case has asked; the requester is told.

    Args:
        pipeline: The pipeline.
        number: The case.
        by: A supervisor, and not the one who has asked.
        version: The version of the case as it was shown.
        end_log_in: Ends the log-in of the recipient with this id, if there is one.  It
            is called before the removal is committed: after a crash between, the
            person cannot log in, and the approval is given again.

    Raises:
        ForStaff, ForSupervisor: If `by` may not approve.
        CaseUnknown, CaseClosed, StaleCase: As for every change of a case.
        NothingAsked: If no removal waits for approval in this case.
        SameAccount: If `by` has asked for it.
    """
    if not by.is_supervisor:
        raise ForSupervisor
    now = pipeline.now()
    with handling.handled(pipeline, number, by=by, version=version) as desk:
        _check_open(desk.case)
        removed = removing.remove(
            desk.conn, number, approved_by=by.account_id, now=now
        ).recipient_id
        if end_log_in is not None:
            end_log_in(removed)
        _resolve(desk, removed)


def drop(
    pipeline: pipelines.Pipeline, number: int, *, by: people.Person, version: int
) -> None:
    """Take back that a case has asked for a removal, before it is approved.

    Raises:
        ForStaff: If `by` is not of the help desk.
        CaseUnknown, CaseClosed, StaleCase: As for every change of a case.
        NothingAsked: If no removal waits for approval in this case.
    """
    with handling.handled(pipeline, number, by=by, version=version) as desk:
        requests.drop(desk.conn, number)
        desk.change(recipient_id=None)


def list_done(
    pipeline: pipelines.Pipeline,
    *,
    since: dt.datetime | None = None,
    limit: int | None = None,
) -> Sequence[Removal]:
    """Return the removals since a moment, the latest first; no personal data."""
    with pipeline.store.begin() as conn:
        return requests.list_done(conn, since=since, limit=limit)


def repeat(pipeline: pipelines.Pipeline, done: Removal) -> bool:
    """Do a removal again that a restored backup does not have yet.

    Returns:
        Whether the recipient was removed now; not if nobody is there with this id, or
        the removal is there.
    """
    with pipeline.store.begin() as conn:
        return removing.repeat(conn, done)


def _resolve(desk: handling.Handled, recipient_id: str) -> None:
    """Resolve the case whose recipient was removed, and tell its requester."""
    resolved = vocabulary.State.RESOLVED
    plan = cases.plan_state(desk.case, resolved, now=desk.pipeline.now())
    changed = desk.change(**plan)
    details = {"recipient": recipient_id}
    added = desk.add(vocabulary.Action.REMOVED, details=details)
    states = {"from": desk.case.state.value, "to": resolved.value}
    if desk.case.state is not resolved:
        desk.add(vocabulary.Action.STATE_CHANGED, details=states)
    mails.queue(desk.conn, desk.pipeline, changed, added, mails.About.REMOVED)


def _check_staff(by: people.Person) -> None:
    if not by.is_staff:
        raise handling.ForStaff


def _check_open(case: cases.Case) -> None:
    if case.state is vocabulary.State.CLOSED:
        raise cases.CaseClosed


def _to_candidate(row: Mapping[Any, Any]) -> Candidate:
    return Candidate(**{name: row[name] for name in _FACTS})


def _note(
    conn: engine.Connection, by: people.Person, provider: str | None, **details: object
) -> None:
    facts = {"account": by.account_id, **details}
    event = audit_events.Event.RECIPIENTS_READ
    audit.write(conn, [audit.Note(event=event, provider=provider, details=facts)])
