"""What staff do with a case: assign, state, priority, internal note, reply.

Each takes the version of the case as it was shown.  If somebody has changed it since,
nothing happens (`StaleCase`), and the page shows both.  An internal note changes
nothing that others see, so it may be late; it is never mailed.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cvms_pipeline import errors
from cvms_pipeline.database import engine
from cvms_pipeline.domain.vocabulary import cases as vocabulary
from cvms_pipeline.store.help_desk import activity, cases
from cvms_pipeline.use_cases import pipelines
from cvms_pipeline.use_cases.help_desk import answering, mails, people

Action = vocabulary.Action
State = vocabulary.State
Priority = vocabulary.Priority
StaleCase = cases.StaleCase

_ABOUT = {State.RESOLVED: mails.About.RESOLVED, State.CLOSED: mails.About.CLOSED}


class ForStaff(errors.PermanentError):
    """Only the help desk may do this."""


class StateInvalid(errors.PermanentError):
    """A case is new only until somebody takes it up; choose another state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handled:
    """A case that is locked for one change, and who makes it."""

    conn: engine.Connection
    pipeline: pipelines.Pipeline
    case: cases.Case
    by: people.Person

    def add(self, action: Action, **facts: Any) -> int | None:
        """Add an activity of this person; return its id."""
        return activity.add(
            self.conn,
            now=self.pipeline.now(),
            number=self.case.number,
            action=action,
            **people.describe_author(self.by),
            **facts,
        )

    def change(self, **values: Any) -> cases.Case:
        """Change columns of the case."""
        return cases.change(self.conn, self.case.number, **values)

    def move(self, state: State) -> cases.Case:
        """Set the state, with its activity; the requester is told of an end."""
        now = self.pipeline.now()
        moved = self.change(**cases.plan_state(self.case, state, now=now))
        details = {"from": self.case.state.value, "to": state.value}
        added = self.add(Action.STATE_CHANGED, details=details)
        if state in _ABOUT:
            mails.queue(self.conn, self.pipeline, moved, added, _ABOUT[state])
        return moved


@contextlib.contextmanager
def handled(
    pipeline: pipelines.Pipeline,
    number: int,
    *,
    by: people.Person,
    version: int | None = None,
) -> Iterator[Handled]:
    """Lock a case for one change by staff, in one transaction.

    Raises:
        ForStaff: If `by` is not of the help desk.
        CaseUnknown: If there is no such case.
        CaseClosed: If it was erased.
        StaleCase: If it has another version than `version`.
    """
    if not by.is_staff:
        raise ForStaff
    with pipeline.store.begin() as conn:
        case = cases.lock(conn, number, version=version)
        yield Handled(conn=conn, pipeline=pipeline, case=case, by=by)


def handle(
    pipeline: pipelines.Pipeline,
    number: int,
    *,
    to: people.Person | None,
    priority: Priority,
    state: State,
    by: people.Person,
    version: int,
) -> None:
    """Make a case what the form of its page says, all of it or nothing.

    Args:
        pipeline: The pipeline.
        number: The case.
        to: Who of the help desk has the case; None for nobody.
        priority: Its priority.
        state: Its state; the requester is told if it becomes resolved or closed.
        by: Who of the help desk does it.
        version: The version of the case as it was shown.

    Raises:
        ForStaff: If `to` is not of the help desk.
        StateInvalid: If it is to be new again.
        StaleCase: If the case has changed since it was shown.
    """
    with handled(pipeline, number, by=by, version=version) as desk:
        _assign(desk, to)
        _set_priority(desk, priority)
        _set_state(desk, state)


def write_note(
    pipeline: pipelines.Pipeline,
    number: int,
    text: str,
    *,
    by: people.Person,
    version: int,
    key: str | None = None,
) -> None:
    """Write an internal note, which no requester reads and no message holds.

    Raises:
        TextInvalid: If the text says nothing or is too long.
        StaleCase: If the case has changed since it was shown.
    """
    written = answering.clean_text(text)
    if _is_done(pipeline, by, key):
        return
    with handled(pipeline, number, by=by, version=version) as desk:
        if desk.add(Action.NOTED, text=written, is_internal=True, key=key):
            desk.change()


def reply_as_staff(
    pipeline: pipelines.Pipeline,
    number: int,
    text: str,
    *,
    by: people.Person,
    version: int,
    state: State | None = None,
    key: str | None = None,
) -> None:
    """Answer a requester, who is told so by mail, without the text.

    Args:
        pipeline: The pipeline.
        number: The case.
        text: The answer.
        by: Who of the help desk answers.
        version: The version of the case as it was shown.
        state: What the case becomes with it; default: a new case is in progress.
        key: The form's key; sent twice, it answers once.

    Raises:
        CaseClosed: If the case is closed.
        StateInvalid: If it is to be new.
        TextInvalid: If the text says nothing or is too long.
        StaleCase: If the case has changed since it was shown.
    """
    written = answering.clean_text(text)
    if state is State.NEW:
        raise StateInvalid
    if _is_done(pipeline, by, key):
        return
    with handled(pipeline, number, by=by, version=version) as desk:
        if desk.case.state is State.CLOSED:
            raise cases.CaseClosed
        added = desk.add(Action.REPLIED, text=written, key=key)
        if added is None:
            return
        is_new = desk.case.state is State.NEW
        chosen = state or (State.IN_PROGRESS if is_new else desk.case.state)
        answered = desk.case if chosen is desk.case.state else desk.move(chosen)
        if answered.waiting_since is not None or answered is desk.case:
            answered = desk.change(waiting_since=None)
        mails.queue(desk.conn, pipeline, answered, added, mails.About.REPLIED)


def _assign(desk: Handled, to: people.Person | None) -> None:
    if to is not None and not to.is_staff:
        raise ForStaff
    assignee = None if to is None else to.account_id
    if assignee == desk.case.assignee:
        return
    desk.change(assignee=assignee, assignee_name="" if to is None else to.name)
    details = {"from": desk.case.assignee, "to": assignee}
    desk.add(Action.ASSIGNED, details=details)


def _set_priority(desk: Handled, priority: Priority) -> None:
    if priority is not desk.case.priority:
        desk.change(priority=int(priority))
        details = {"from": int(desk.case.priority), "to": int(priority)}
        desk.add(Action.PRIORITY_CHANGED, details=details)


def _set_state(desk: Handled, state: State) -> None:
    if state is desk.case.state:
        return
    if state is State.NEW:
        raise StateInvalid
    desk.move(state)


def _is_done(pipeline: pipelines.Pipeline, by: people.Person, key: str | None) -> bool:
    if key is None:
        return False
    with pipeline.store.begin() as conn:
        return activity.has_key(conn, by.account_id, key)
